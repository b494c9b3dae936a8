"""What a distance consists of: the columns that moved, and the rows with the longest way."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.data.types import Scale, column_type
from surveyor.measures.columns import column_distance, frequencies
from surveyor.transport import ground_costs, transport
from surveyor.transport.checks import Array


@dataclass(frozen=True)
class ColumnMoved:
    """How far one column moved.

    ``distance`` is the column's own W1 in its unit (seconds for dates), or the share of rows whose
    category must change; ``floor`` is the same between two halves of the first set; ``share`` is
    the distance in standard deviations, or that share; ``change`` describes it in words.
    ``p_value`` tests on all rows that the column has not moved, adjusted for the number of columns.
    """

    name: str
    kind: str
    distance: float
    floor: float
    share: float
    change: str
    p_value: float | None = None

    @property
    def described(self) -> tuple[str, str]:
        """Return distance and floor as text with their unit."""
        return amount(self.kind, self.distance), amount(self.kind, self.floor)


@dataclass(frozen=True)
class RowMoved:
    """A row of the first set and how far the optimal coupling moves it, in the distance's unit.

    ``values`` are the row's entries as text, by column.
    """

    row: int
    distance: float
    values: Mapping[str, str] = field(default_factory=dict)


def amount(kind: str, value: float) -> str:
    """Return a distance of a column of a kind as text, with its unit."""
    if not math.isfinite(value):
        return "all"
    own = column_type(kind)
    if not isinstance(own, Scale):
        return f"{value:.1%} of rows"
    size, unit = own.unit
    return f"{value / size:.3g} {unit}" if unit else f"{value:.4g}"


def columns_moved(
    columns: Sequence[Column], a: pd.DataFrame, b: pd.DataFrame, seed: int = 0
) -> tuple[ColumnMoved, ...]:
    """Return every column's own distance, largest first."""
    order = np.random.default_rng(seed).permutation(len(a))
    halves = a.iloc[order[: len(a) // 2]], a.iloc[order[len(a) // 2 :]]
    found = []
    for c in columns:
        distance = column_distance(c, a[c.name], b[c.name])
        floor = column_distance(c, halves[0][c.name], halves[1][c.name])
        if distance is None:
            found.append(ColumnMoved(c.name, c.kind, np.inf, 0.0, np.inf, "one side has no values"))
            continue
        share, change = _numbers(c, a, b, distance) if c.ordered else _categories(c, a, b)
        found.append(ColumnMoved(c.name, c.kind, distance, floor or 0.0, share, change))
    return tuple(sorted(found, key=lambda m: -m.share))


def rows_moved(a: Array, b: Array, index: Array, most: int = 10) -> tuple[RowMoved, ...]:
    """Return the rows of ``a`` (n, d) that the optimal coupling with ``b`` (m, d) moves furthest.

    ``index`` (n,) are the rows' numbers.
    """
    costs = ground_costs(a, b)
    plan = transport(costs).plan
    distance = (plan * costs).sum(1) / plan.sum(1)
    furthest = np.argsort(-distance, kind="stable")[:most]
    return tuple(RowMoved(int(index[k]), float(distance[k])) for k in furthest)


def _numbers(c: Column, a: pd.DataFrame, b: pd.DataFrame, distance: float) -> tuple[float, str]:
    x, y = (c.numbers(f[c.name]) for f in (a, b))
    spread = float(np.nanstd(np.concatenate([x, y])))
    gone = [float(np.isnan(v).mean()) for v in (x, y)]
    words = []
    if spread > 0:
        step = float(np.nanmean(y) - np.nanmean(x))
        size, unit = c.form.scale.unit
        words.append(f"mean {step / size:+.3g} {unit}".rstrip())
        wider = float(np.nanstd(y) / max(np.nanstd(x), 1e-300))
        if abs(np.log(max(wider, 1e-9))) > 0.1:
            words.append(f"spread x {wider:.2g}")
    if abs(gone[1] - gone[0]) > 0.005:
        words.append(f"missing {gone[0]:.1%} to {gone[1]:.1%}")
    return (distance / spread if spread > 0 else 0.0), ", ".join(words)


def _categories(c: Column, a: pd.DataFrame, b: pd.DataFrame) -> tuple[float, str]:
    p, q = (frequencies(c.encode(f[c.name]), c) for f in (a, b))
    names = [*c.labels, *["missing"] * c.missing, "unseen"]
    change = q - p
    top = [k for k in np.argsort(-np.abs(change), kind="stable")[:3] if abs(change[k]) > 0.001]
    only = [
        f"{int(((here > 0) & (there == 0)).sum())} values only in the {side} set"
        for here, there, side in ((p, q, "first"), (q, p, "second"))
        if ((here > 0) & (there == 0)).any()
    ]
    words = [f"{names[k]} {100 * change[k]:+.1f} points" for k in top]
    return float(np.abs(change).sum() / 2), ", ".join([*words, *only])
