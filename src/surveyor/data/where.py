"""What a user selects of a column: a value, one of several, or a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.errors import InputError, did_you_mean

OR, TO = "|", ".."


@dataclass(frozen=True, eq=False)
class Selection:
    """What is selected of one column; ``text`` is how the user wrote it.

    Selected values have one of ``codes``; ``matches`` tests values themselves. ``low`` and ``high``
    are the ends of a range, both included; ``value`` is the value if a single one is selected.
    """

    column: Column
    codes: np.ndarray
    text: str = ""
    low: float = -np.inf
    high: float = np.inf
    value: Any = None

    @property
    def is_range(self) -> bool:
        """Return whether a range is selected."""
        return self.low > -np.inf or self.high < np.inf

    def matches(self, values: pd.Series) -> np.ndarray:
        """Return which values are selected, (n,)."""
        inside = np.isin(self.column.encode(values), self.codes)
        if self.is_range:
            numbers = self.column.numbers(values)
            inside &= (numbers >= self.low) & (numbers <= self.high)
        return np.asarray(inside)

    def snapped(self, numbers: np.ndarray) -> np.ndarray:
        """Return numbers (n,), each that lies in the cell of the one selected replaced by it."""
        if self.value is None:
            return numbers
        cell = np.isin(self.column.encode(pd.Series(numbers)), self.codes)
        value = self.column.numbers(self.column.repeated(self.value, 1))[0]
        return np.where(cell, value, numbers)

    def alone(self) -> Selection:
        """Return the selection of nothing but its single number, not of the cell around it."""
        value = float(self.column.numbers(self.column.repeated(self.value, 1))[0])
        return self if np.isnan(value) else replace(self, low=value, high=value)

    def exact(self, values: pd.Series) -> pd.Series:
        """Return values that match, each number replaced by the one selected."""
        if self.value is None or not self.column.ordered:
            return values
        return self.column.repeated(self.value, len(values))


def read_selection(column: Column, query: Any) -> Selection:
    """Read what a user selects of one column.

    That is a value; several, as a list or ``a|b``; or, of numbers and dates, a range ``low..high``
    of which one end can be left out. A label that contains these signs is taken as a label.

    Raises:
        InputError: unseen values, invalid ends, or a range in which no training row lies.
    """
    if isinstance(query, (list, tuple, set, frozenset)):
        return _one_of(column, list(query))
    text = str(query)
    if text not in column.labels and isinstance(query, str):
        if OR in text:
            return _one_of(column, text.split(OR))
        if TO in text and column.ordered:
            return _within(column, text)
    if column.ordered and (span := _span(column, query)) is not None:
        return _between(column, str(query), *span)
    return Selection(column, np.array([column.code_of(query)]), str(query), value=query)


def _one_of(column: Column, values: Sequence[Any]) -> Selection:
    if not values:
        raise InputError(f"--where {column.name}: an empty list; give at least one value")
    problems: list[str] = []
    codes: list[int] = []
    exact: list[Any] = []
    for value in values:
        try:
            codes.append(column.code_of(value))
        except InputError as error:
            problems.extend(error.problems)
            continue
        if column.ordered and codes[-1] < len(column.cells) and codes[-1] >= column.exact:
            exact.append(value)
    if exact and not problems:
        problems.append(
            f"--where {column.name}={exact[0]}: too rare in training to appear in a list; "
            f"give one value, or a range LOW{TO}HIGH"
        )
    if problems:
        raise InputError(*problems)
    return Selection(column, np.unique(codes), OR.join(map(str, values)))


def _span(column: Column, query: Any) -> tuple[float, float] | None:
    """Return the ends of a span of time, such as a month; None for anything else."""
    try:
        low, high = column.span(query)
    except (ValueError, TypeError, OverflowError):
        return None
    return (low, high) if high > low else None


def _within(column: Column, text: str) -> Selection:
    ends = [_end(column, part, text) for part in text.split(TO, 1)]
    return _between(column, text, ends[0][0], ends[1][1])


def _between(column: Column, text: str, low: float, high: float) -> Selection:
    where = f"--where {column.name}={text}"
    if low > high:
        raise InputError(f"{where}: the range is empty; write LOW{TO}HIGH")
    least, most = column.cells.min(axis=1), column.cells.max(axis=1)
    codes = np.flatnonzero((most >= low) & (least <= high))
    if len(codes) == 0:
        raise InputError(f"{where}: no training row lies in this range")
    return Selection(column, codes, text, low, high)


def _end(column: Column, part: str, text: str) -> tuple[float, float]:
    """Return the first and last number of one end of a range; infinite where it is left out."""
    part = part.strip()
    if not part:
        return -np.inf, np.inf
    try:
        return column.span(part)
    except (ValueError, TypeError, OverflowError):
        own = column.form.scale
        what = f"{own.plural}, as {own.example}" if own.example else own.plural
        raise InputError(
            f"--where {column.name}={text}: {part!r} is not a valid end of a range; "
            f"the column holds {what}"
        ) from None


def read_where(
    where: Mapping[str, Any], columns: Sequence[Column], absent: str, others: Sequence[str] = ()
) -> dict[str, Selection]:
    """Read the selections of all columns; every problem is raised at once.

    ``absent`` is the problem with a column that is not among ``columns``; ``others`` are names that
    could have been meant as well.
    """
    by_name = {c.name: c for c in columns}
    problems: list[str] = []
    found: dict[str, Selection] = {}
    for name, query in where.items():
        if name not in by_name:
            problems.append(f"--where {name}: {absent}{did_you_mean(name, [*by_name, *others])}")
            continue
        try:
            found[name] = read_selection(by_name[name], query)
        except InputError as error:
            problems.extend(error.problems)
    if problems:
        raise InputError(*problems)
    return found
