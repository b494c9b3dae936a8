"""Numbers beyond the range of the training rows: without a code, and measured where they are.

They are few, and kept as (row, ordered column, deviations) in an array (m, 3), by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from surveyor.data.columns import Column


def far_ones(
    columns: Sequence[Column], k: int, codes: np.ndarray, numbers: np.ndarray, start: int
) -> np.ndarray:
    """Return those of column ``k`` among rows from ``start`` on, (m, 3)."""
    at = np.flatnonzero((codes == columns[k].size) & ~np.isnan(numbers))
    place = sum(c.ordered for c in columns[:k])
    return np.column_stack(
        [at + start, np.full(len(at), place), columns[k].standardise(numbers[at])]
    )


def in_order(found: Sequence[np.ndarray]) -> np.ndarray:
    """Return all of several ``far_ones``, by row."""
    every = np.concatenate([np.empty((0, 3)), *found])
    return every[np.argsort(every[:, 0], kind="stable")]


def put_in_place(places: Tensor, beyond: np.ndarray, index: np.ndarray) -> None:
    """Write their deviations into the ``places`` (n, ordered columns) of rows ``index``."""
    row, column, far = beyond.T
    first, last = np.searchsorted(row, index), np.searchsorted(row, index, side="right")
    for k in np.flatnonzero(last > first):
        for j in range(first[k], last[k]):
            places[k, int(column[j])] = float(far[j])


def brought_inside(
    columns: Sequence[Column], rows: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return rows with such numbers at the nearer end of the range, and how far each row was out.

    The distance (n,) is the sum over a row's columns.
    """
    ordered = [k for k, c in enumerate(columns) if c.ordered]
    away, codes = np.zeros(len(rows["codes"])), rows["codes"]
    if len(rows["beyond"]):
        codes = codes.copy()
    for row, place, far in rows["beyond"]:
        k = ordered[int(place)]
        cells = columns[k].cells
        if len(cells):
            low, high = columns[k].standardise(np.array(columns[k].range))
            codes[int(row), k] = cells.min(1).argmin() if far < low else cells.max(1).argmax()
            away[int(row)] += low - far if far < low else far - high
    return {**rows, "codes": codes, "beyond": np.empty((0, 3))}, away
