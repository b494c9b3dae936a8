"""One call for W1 between two samples, with its floor and an interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from surveyor.errors import InputError
from surveyor.transport.checks import Array, sample
from surveyor.transport.discrete import Metric, ground_costs, transport
from surveyor.transport.sliced import sliced_wasserstein_1

Method = Literal["auto", "exact", "sliced"]


@dataclass(frozen=True)
class Distance:
    """W1 between two data sets, in the unit of the data.

    ``value`` is the measure between the samples; ``floor`` the same measure between two halves
    of ``a`` (``floor_n`` points each): what no difference at all looks like at that size. A
    sample's W1 falls with its size, so ``beside`` is the measure between ``floor_n`` points of each
    set, and ``ratio`` compares that with the floor. ``low`` and ``high`` bracket the W1 of the
    populations: a sample's W1 is too large in expectation, so high is value + 1.96 standard errors;
    low subtracts both sets' own floors as well (triangle inequality). Each end is an estimate at
    about 97.5% where many points carry the difference; what is rarer than one point in n may not be
    among them, and high is then too low.
    """

    value: float
    floor: float
    low: float
    high: float
    method: str
    n: tuple[int, int]
    floor_n: int
    beside: float

    @property
    def ratio(self) -> float:
        """Return beside / floor; infinite where the floor is 0 and beside is not."""
        if self.floor > 0:
            return self.beside / self.floor
        return 1.0 if self.beside == 0 else math.inf


def wasserstein_1(
    a: ArrayLike,
    b: ArrayLike,
    method: Method = "auto",
    metric: Metric = "euclidean",
    limit: int = 2048,
    seed: int = 0,
) -> Distance:
    """Measure W1 between two samples, shapes (n, d) and (m, d) or (n,) and (m,).

    ``exact`` solves transport by network simplex on at most ``limit`` rows of each (drawn without
    replacement); in one dimension all rows are used, by quantile functions. ``sliced`` is the
    mean over random directions, a lower bound. ``auto`` is exact.

    Raises:
        InputError: shapes that do not agree, entries that are not finite, fewer than 2 rows.
    """
    left, right = sample(a, "a"), sample(b, "b")
    if left.shape[1] != right.shape[1]:
        raise InputError(
            f"a has {left.shape[1]} columns and b has {right.shape[1]}; they must agree"
        )
    if len(left) < 2 or len(right) < 2:
        raise InputError(f"at least 2 rows of each are needed, got {len(left)} and {len(right)}")
    if method not in ("auto", "exact", "sliced"):
        raise InputError(f"unknown method {method!r}; known: auto, exact, sliced")
    rng = np.random.default_rng(seed)
    left, right = left[rng.permutation(len(left))], right[rng.permutation(len(right))]
    line = left.shape[1] == 1 and metric == "euclidean"
    if method == "sliced":

        def measure(x: Array, y: Array) -> tuple[float, float]:
            return sliced_wasserstein_1(x, y, seed=seed)[0], _projected_error(x, y)

        size = max(len(left), len(right))
    else:

        def measure(x: Array, y: Array) -> tuple[float, float]:
            return _line(x[:, 0], y[:, 0]) if line else _exact(x, y, metric)

        size = max(len(left), len(right)) if line else limit
    value, error = measure(left[:size], right[:size])
    own, other = (_halves(x, min(len(x) // 2, size), measure) for x in (left, right))
    floor_n = min(len(left) // 2, len(right), size)
    alike = floor_n == min(len(left) // 2, size)
    floor = own if alike else _halves(left, floor_n, measure)
    name = method if method == "sliced" else ("exact, one dimension" if line else "exact")
    return Distance(
        value=value,
        floor=floor,
        low=max(0.0, value - own - other - 1.96 * error),
        high=value + 1.96 * error,
        method=name,
        n=(min(len(left), size), min(len(right), size)),
        floor_n=floor_n,
        beside=measure(left[:floor_n], right[:floor_n])[0],
    )


def _halves(x: Array, n: int, measure: Callable[[Array, Array], tuple[float, float]]) -> float:
    """Return the measure between ``n`` points of ``x`` and as many others of it."""
    return measure(x[:n], x[n : 2 * n])[0]


def exact_with_error(x: Array, y: Array) -> tuple[float, float]:
    """Return exact Euclidean W1 of samples (n, d) and (m, d), and its standard error."""
    return _line(x[:, 0], y[:, 0]) if x.shape[1] == 1 else _exact(x, y, "euclidean")


def _exact(x: Array, y: Array, metric: Metric) -> tuple[float, float]:
    """W1 and its standard error, from the variance of the dual potentials (del Barrio 2019)."""
    solved = transport(ground_costs(x, y, metric))
    variance = solved.u.var() / len(x) + solved.v.var() / len(y)
    return solved.cost, math.sqrt(variance)


def _line(x: Array, y: Array) -> tuple[float, float]:
    # On the line the optimal potential has slope sign(F_y - F_x), in closed form at every point.
    grid = np.sort(np.concatenate([x, y]))
    above = np.searchsorted(np.sort(x), grid, "right") / len(x)
    beside = np.searchsorted(np.sort(y), grid, "right") / len(y)
    steps = np.diff(grid)
    value = float((np.abs(above - beside)[:-1] * steps).sum())
    potential = np.concatenate([[0.0], np.cumsum(np.sign(beside - above)[:-1] * steps)])
    u, v = np.interp(x, grid, potential), np.interp(y, grid, potential)
    return value, math.sqrt(u.var() / len(x) + v.var() / len(y))


def _projected_error(x: Array, y: Array) -> float:
    return math.sqrt(x.var(0).mean() / len(x) + y.var(0).mean() / len(y))
