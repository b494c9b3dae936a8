"""W1 in one dimension, exact for any sizes and weights."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import wasserstein_distance

from surveyor.transport.checks import sample, weights


def wasserstein_1_line(
    a: ArrayLike,
    b: ArrayLike,
    a_weight: ArrayLike | None = None,
    b_weight: ArrayLike | None = None,
) -> float:
    """Return W1 between two samples on the real line, in their unit.

    W1(a, b) = integral |F_a(t) - F_b(t)| dt, with F the cumulative distribution functions
    (Vallender 1974). Shapes (n,) and (m,).

    Raises:
        InputError: a sample is empty, a value is not finite, or a weight is below zero.
    """
    left, right = sample(a, "a", ndim=1), sample(b, "b", ndim=1)
    mu, nu = weights(a_weight, len(left), "a_weight"), weights(b_weight, len(right), "b_weight")
    return float(wasserstein_distance(left, right, mu, nu))


def wasserstein_1_columns(a: ArrayLike, b: ArrayLike) -> np.ndarray:
    """Return the one-dimensional W1 of each column (d,), for samples (n, d) and (m, d)."""
    left, right = sample(a, "a"), sample(b, "b")
    return np.array([wasserstein_distance(x, y) for x, y in zip(left.T, right.T, strict=True)])
