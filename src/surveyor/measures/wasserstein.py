"""Exact W1 between held-out and generated rows, beside its floor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from torch import Tensor

from surveyor.data import Source
from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, Measure, Seen, SeenRun
from surveyor.transport import Metric, wasserstein_1_discrete

REPEATS = 3  # sets of training rows to average a floor over
NARROW = 0.85


@dataclass(frozen=True)
class Wasserstein(Measure):
    """W1 between ``n`` held-out and as many generated rows, in the joint space of x and condition.

    ``w1_self`` is W1 between two sets of generated rows; a value below its floor means that they
    are less varied than the data, which W1 on a sample rewards.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``w1`` and ``w1_self``."""
        n, unit = seen.n, seen.codec.unit_name
        at, metric = seen.codec.metric_points, seen.codec.metric
        held, made = at(seen.held(n)), at(seen.fake(2 * n))
        floors = floors_of(held, seen.data.train, n, seen.unit)
        floor, spread = float(np.mean(floors)), float(np.std(floors))
        value = seen.unit * w1(held, made[:n], metric)
        yield Figure("w1", value, floor, unit, "lower", n=n, spread=spread)
        half = len(made) // 2  # of rows made elsewhere there may be fewer than two sets
        if half == 0:
            return
        if half < n:
            floor = float(np.mean(floors_of(held[:half], seen.data.train, half, seen.unit)))
        own = seen.unit * w1(made[:half], made[half : 2 * half], metric)
        yield Figure("w1_self", own, floor, unit, "floor", n=half)

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield samples less varied than the data."""
        own = figures.get("w1_self")
        if own is not None and own.ratio is not None and own.ratio < NARROW:
            remedy = "Train longer or with more critic steps, or widen the latent"
            yield Finding(
                "R06",
                "warn",
                f"samples are only {own.ratio:.0%} as far apart as real rows, so they are less "
                "varied than the data",
                remedy if isinstance(seen, SeenRun) else "Expect rare kinds of rows to be missing",
            )


def floors_of(held: Tensor, train: Source, n: int, unit: float) -> list[float]:
    """Return W1 between held-out rows and each of several disjoint sets of ``n`` training rows.

    ``held`` are points of the ground metric.
    """
    sets = max(1, min(REPEATS, len(train) // n))
    at, metric = train.codec.metric_points, train.codec.metric
    return [unit * w1(held, at(train.first(n, skip=k * n)), metric) for k in range(sets)]


def noise(floors: Sequence[float]) -> float:
    """Return the floor's standard deviation between samples, but at least 1% of the floor.

    Estimated from two or three samples, a standard deviation may be small by chance.
    """
    seen = float(np.std(floors, ddof=1)) if len(floors) > 1 else 0.0
    return max(seen, 0.01 * float(np.mean(floors)))


def w1(a: Tensor, b: Tensor, metric: Metric = "euclidean") -> float:
    """Return exact W1 between two sets of points (n, d) and (m, d)."""
    return wasserstein_1_discrete(a.numpy(), b.numpy(), metric=metric)
