"""Numbers outside the range of the training rows: they have no code, but a position in points.

They are few, and stored as (row, ordered column, standard deviations) in an array (m, 3).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from torch import Tensor

from surveyor.data.columns import Column


def find_out_of_range(
    columns: Sequence[Column], k: int, codes: np.ndarray, numbers: np.ndarray, start: int
) -> np.ndarray:
    """Return column ``k``'s out-of-range numbers, (m, 3), with rows numbered from ``start``."""
    at = np.flatnonzero((codes == columns[k].size) & ~np.isnan(numbers))
    place = sum(c.ordered for c in columns[:k])
    return np.column_stack(
        [at + start, np.full(len(at), place), columns[k].standardise(numbers[at])]
    )


def sorted_by_row(found: Sequence[np.ndarray]) -> np.ndarray:
    """Return the results of several ``find_out_of_range``, sorted by row."""
    every = np.concatenate([np.empty((0, 3)), *found])
    return every[np.argsort(every[:, 0], kind="stable")]


def write_deviations(positions: Tensor, beyond: np.ndarray, index: np.ndarray) -> None:
    """Write the numbers of ``beyond`` into ``positions`` (n, ordered columns) of rows ``index``."""
    row, column, far = beyond.T
    first, last = np.searchsorted(row, index), np.searchsorted(row, index, side="right")
    for k in np.flatnonzero(last > first):
        for j in range(first[k], last[k]):
            positions[k, int(column[j])] = float(far[j])


def clipped_to_range(
    columns: Sequence[Column], rows: Mapping[str, np.ndarray]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return rows with these numbers moved to the nearest end of the range, and how far, (n,).

    The distance is in standard deviations, summed over the columns of a row.
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
