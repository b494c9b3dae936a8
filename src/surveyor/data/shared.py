"""Columns fitted at several places, whose rows stay there, and merged to one.

What leaves a place is a ``Column`` that names no value of fewer than ``LEAST`` rows: the categories
and numbers that at least so many rows share, each with its count, and of all other numbers the
counts of cells of at least so many rows. Cells end between values, and the outermost at round
numbers. Merged cells follow from the counts alone, and a value is decoded uniformly within its
cell, as in a column fitted with differential privacy. That is a rule of disclosure, not a proof
of privacy.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.columns import QUANTILES, Column
from surveyor.data.fitting import CELLS, OFTEN, OFTEN_SHARE
from surveyor.data.grains import between, multiples, nearest
from surveyor.data.restore import native_of
from surveyor.data.types import label_of
from surveyor.data.values import Form, numeric
from surveyor.errors import InputError

LEAST = 5  # rows of every value that is named, and of every cell
ROUND = 0.98  # share of the values that must lie on a grid for samples to lie on it
STEEP = 4.0  # the change of density at which a merged cell ends
NARROW = 1e-6  # of the range: the width of the cell of a number that is not often enough
Cells = list[tuple[float, float, float]]
"""Lower and upper ends of cells [low, high), and their rows."""


def fit_shared(name: str, values: pd.Series, form: Form | None = None) -> Column:
    """Fit one column to the rows of one place, of which few may leave it.

    Raises:
        InputError: infinite numbers.
    """
    assert form is not None
    absent = int(values.isna().sum())
    missing = absent >= LEAST
    present = values.dropna()
    if not form.ordered:
        counts = Counter[str]()
        for value, count in present.value_counts().items():
            counts[form.type.label(value)] += count
        kept = sorted(label for label, count in counts.items() if count >= LEAST)
        return _labelled(name, form, kept, [counts[label] for label in kept], absent, len(values))
    numbers = np.sort(numeric(present, form, name))
    if not np.isfinite(numbers).all():
        raise InputError(f"column {name!r}: has infinite values; replace them or remove those rows")
    distinct, sizes = np.unique(numbers, return_counts=True)
    often = sizes >= max(LEAST, OFTEN_SHARE * len(numbers))
    if often.sum() > CELLS:
        often &= sizes > np.sort(sizes)[-CELLS - 1]
    rest = ~often
    cells = _cells_of(distinct[rest], sizes[rest], grain_of(numbers, form))
    exact = [(v, v, float(n)) for v, n in zip(distinct[often], sizes[often], strict=True)]
    grain = grain_of(numbers, form)
    rows = absent if missing else 0
    return _numbered(name, form, exact, cells, grain, rows, len(values))


def merge_columns(columns: Sequence[Column], rows: Sequence[float], few: int = 0) -> Column:
    """Return one column for the rows of all places, whose frequencies add up to 1.

    ``rows`` (k,) are the numbers of rows that each of the ``columns`` was fitted to. Whole numbers
    become categories if there are at most ``few`` different ones.
    """
    made = _merged(columns, rows, few)
    known = made.frequency.sum()
    frequency = made.frequency / known if known > 0 else np.ones(made.size) / made.size
    return replace(made, frequency=frequency)


def _merged(columns: Sequence[Column], rows: Sequence[float], few: int) -> Column:
    form, name, total = columns[0].form, columns[0].name, float(sum(rows))
    sized = list(zip(columns, rows, strict=True))
    absent = sum(n * float(c.frequency[-1]) for c, n in sized if c.missing)
    if not form.ordered:
        labels = Counter[str]()
        for column, n in sized:
            for label, share in zip(column.labels, column.frequency, strict=False):
                labels[label] += round(n * float(share))
        kept = sorted(labels)
        return _labelled(name, form, kept, [labels[k] for k in kept], absent, total)
    values, cells = defaultdict[float, float](float), list[tuple[float, float, float]]()
    for column, n in sized:
        counted = zip(column.cells[:, 0], column.cells[:, -1], n * column.frequency, strict=False)
        for k, (low, high, count) in enumerate(counted):
            if k < column.exact:
                values[float(low)] += float(count)
            else:
                cells.append((float(low), float(high), float(count)))
    if not cells and few >= len(values) > 0 and form.scale.discrete:
        counts = {label_of(v): round(n) for v, n in values.items()}
        kept = sorted(counts)
        own = replace(form, kind="category")
        return _labelled(name, own, kept, [counts[k] for k in kept], absent, total)
    grain = min((c.grain for c, _ in sized if c.grain is not None and len(c.cells)), default=0.0)
    least = max(OFTEN, OFTEN_SHARE * total) if len(values) > CELLS or cells else 0.0
    exact = [(v, v, n) for v, n in sorted(values.items()) if n >= least]
    cells += _narrow([(v, n) for v, n in values.items() if n < least], grain, cells)
    return _numbered(name, form, exact, _merge_cells(cells, grain), grain, absent, total)


def translation(column: Column, merged: Column) -> np.ndarray:
    """Return the code in ``merged`` of every code of a place's ``column``, (size,)."""
    if not column.ordered:
        values = pd.Series([*column.natives, *[None] * column.missing], dtype=object)
        return merged.encode(values)
    middle = column.cells.mean(1)
    if merged.ordered:
        return merged.encode(pd.Series(np.append(middle, [np.nan] * column.missing)))
    labels = [*map(label_of, middle), *[None] * column.missing]
    codes = {label: code for code, label in enumerate(merged.labels)}
    return np.array([codes.get(k, merged.size - 1) if k else merged.size - 1 for k in labels])


def _labelled(
    name: str, form: Form, labels: Sequence[str], counts: Sequence[int], absent: float, total: float
) -> Column:
    missing = absent >= LEAST or not labels
    frequency = np.array([*counts, *[absent] * missing], dtype=np.float64) / max(total, 1)
    natives: tuple[Any, ...] = tuple(native_of(label, form) for label in labels)
    known = set(labels)
    declared = tuple(c for c in form.categories if label_of(c) in known)
    form = replace(form, absent=(), categories=declared)
    return Column(name, form, missing, frequency, tuple(labels), natives)


def _numbered(
    name: str,
    form: Form,
    exact: Sequence[tuple[float, float, float]],
    cells: Cells,
    grain: float,
    absent: float,
    total: float,
) -> Column:
    every = np.array([*exact, *cells]).reshape(-1, 3)
    missing = absent >= LEAST or not len(every)
    frequency = np.append(every[:, 2], [absent] * missing) / max(total, 1)
    ends = np.linspace(every[:, 0], every[:, 1], QUANTILES, axis=1)
    form = replace(form, absent=())
    return Column(
        name, form, missing, frequency, cells=ends, exact=len(exact), grain=grain
    )  # fmt: skip


def grain_of(values: np.ndarray, form: Form) -> float:
    """Return the coarsest grain of which nearly all ``values`` are multiples; 0 if there is none.

    A type with a single grain has that one.
    """
    grains = form.scale.grains
    if len(grains) == 1:
        return grains[0]
    for grain in grains:
        on = multiples(nearest(values, grain), grain) == values
        if len(values) and on.mean() >= ROUND:
            return grain
    return 0.0


def _cells_of(values: np.ndarray, sizes: np.ndarray, grain: float) -> Cells:
    """Return cells of at least ``LEAST`` rows of ascending distinct ``values``, each of ``sizes``.

    Fewer rows in all have no cell, and are not counted anywhere.
    """
    rows = int(sizes.sum())
    if rows < LEAST:
        return []
    least = max(LEAST, math.ceil(rows / CELLS))
    low, top = outward(float(values[0]), float(values[-1]), grain)
    made: Cells = []
    pending = 0
    for k, size in enumerate(sizes):
        pending, left = pending + int(size), rows - int(sizes[: k + 1].sum())
        edge = top if k + 1 == len(values) else between(float(values[k]), float(values[k + 1]))
        full = pending >= least and left >= LEAST
        if edge is not None and (full or left == 0):
            made.append((low, edge, float(pending)))
            low, pending = edge, 0
    return made


def outward(low: float, high: float, grain: float) -> tuple[float, float]:
    """Return round numbers around two: multiples of a twentieth to a half of their distance.

    The step between round numbers is at least the grain.
    """
    size = max(high - low, abs(high) * 1e-9, 1e-300)
    step = max(10.0 ** math.floor(math.log10(size)) / 2, grain)
    return math.floor(low / step) * step, (math.floor(high / step) + 1) * step


def _narrow(values: Iterable[tuple[float, float]], grain: float, cells: Cells) -> Cells:
    """Return cells around single numbers: as wide as a grain, or hardly wide at all."""
    own = list(values)
    ends = [v for v, _ in own] + [end for low, high, _ in cells for end in (low, high)]
    width = grain if grain > 0 else NARROW * (max(ends, default=0.0) - min(ends, default=0.0) or 1)
    return [(v - width / 2, v + width / 2, n) for v, n in own]


def _merge_cells(cells: Cells, grain: float) -> Cells:
    """Return disjoint cells with about equal parts of the rows in ``cells``, which may overlap.

    Rows are taken as uniform within a cell. A cell ends where their density changes ``STEEP``-fold,
    so that few rows close together are not spread out, and where none was counted.
    """
    if not cells:
        return []
    low, high, rows = np.array(cells).T
    if grain > 0:  # halfway between two multiples, so that each lies in one cell
        low, high = ((np.ceil(ends / grain - 1e-9) - 0.5) * grain for ends in (low, high))
        high = np.maximum(high, low + grain)
    ends = np.unique(np.concatenate([low, high]))
    density, mass = rows / (high - low), np.zeros(len(ends) - 1)
    starts, stops = np.searchsorted(ends, low), np.searchsorted(ends, high)
    for a, b, own in zip(starts, stops, density, strict=True):
        mass[a:b] += own * np.diff(ends[a : b + 1])
    least = mass.sum() / min(CELLS, max(1.0, mass.sum() // (2 * LEAST)))
    made: Cells = []
    first, held = 0, 0.0
    dense = mass / np.diff(ends)
    for k, own in enumerate(mass):
        if held > 0 and not 1 / STEEP < dense[k] * (ends[k] - ends[first]) / held < STEEP:
            made.append((float(ends[first]), float(ends[k]), held))
            held = 0.0
        if held == 0:
            first = k
        held += own
        if held >= least * (1 - 1e-9):
            made.append((float(ends[first]), float(ends[k + 1]), held))
            held = 0.0
    return [*made, *([(float(ends[first]), float(ends[-1]), held)] if held > 0 else [])]
