"""Column-wise comparison of two tables: distances in each column's unit, and pair trends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.transport import wasserstein_1_line


@dataclass(frozen=True)
class ColumnFidelity:
    """The distance of one column, and its floor between real and real.

    ``distance`` is W1 in the column's unit (seconds for dates), or the share of rows that must
    change category; None if one side has no values.
    """

    name: str
    kind: str
    distance: float | None
    floor: float | None


@dataclass(frozen=True)
class TableFidelity:
    """All columns, and the trends: 1 - mean difference of pairwise associations, with its floor.

    Two ordered columns are compared by Spearman's rank correlation (the difference is halved),
    other pairs by the total variation between joint distributions of codes in at most 10 groups.
    """

    columns: tuple[ColumnFidelity, ...]
    trends: float
    trends_floor: float
    pairs: dict[str, float]


def table_fidelity(
    columns: tuple[Column, ...], made: pd.DataFrame, held: pd.DataFrame, train: pd.DataFrame
) -> TableFidelity:
    """Compare generated with held-out rows; floors compare training with held-out rows."""
    n = min(len(made), len(held), len(train))
    made, held, train = made.iloc[:n], held.iloc[:n], train.iloc[:n]
    fidelities = tuple(
        ColumnFidelity(
            c.name,
            c.kind,
            column_distance(c, made[c.name], held[c.name]),
            column_distance(c, train[c.name], held[c.name]),
        )
        for c in columns
    )
    pairs, floors = _pairs(columns, made, held), _pairs(columns, train, held)
    trend = 1 - float(np.mean(list(pairs.values()))) if pairs else 1.0
    floor = 1 - float(np.mean(list(floors.values()))) if floors else 1.0
    return TableFidelity(fidelities, trend, floor, {k: 1 - v for k, v in pairs.items()})


def features(
    columns: tuple[Column, ...], made: pd.DataFrame, *real: pd.DataFrame
) -> tuple[np.ndarray, ...]:
    """Return each table as finite numbers (n, columns) for two-sample tests.

    Categories are their codes. Numbers are scaled to mean 0 and standard deviation 1 over the
    ``real`` rows; a missing one becomes the least number minus 1.
    """
    parts = [_scaled(c, [frame[c.name] for frame in (made, *real)]) for c in columns]
    return tuple(np.stack(side, axis=1) for side in zip(*parts, strict=True))


def _scaled(column: Column, sides: list[pd.Series]) -> list[np.ndarray]:
    if not column.ordered:
        return [1.0 * column.encode(side) for side in sides]
    values = [column.numbers(side) for side in sides]
    largest = np.fmax.reduce(np.abs(np.concatenate(values)), initial=0.0) or 1.0
    values = [v / largest for v in values]  # so that squares do not overflow
    real = np.concatenate(values[1:])
    real = real[~np.isnan(real)]
    centre, spread = (real.mean(), real.std()) if len(real) else (0.0, 0.0)
    values = [(v - centre) / (spread or 1.0) for v in values]
    least = np.fmin.reduce(np.concatenate(values), initial=0.0)
    return [np.where(np.isnan(v), least - 1.0, v) for v in values]


def column_distance(column: Column, a: pd.Series, b: pd.Series) -> float | None:
    """Return W1 in the column's unit, or the share of rows that must change category.

    None if only one side has values.
    """
    if not column.ordered:
        return _variation(
            frequencies(column.encode(a), column), frequencies(column.encode(b), column)
        )
    left, right = (column.numbers(s) for s in (a, b))
    left, right = left[~np.isnan(left)], right[~np.isnan(right)]
    if len(left) == 0 or len(right) == 0:
        return 0.0 if len(left) == len(right) else None
    return wasserstein_1_line(left, right)


def frequencies(codes: np.ndarray, column: Column) -> np.ndarray:
    """Return the frequency of each code, (size + 1,); the last is for unseen categories."""
    return np.bincount(codes, minlength=column.size + 1) / max(len(codes), 1)


def _variation(p: np.ndarray, q: np.ndarray) -> float:
    return float(np.abs(p - q).sum() / 2)


def _pairs(
    columns: tuple[Column, ...], a: pd.DataFrame, b: pd.DataFrame, most: int = 40
) -> dict[str, float]:
    columns = columns[:most]
    ranks = [{c.name: _ranks(c, f[c.name]) for c in columns if c.ordered} for f in (a, b)]
    groups = [{c.name: _groups(c, f[c.name]) for c in columns} for f in (a, b)]
    result = {}
    for i, one in enumerate(columns):
        for other in columns[i + 1 :]:
            if one.ordered and other.ordered:
                r = [_correlation(rank[one.name], rank[other.name]) for rank in ranks]
                difference = abs(r[0] - r[1]) / 2
            else:
                joint: list[Any] = [g[one.name] * 32 + g[other.name] for g in groups]
                p, q = (np.bincount(j, minlength=1024) / len(j) for j in joint)
                difference = _variation(p, q)
            result[f"{one.name} x {other.name}"] = difference
    return result


def _ranks(column: Column, values: pd.Series) -> np.ndarray:
    numbers = pd.Series(column.numbers(values))
    return numbers.fillna(numbers.mean()).fillna(0.0).rank().to_numpy()


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    if x.std() == 0 or y.std() == 0:
        return 0.0
    return float(np.corrcoef(x, y)[0, 1])


def _groups(column: Column, values: pd.Series) -> np.ndarray:
    """Return at most 12 groups: deciles of an ordered column, or the ten most frequent codes."""
    codes = column.encode(values).astype(int)
    if column.ordered:
        order = np.argsort(column.positions[: len(column.cells)], kind="stable")
        cumulative = np.cumsum(column.frequency[order])
        group = np.empty(column.size + 1, dtype=int)
        group[order] = np.minimum((cumulative - 1e-9) * 10, 9).astype(int)
        group[len(column.cells) :] = 10
    else:
        group = np.full(column.size + 1, 10)
        top = np.argsort(-column.frequency, kind="stable")[:10]
        group[top] = np.arange(len(top))
    return np.asarray(group[codes])


def targets(column: Column, values: pd.Series) -> np.ndarray:
    """Return a column to predict (n,): numbers, or codes of categories; NaN where missing."""
    read = column.numbers(values) if column.ordered else 1.0 * column.encode(values)
    return np.where(values.isna(), np.nan, read)
