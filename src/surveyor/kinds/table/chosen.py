"""Tables of which only some columns are used, the same in each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from surveyor.data import check_columns
from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds.table.frames import Frame


@dataclass(frozen=True, eq=False)
class Chosen(Frame):
    """Some columns of a table."""

    plain: Frame
    names: list[str]

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the table in messages."""
        return self.plain.where

    @property
    def untyped(self) -> bool:  # type: ignore[override]
        """Return whether the table is a file of text."""
        return self.plain.untyped

    @property
    def declared(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return the forms of columns that have a type of Arrow."""
        return self.plain.declared

    def __len__(self) -> int:
        return len(self.plain)

    def locate(self, row: int) -> str:
        """Return where a row is in the user's table, in words."""
        return self.plain.locate(row)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        for chunk in self.plain.chunks():
            yield chunk[self.names]


def same_columns(frames: Mapping[str, Frame], drop: Sequence[str]) -> dict[str, Frame]:
    """Return tables by name, without the columns in ``drop``.

    Raises:
        InputError: every column that the first table has and another lacks, and the reverse.
    """
    (first, real), *others = frames.items()
    every = list(dict.fromkeys(name for frame in frames.values() for name in frame.names))
    problems = check_columns(drop, every, "--drop")
    for other, frame in others:
        problems += [
            f"{other}: lacks the column {name!r} of {first}; add it, or leave it out of both with "
            f"--drop {name}"
            for name in real.names
            if name not in frame.names and name not in drop
        ]
        problems += [
            f"{other}: has a column {name!r} that {first} lacks; leave it out with --drop {name}"
            for name in frame.names
            if name not in real.names and name not in drop
        ]
    if not problems and not set(real.names) - set(drop):
        problems.append("--drop: leaves no column to measure; drop fewer")
    if problems:
        raise InputError(*problems)
    return {
        name: Chosen(frame, [n for n in frame.names if n not in drop])
        for name, frame in frames.items()
    }
