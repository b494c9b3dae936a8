"""Chemical formulas in a table, expanded to columns of elements and amounts and back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from surveyor.data.chemistry import NONE, formula_of, parse_formula, ratios, unreadable
from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.surrogates import Surrogate


def part_names(name: str, places: int) -> list[str]:
    """Return the names of the columns that a formula expands to."""
    return [f"{name}: {what} {k + 1}" for k in range(places) for what in ("element", "amount")]


@dataclass(frozen=True, eq=False)
class Expanded(Frame):
    """A table whose ``formulas`` (name: places) are expanded to elements and amounts."""

    plain: Frame
    formulas: Mapping[str, int] = field()  # no default, although Frame has one

    @cached_property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return [
            part
            for name in self.plain.names
            for part in (part_names(name, self.formulas[name]) if name in self.formulas else [name])
        ]

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the table in messages."""
        return self.plain.where

    @cached_property
    def forms(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return the form of each column."""
        own = {n: f for n, f in self.plain.forms.items() if n not in self.formulas}
        kinds = (Form("category", "object"), Form("number", "float64"))
        for name, places in self.formulas.items():
            own |= dict(zip(part_names(name, places), kinds * places, strict=True))
        return own

    @property
    def surrogates(self) -> Sequence[Surrogate]:  # type: ignore[override]
        """Return the columns of keys."""
        return self.plain.surrogates

    def __len__(self) -> int:
        return len(self.plain)

    def locate(self, row: int) -> str:
        """Return where a row is in the user's table, in words."""
        return self.plain.locate(row)

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return the name, type, example and remark of every column, with formulas as one."""
        return self.plain.describe()

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        start = 0
        for chunk in self.plain.chunks():
            made = chunk
            for name, places in self.formulas.items():
                if name in chunk:
                    made = _expanded(made, name, places, start, self)
            yield made
            start += len(chunk)


def _expanded(
    frame: pd.DataFrame, name: str, places: int, start: int, whole: Frame
) -> pd.DataFrame:
    n = len(frame)
    elements = np.full((n, places), NONE, dtype=object)
    amounts = np.full((n, places), np.nan)
    for row, text in enumerate(frame[name]):
        if pd.isna(text):
            elements[row, 0] = None
            continue
        if wrong := unreadable([str(text)]):
            raise InputError(
                f"column {name!r}, {whole.locate(start + row)}: {wrong[0][:40]!r} is not a "
                f"valid formula ({wrong[1]}); correct it, or leave it empty"
            )
        # Data other than those the codec was fitted to may have more elements, which are dropped.
        for k, (element, amount) in enumerate(parse_formula(str(text).strip()).items()):
            if k < places:
                elements[row, k], amounts[row, k] = element, round(amount, 6)
    columns: dict[str, object] = {}
    for column in map(str, frame.columns):
        if column != name:
            columns[column] = frame[column]
            continue
        for k in range(places):
            columns[f"{name}: element {k + 1}"] = elements[:, k]
            columns[f"{name}: amount {k + 1}"] = amounts[:, k]
    return pd.DataFrame(columns, index=frame.index)


def restore_formulas(frame: pd.DataFrame, formulas: Mapping[str, int]) -> pd.DataFrame:
    """Return rows with elements and amounts joined to formulas as text."""
    for name, places in formulas.items():
        own = part_names(name, places)
        if not set(own) <= set(frame.columns):
            continue
        elements, amounts = frame[own[::2]].to_numpy(object), frame[own[1::2]].to_numpy(float)
        texts = [
            formula_of(list(e), list(a)) or None for e, a in zip(elements, amounts, strict=True)
        ]
        at = list(frame.columns).index(own[0])
        frame = frame.drop(columns=own)
        frame.insert(at, name, pd.Series(texts, index=frame.index, dtype=object))
    return frame


def forms_in_files(forms: Mapping[str, Form], formulas: Mapping[str, int]) -> dict[str, Form]:
    """Return how the columns of a file are read, of which formulas are text."""
    parts = {part for name, places in formulas.items() for part in part_names(name, places)}
    plain = {name: form for name, form in forms.items() if name not in parts}
    return plain | {name: Form("category", "object") for name in formulas}


def formula_ratios(
    frame: pd.DataFrame, name: str, formulas: Mapping[str, int]
) -> list[frozenset[tuple[str, float]] | None]:
    """Return the ``ratios`` of expanded formulas; None if empty."""
    own = restore_formulas(frame, {name: formulas[name]})[name]
    return [ratios(t) if isinstance(t, str) and t else None for t in own]
