"""Sums, differences and fixed ratios: one column is a linear function of up to three others.

Dates are taken in days.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from surveyor.kinds.table.constructions import Construction, Known, Made, Residual
from surveyor.kinds.table.rules import (
    EXCEPTIONS,
    Checked,
    Rule,
    View,
    share_when_shuffled,
    tolerance,
)

ROWS = 64  # by which candidates are sorted out
TRIES, ROWS_TRIED = 3, 12
NEAR = 0.05  # of a deviation, in the direction across the plane
AT_ONCE = 20_000
FEW = 40  # columns among which sums of three are looked for
FINE = 1000  # coefficients are multiples of 1 / FINE
ULPS = 4  # of the terms of a sum, by which it may be off


@dataclass(frozen=True)
class Linear(Rule):
    """``target`` = constant + the sum of weights times columns, up to rounding."""

    target: str
    columns: tuple[str, ...]
    weights: tuple[float, ...]
    constant: float
    within: float

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the shortest relations; longer ones of the same columns follow from them.

        That is so unless the shorter one is a ratio, which holds up to rounding.
        """
        names = [n for n in view.ordered if _varies(view.in_units(n))]
        found: list[frozenset[str]] = []
        for size in (2, 3, 4):
            for whole in _dependent(view, names if size < 4 else names[:FEW], size):
                if any(other <= set(whole) for other in found):
                    continue
                rule = cls._fitted(view, whole[-1], whole[:-1])
                if rule is not None:
                    if not rule.is_ratio:
                        found.append(frozenset(whole))
                    yield rule

    @classmethod
    def _fitted(cls, view: View, target: str, columns: Sequence[str]) -> Linear | None:
        parts = [view.in_units(n) for n in (target, *columns)]
        rows = np.flatnonzero(np.isfinite(np.sum(parts, axis=0)))[:ROWS]
        if len(rows) < ROWS // 2:
            return None
        y, x = parts[0][rows], np.stack([p[rows] for p in parts[1:]], axis=1)
        design = np.column_stack([x, np.ones(len(x))])
        within = 1.01 * tolerance(view, target)
        for k in range(TRIES):
            few = slice(k * 8, k * 8 + 8)
            solved, _, rank, _ = np.linalg.lstsq(design[few], y[few], rcond=None)
            if rank < design.shape[1]:
                continue
            weights = np.round(solved[:-1] * FINE) / FINE
            if not weights.all() or np.abs(weights).max() > 1e5:
                continue
            if len(weights) > 1 and (weights % 1).any():
                continue  # near enough for rounded values, and no sum
            wide = within + sum(
                abs(w) * 0.5 * tolerance(view, n) * (abs(w) % 1 > 0)
                for w, n in zip(weights, columns, strict=True)
            )
            left = y - x @ weights
            for constant in (0.0, float(np.median(left))):
                if (np.abs(left - constant) > wide).mean() <= 4 * EXCEPTIONS:
                    own = tuple(map(float, weights))
                    return cls(target, tuple(columns), own, constant, float(wide))._turned()
        return None

    @property
    def is_ratio(self) -> bool:
        """Return whether a weight is no whole number."""
        return any(w % 1 for w in self.weights)

    @property
    def size(self) -> int:
        """Return 1, or 2 for a ratio: sums are kept first."""
        return 1 + self.is_ratio

    def _turned(self) -> Linear:
        """Return it with the target that leaves all others on one side, with a plus."""
        signed = dict(zip((self.target, *self.columns), (-1.0, *self.weights), strict=True))
        for sign in (-1.0, 1.0):
            alone = [name for name, w in signed.items() if w * sign > 0]
            if len(alone) == 1 and abs(signed[alone[0]]) == 1:
                others = {n: w for n, w in signed.items() if n != alone[0]}
                weights = tuple(-sign * w for w in others.values())
                return replace(
                    self, target=alone[0], columns=tuple(others), weights=weights,
                    constant=-sign * self.constant,
                )  # fmt: skip
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Return the target and the columns that it is made of."""
        return self.target, *self.columns

    @property
    def text(self) -> str:
        """Return ``target = a + 2 b - c``."""
        terms = []
        parts = sorted(
            zip(self.weights, self.columns, strict=True), key=lambda p: (p[0] < 0, -abs(p[0]))
        )
        for weight, name in parts:
            size = "" if abs(weight) == 1 else f"{abs(weight):g} "
            terms.append(f"{'-' if weight < 0 else '+'} {size}{name}")
        if abs(self.constant) > self.within:
            terms.append(f"{'-' if self.constant < 0 else '+'} {abs(self.constant):g}")
        return f"{self.target} = {' '.join(terms).removeprefix('+ ')}"

    def gap(self, view: View) -> np.ndarray:
        """Return how far the target is above the sum, (n,), NaN where something is missing."""
        made = self.constant + sum(
            w * view.in_units(n) for w, n in zip(self.weights, self.columns, strict=True)
        )
        return np.asarray(view.in_units(self.target) - made)

    def rounding(self, view: View) -> np.ndarray:
        """Return how far the rounding of binary fractions can move the gap, (n,)."""
        weights = zip((1.0, *self.weights), self.names, strict=True)
        size = abs(self.constant) + sum(np.abs(w * view.in_units(n)) for w, n in weights)
        return np.asarray(ULPS * np.finfo(float).eps * size)

    def check(self, view: View) -> Checked:
        """Compare rows in which nothing is missing."""
        gap = self.gap(view)
        return Checked(np.isfinite(gap), np.abs(gap) > self.within)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield the target as a sum, then each part with a weight of 1 as a difference."""
        if self.check(view).counts[0] == 0:
            yield from (line.sum_of(view, self.text) for line, _ in self.solved())

    def solved(self) -> Iterator[tuple[Linear, float]]:
        """Yield it for its target and for every other column with a weight of 1 or -1.

        A number says whether more of one target is more of the other (1) or less (-1).
        """
        yield self, 1.0
        for name, weight in zip(self.columns, self.weights, strict=True):
            if abs(weight) == 1:
                others = dict(zip(self.columns, self.weights, strict=True))
                others = {n: -w * weight for n, w in others.items() if n != name}
                line = replace(
                    self, target=name, columns=(self.target, *others),
                    weights=(weight, *others.values()), constant=-weight * self.constant,
                )  # fmt: skip
                yield line, -weight

    def sum_of(self, view: View, text: str, kind: type[Sum] | None = None, **own: Any) -> Sum:
        """Return the sum that computes the target."""
        given = {
            "weights": self.weights,
            "constant": self.constant,
            "units": tuple(view.unit(name) for name in self.names),
            "within": math.inf if kind else self.within * view.unit(self.target),
        }
        return (kind or Sum).fitted(view, self.target, self.columns, text, **given, **own)

    def chance(self, view: View) -> float:
        """Return the share with the target's values in another order."""
        return share_when_shuffled(self, view, self.target)


@dataclass(frozen=True, eq=False)
class Sum(Residual):
    """The target is ``constant`` + the sum of ``weights`` times the parts.

    Each is in its own of the ``units``, of which the first is the target's.
    """

    weights: tuple[float, ...] = ()
    constant: float = 0.0
    units: tuple[float, ...] = ()
    within: float = math.inf

    def base(self, rows: Known) -> np.ndarray:
        """Return the sum, rounded."""
        return self._rounded(self._total(rows))

    def restore(self, made: Made) -> None:
        """Add the residual to the sum, or none where the rule would not hold with it."""
        super().restore(made)
        gap = np.abs(made.numbers(self.target) - self._total(made)) > self.within
        made.values[self.target] = np.where(gap, self.base(made), made.numbers(self.target))

    def solved_for(self, name: str, rows: Known) -> np.ndarray:
        """Return the part ``name`` (n,) computed from the target and the other parts."""
        places = {
            n: (w, u) for n, w, u in zip(self.parts, self.weights, self.units[1:], strict=True)
        }
        weight, unit = places.pop(name)
        left = rows.numbers(self.target) / self.units[0] - self.constant
        for other, (w, u) in places.items():
            left = left - w * rows.numbers(other) / u
        return self._rounded(left / weight * unit)

    def _total(self, rows: Known) -> np.ndarray:
        own, *others = self.units
        total = np.full(len(rows.numbers(self.parts[0])), own * self.constant)
        for name, weight, unit in zip(self.parts, self.weights, others, strict=True):
            numbers = rows.numbers(name)
            total += weight * (numbers if unit == own else numbers * own / unit)
        return total


def _varies(values: np.ndarray) -> bool:
    present = values[np.isfinite(values)]
    return len(np.unique(present[:1000])) > 2


def _dependent(view: View, names: Sequence[str], size: int) -> Iterator[tuple[str, ...]]:
    """Yield the sets of columns that lie near a plane, by the least singular value of some rows."""
    sets = np.array(list(itertools.combinations(range(len(names)), size)), dtype=int)
    if not len(sets):
        return
    values = np.stack([view.in_units(n) for n in names], axis=1)
    centre, spread = np.nanmean(values, axis=0), np.nanstd(values, axis=0)
    values = (values - centre) / np.where(spread > 0, spread, 1.0)
    near = np.zeros(len(sets), dtype=bool)
    for start in range(0, len(sets), AT_ONCE):
        part = slice(start, start + AT_ONCE)
        for k in range(TRIES):
            near[part] |= _flat(values, sets[part], k)
    for chosen in sets[near]:
        yield tuple(names[k] for k in chosen)


def _flat(values: np.ndarray, sets: np.ndarray, turn: int) -> np.ndarray:
    """Return which sets of columns lie near a plane in some rows, (len(sets),)."""
    present = np.isfinite(values)
    whole = np.flatnonzero(present.all(1))
    if len(whole) >= (turn + 1) * ROWS_TRIED:
        rows = np.broadcast_to(whole[turn * ROWS_TRIED :][:ROWS_TRIED], (len(sets), ROWS_TRIED))
    else:  # rows differ with what is missing in these columns
        rows = np.zeros((len(sets), ROWS_TRIED), dtype=int)
        for k, chosen in enumerate(sets):
            found = np.flatnonzero(present[:, chosen].all(1))[turn * ROWS_TRIED :][:ROWS_TRIED]
            rows[k] = np.resize(found, ROWS_TRIED) if len(found) else 0
    points = values[rows[:, :, None], sets[:, None, :]]
    points = np.where(np.isfinite(points), points, 0.0)
    points = points - points.mean(1, keepdims=True)
    return np.asarray(np.linalg.svd(points, compute_uv=False)[:, -1] <= NEAR)
