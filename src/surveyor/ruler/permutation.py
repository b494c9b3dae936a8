"""A two-sample permutation test, exact at any number of rows."""

from __future__ import annotations

import numpy as np

from surveyor.transport import ground_costs
from surveyor.transport.checks import Array

MOST = 2000  # rows per side: the test keeps all pairwise distances in memory


def same_distribution(a: Array, b: Array, rounds: int = 999, seed: int = 0) -> float:
    """Return the p-value for the null that a (n, d) and b (m, d) have the same distribution.

    The statistic is the energy distance, 2 E|X - Y| - E|X - X'| - E|Y - Y'|, which is 0 only for
    equal distributions (Szekely and Rizzo 2013). p is the share of labellings that reach it, among
    ``rounds`` random ones and the true one. Under the null P(p <= t) <= t for any distribution.
    """
    rng = np.random.default_rng(seed)
    a, b = (x[rng.permutation(len(x))[:MOST]] for x in (a, b))
    pooled = np.concatenate([a, b])
    n, m = len(a), len(b)
    distances = ground_costs(pooled, pooled)
    np.fill_diagonal(distances, 0.0)
    labels = np.where(np.arange(n + m) < n, 1 / n, -1 / m)
    signs = np.stack([labels, *(rng.permutation(labels) for _ in range(rounds))], axis=1)
    energies = -(signs * (distances @ signs)).sum(0)
    # A relabelling that only swaps equal rows ties with the true labels up to rounding.
    reached = energies[1:] >= energies[0] - 1e-12 * abs(energies[0])
    return float((1 + reached.sum()) / (1 + rounds))
