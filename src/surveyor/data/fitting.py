"""Fitting columns to training rows, without differential privacy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.columns import QUANTILES, Column
from surveyor.data.values import Form, form_of, numeric
from surveyor.errors import InputError

OFTEN = 50  # a number with this many rows, and this share, has a cell of its own
OFTEN_SHARE = 0.0015
CELLS = 100  # of a column
WIDE = 64  # columns beyond which, by default, one net makes them all instead of one each
WIDE_CELLS, FEWEST_CELLS, MOST_CODES = 50, 8, 32_000  # of wide tables: a column, and all together
FEW_LABELS = 32
MOST_GROUPS = 100


def cells_for(columns: int) -> int:
    """Return the number of cells of a column in a table of so many."""
    if columns <= WIDE:
        return CELLS
    return min(WIDE_CELLS, max(FEWEST_CELLS, MOST_CODES // columns))


def fit_label(name: str, values: pd.Series, form: Form | None = None) -> Column:
    """Fit a condition column: integers of few different values are labels, not numbers."""
    form = form or form_of(name, values)
    if form.ordered and form.scale.discrete and values.nunique() <= FEW_LABELS:
        form = replace(form, kind="category")
    return fit_column(name, values, form)


def fit_group(name: str, values: pd.Series, form: Form) -> Column:
    """Fit a group column: every distinct value is a label.

    Raises:
        InputError: more than ``MOST_GROUPS`` different values.
    """
    if values.nunique() > MOST_GROUPS:
        raise InputError(
            f"--group {name}: {values.nunique():,} different values; give a column with at most "
            f"{MOST_GROUPS}"
        )
    return _fit_category(name, values, replace(form, kind="category") if form.ordered else form)


def fit_column(
    name: str, values: pd.Series, form: Form | None = None, cells: int = CELLS
) -> Column:
    """Fit one column to training values, read as ``form`` says, numbers with about ``cells`` cells.

    Raises:
        InputError: infinite numbers.
    """
    form = form or form_of(name, values)
    if not form.ordered:
        return _fit_category(name, values, form)
    every = numeric(values, form, name)
    absent = np.isnan(every)
    numbers = np.sort(every[~absent])
    if not np.isfinite(numbers).all():
        raise InputError(f"column {name!r}: has infinite values; replace them or remove those rows")
    missing = bool(absent.any())
    unique, counts = np.unique(numbers, return_counts=True)
    often = counts >= max(OFTEN, OFTEN_SHARE * len(numbers))
    if len(unique) <= cells:
        often[:] = True
    exact = unique[often]
    rest = numbers[~np.isin(numbers, exact)]
    found = [np.full(QUANTILES, value) for value in exact]
    shares = list(counts[often].astype(float))
    if len(rest):
        share_a_cell = len(rest) / min(cells, max(1, len(rest) // 10))
        edges = np.unique(rest[np.arange(0, len(rest), max(1, round(share_a_cell)))])
        bounds = np.append(np.searchsorted(rest, edges), len(rest))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            inside = rest[start:stop]
            at = np.linspace(0, len(inside) - 1, QUANTILES).round().astype(int)
            found.append(inside[at])
            shares.append(float(len(inside)))
    frequency = np.array([*shares, *([float(absent.sum())] if missing else [])]) / len(values)
    held = np.array(found).reshape(len(found), QUANTILES)
    return Column(name, form, missing, frequency, cells=held, exact=len(exact))


def _fit_category(name: str, values: pd.Series, form: Form) -> Column:
    counts = values.dropna().value_counts()
    found: dict[str, tuple[Any, int]] = {}
    for value, count in zip(counts.index, counts.to_numpy(), strict=True):
        native = value.item() if isinstance(value, np.generic) else value
        label = form.type.label(native)
        if (
            label in found
            and type(found[label][0]) is not type(native)
            and isinstance(native, str) != isinstance(found[label][0], str)
        ):
            raise InputError(
                f"column {name!r}: has {label} both as text and as a number; convert one of them"
            )
        kept, before = found.get(label, (native, 0))
        found[label] = (kept, before + int(count))
    labels = tuple(sorted(found))
    gone = int(values.isna().sum())
    shares = [float(found[label][1]) for label in labels] + [float(gone)] * bool(gone)
    natives = tuple(_native(found[label][0]) for label in labels)
    return Column(name, form, bool(gone), np.array(shares) / len(values), labels, natives)


def _native(value: Any) -> Any:
    """Return a value that JSON can represent."""
    return value if isinstance(value, (str, bool, int, float)) else str(value)
