"""Two tables as samples for two-sample tests: every row, a few bytes a cell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from surveyor.data.columns import Column
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.frames import Frame
from surveyor.two_sample import Samples

EXACT = 10_000_000  # cells that are stored in double precision
Values = tuple[np.ndarray, np.ndarray]


def samples(codec: TableCodec, raw: tuple[Frame, Frame], points: Values) -> Samples:
    """Return all rows of both tables by column, read a chunk at a time.

    A missing number is less than every other.
    """
    columns = codec.columns
    sides = [_stored(columns, side) for side in raw]

    def column(k: int) -> Values:
        a, b = (side[k] for side in sides)
        if not columns[k].ordered:
            return a, b
        least = min(float(np.fmin.reduce(side, initial=0.0)) for side in (a, b))
        below = least - max(1.0, abs(least))
        return np.where(np.isnan(a), below, a), np.where(np.isnan(b), below, b)

    return _samples(columns, column, (len(raw[0]), len(raw[1])), points)


def of_features(columns: Sequence[Column], a: np.ndarray, b: np.ndarray, points: Values) -> Samples:
    """Return two tables of finite numbers and codes, (n, columns) and (m, columns)."""
    return _samples(columns, lambda k: (a[:, k], b[:, k]), (len(a), len(b)), points)


def _samples(
    columns: Sequence[Column],
    column: Callable[[int], Values],
    rows: tuple[int, int],
    points: Values,
) -> Samples:
    return Samples(
        [c.name for c in columns],
        [not c.ordered for c in columns],
        column,
        rows,
        points,
        lambda k, code: _label(columns[k], code),
    )


def _stored(columns: Sequence[Column], table: Frame) -> list[np.ndarray]:
    """Return every column's rows: codes, or numbers in the column's standard deviations."""
    exact = len(table) * len(columns) <= EXACT
    number = np.float64 if exact else np.float32
    made = [np.empty(len(table), number if c.ordered else np.int16) for c in columns]
    start = 0
    for chunk in table.chunks():
        part = slice(start, start + len(chunk))
        for values, column in zip(made, columns, strict=True):
            cells = chunk[column.name]
            values[part] = (
                column.standardise(column.numbers(cells))
                if column.ordered
                else column.encode(cells)
            )
        start += len(chunk)
    return made


def _label(column: Column, code: int) -> str:
    names: Mapping[int, Any] = dict(enumerate([*column.labels, *["missing"] * column.missing]))
    return f"{column.name} = {names.get(code, 'unseen')}"
