"""Tables of which only some columns or rows are used."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.data import check_columns
from surveyor.data.types import label_of
from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds.table.frames import Frame, Over

MOST_PARTS = 50


@dataclass(frozen=True, eq=False)
class Chosen(Over):
    """Some columns of a table."""

    names: list[str]

    @property
    def declared(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return the forms of columns that have a type of Arrow."""
        return self.plain.declared

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        for chunk in self.plain.chunks():
            yield chunk[self.names]


@dataclass(frozen=True, eq=False)
class Part(Chosen):
    """Some rows of a table, at ascending ``index``."""

    index: np.ndarray

    def __len__(self) -> int:
        return len(self.index)

    def locate(self, row: int) -> str:
        """Return where a row is in the user's table, in words."""
        return self.plain.locate(int(self.index[row]))

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        start = 0
        for chunk in self.plain.chunks():
            ends = np.searchsorted(self.index, [start, start + len(chunk)])
            start += len(chunk)
            if ends[0] < ends[1]:
                inside = self.index[ends[0] : ends[1]] - (start - len(chunk))
                yield chunk.iloc[inside].reset_index(drop=True)


def parts_by(frame: Frame, column: str) -> dict[str, Frame]:
    """Return the rows of a table by the value of a column, in the order of the values.

    Raises:
        InputError: there is no such column, or it has more than ``MOST_PARTS`` values.
    """
    if problems := check_columns([column], frame.names, "--by"):
        raise InputError(*problems)
    labels = np.concatenate([_labels(chunk[column]) for chunk in frame.chunks()])
    codes, names = pd.factorize(labels)
    if len(names) > MOST_PARTS:
        raise InputError(
            f"--by {column}: {len(names):,} values; give a column with at most {MOST_PARTS}"
        )
    return {
        str(names[k]): Part(frame, frame.names, np.flatnonzero(codes == k))
        for k in sorted(range(len(names)), key=lambda k: _place(str(names[k])))
    }


def _place(label: str) -> tuple[float, str]:
    """Return the place of a label in order: numbers by size, before all others."""
    try:
        number = float(label)
    except ValueError:
        number = math.inf
    return math.inf if math.isnan(number) else number, label


def _labels(values: pd.Series) -> np.ndarray:
    codes, unique = pd.factorize(values)
    return np.array([*map(label_of, unique), "missing"], dtype=object)[codes]


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


def refuse_to_drop(
    names: Sequence[str], known: Sequence[str], conditions: Sequence[str], learnt: Sequence[str]
) -> None:
    """Raise InputError if columns of a run cannot be left out of its measurements."""
    problems = check_columns(names, known, "--drop")
    problems += [
        f"--drop {n}: a condition of the run, which cannot be dropped; leave it out of --drop"
        for n in names
        if n in conditions
    ]
    if not problems and all(name in names for name in learnt):
        problems.append("--drop: leaves no column to measure; drop fewer")
    if problems:
        raise InputError(*problems)
