"""Columns fitted with differential privacy, from noisy counts alone.

Values whose noisy counts are high are published: categories, the missing value, and numbers, which
then have cells of their own. Other numbers fall into cells found by counts over a grid that does
not depend on the data: intervals between powers of two that hold rows are cut into at most 64
parts, and parts with many rows again, three times in all. A value is decoded uniformly within its
cell, with as many decimals as nearly all values have.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from surveyor.data.columns import QUANTILES, Column
from surveyor.data.fitting import CELLS
from surveyor.data.grains import multiples, nearest
from surveyor.data.restore import native_of
from surveyor.data.types import label_of
from surveyor.data.values import Form, numeric
from surveyor.errors import InputError
from surveyor.privacy import Counts

CUTS, PIECES = 3, 64
RANGE, COARSE = 0.5, 0.125  # weights of the counts between powers of two, and of those below
POWERS = 2.0 ** np.arange(-40, 63)
EDGES = np.concatenate([-POWERS[::-1], [0.0], POWERS])
SOLID, EMPTY = 5.0, 1.5  # rows a cell needs, and rows taken off an interval, in noise deviations
ROUND = 0.98  # share of the values that must lie on a grid for samples to lie on it
SPREAD = RANGE + CUTS * COARSE  # weight of the counts of ``spread``


def weight(form: Form) -> float:
    """Return the total weight of the counts that fitting a column takes."""
    return 1.0 + SPREAD + COARSE if form.ordered else 1.0


def fit_private(name: str, values: pd.Series, form: Form, counts: Counts, few: int = 0) -> Column:
    """Fit one column to training rows, through ``counts`` alone.

    The form (kind, dtype and spelling) is taken as public; words for missing values are dropped,
    and so are categories that are not published. Whole numbers become categories if at most ``few``
    of them are published and hardly any row has another.

    A column without a value frequent enough to be published is left empty: a category without
    labels, which the preflight reports.

    Raises:
        InputError: infinite numbers.
    """
    absent = values.isna().to_numpy()
    present, kind, ordered = values[~absent], form.kind, form.ordered
    numbers = np.empty(0)
    if ordered:
        numbers = numeric(present, form, name)
        if not np.isfinite(numbers).all():
            raise InputError(
                f"column {name!r}: has infinite values; replace them or remove those rows"
            )
        read, sizes = np.unique(numbers, return_counts=True)
    else:
        read, sizes = np.unique(present.map(form.type.label).to_numpy(), return_counts=True)
    # A missing value is one more value, where there is one.
    kept, rows = counts.shown(np.append(sizes, absent.sum()) if absent.any() else sizes)
    missing = bool(len(kept)) and bool(kept[-1] == len(read))
    shown = read[kept[: len(kept) - missing]]
    some = 0 < len(shown) <= few and rows.sum() > ROUND * len(values)
    if some and ordered and form.scale.discrete:
        kind, ordered = "category", False
        labels = np.array([label_of(v) for v in shown])
        order = np.argsort(labels)
        shown, rows = labels[order], np.append(rows[: len(shown)][order], rows[len(shown) :])
    cells, grain = np.empty((0, QUANTILES)), None
    if ordered:
        rest, grains = numbers[~np.isin(numbers, shown)], form.scale.grains
        grain = grains[0] if len(grains) == 1 else _grain(rest, grains, counts)
        low, high, inside = _cells(rest, grain, counts).T
        alone = np.repeat(shown[:, None], QUANTILES, axis=1)
        cells = np.concatenate([alone, np.linspace(low, high, QUANTILES, axis=1)])
        rows = np.concatenate([rows[: len(shown)], inside, rows[len(shown) :]])
    if len(rows) == missing:
        kind, rows, missing = "category", np.ones(1), True
    frequency, exact = np.maximum(rows, 1.0), len(shown) if ordered else 0
    names = () if ordered else tuple(map(str, shown))
    frequency /= frequency.sum()
    known = set(names)
    declared = tuple(c for c in form.categories if label_of(c) in known)
    form = replace(form, kind=kind, absent=(), categories=declared)
    natives = tuple(native_of(label, form) for label in names)
    return Column(name, form, missing, frequency, names, natives, cells, exact, grain)


def spread(values: np.ndarray, counts: Counts) -> np.ndarray:
    """Return mean, variance, minimum and maximum of numbers, computed from their cells.

    Raises:
        InputError: too few rows for any cell.
    """
    low, high, rows = _cells(values, 0.0, counts).T
    if not len(rows):
        raise InputError("too few rows for this --privacy; give a larger epsilon, or more rows")
    share, middle = rows / rows.sum(), (low + high) / 2
    mean = (share * middle).sum()
    variance = (share * ((middle - mean) ** 2 + (high - low) ** 2 / 12)).sum()
    return np.array([mean, variance, low[0], high[-1]])


def _grain(values: np.ndarray, grains: Sequence[float], counts: Counts) -> float:
    """Return the coarsest of ``grains`` of which nearly all values are multiples; 0 if none."""
    place = np.full(len(values), len(grains))
    for k in reversed(range(len(grains))):
        place[multiples(nearest(values, grains[k]), grains[k]) == values] = k
    found = counts.noisy(np.bincount(place, minlength=len(grains) + 1), COARSE)
    finer = found[::-1].cumsum()[::-1][1:]  # rows that are no multiples of each grain
    noise = counts.noise / np.sqrt(COARSE) * np.sqrt(np.arange(len(grains), 0, -1))
    enough = np.flatnonzero(finer <= (1 - ROUND) * found.sum() + 2 * noise)
    return grains[int(enough[0])] if len(enough) else 0.0


def _cells(values: np.ndarray, grain: float, counts: Counts) -> np.ndarray:
    """Return disjoint cells in ascending order: ends and rows, with noise, (k, 3)."""
    low, high = EDGES[:-1], EDGES[1:]
    rows = counts.noisy(_inside(values, low, high), RANGE)
    noise = counts.noise / np.sqrt(RANGE)
    low, high, rows = _merged((low, high, rows, EMPTY * noise), SOLID * noise).T
    noise = counts.noise / np.sqrt(COARSE)
    least, slack = max(rows.sum() / CELLS, 3 * noise), np.zeros(len(rows))
    for _ in range(CUTS):
        most = np.rint((high - low) / grain) if grain > 0 else PIECES
        pieces = np.minimum(most, rows / (4 * noise)).clip(1, PIECES).astype(int)
        pieces[rows < 2 * least] = 1
        parts = [np.linspace(a, b, k + 1) for a, b, k in zip(low, high, pieces, strict=True)]
        low = np.concatenate([np.empty(0), *(p[:-1] for p in parts)])
        high = np.concatenate([np.empty(0), *(p[1:] for p in parts)])
        rows, slack, cut = (np.repeat(x, pieces) for x in (rows, slack, pieces > 1))
        rows[cut] = counts.noisy(_inside(values, low[cut], high[cut]), COARSE)
        slack[cut] = noise
    return _merged((low, high, rows, slack), least)


def _inside(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return how many values lie in each [low, high) of disjoint cells in ascending order."""
    place = np.searchsorted(low, values, side="right") - 1
    known = place >= 0
    place, values = place[known], values[known]
    return np.bincount(place[values < high[place]], minlength=len(low))


def _merged(cells: Sequence[np.ndarray | float], least: float) -> np.ndarray:
    """Merge neighbouring cells until each has ``least`` rows; drop intervals without rows.

    ``cells`` are lower ends, upper ends, rows, and a number subtracted from the rows of each, so
    that a run of empty cells, whose counts are pure noise, soon falls below 0 and starts again.
    What is left at the end of a run is added to the cell before it. Returns ends and rows, (k, 3).
    """
    made: list[list[float]] = []
    run: list[tuple[float, ...]] = []
    totals: list[float] = []
    for cell in (*zip(*np.broadcast_arrays(*cells), strict=True), (np.nan,) * 4):
        if run and (run[-1][1] != cell[0] or totals[-1] <= 0):
            # The rows most likely end where the total was highest.
            run = run[: int(np.argmax(totals)) + 1]
            held = sum(c[2] for c in run)
            if made and made[-1][1] == run[0][0] and held >= 3 * run[0][3]:
                made[-1][1:] = [run[-1][1], made[-1][2] + held]
            run, totals = [], []
        run.append(cell)
        totals.append((totals[-1] if totals else 0.0) + cell[2] - cell[3])
        if totals[-1] >= least:
            while len(run) > 1 and run[0][2] < 2 * run[0][3]:
                del run[0]
            made.append([run[0][0], run[-1][1], sum(c[2] for c in run)])
            run, totals = [], []
    return np.array(made).reshape(-1, 3)
