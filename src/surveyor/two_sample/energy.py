"""The energy distance and its permutation test, exact at any number of rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surveyor.transport import ground_costs
from surveyor.transport.checks import Array
from surveyor.two_sample import Outcome, Samples, TwoSampleTest

MOST, LEAST = 2000, 500  # rows per side: the test keeps all pairwise distances in memory
CELLS = 4_000_000  # entries of a side, which the distances cost
ROUNDS = 499


@dataclass(frozen=True)
class Energy(TwoSampleTest):
    """The energy distance between points, by relabelling; it sees all columns at once."""

    def __call__(self, both: Samples, seed: int) -> Outcome:
        """Test with at most ``MOST`` rows per set."""
        a, b = both.points
        most = max(LEAST, min(MOST, CELLS // a.shape[1]))
        p = same_distribution(a, b, ROUNDS, seed, most)
        rows = min(len(a), most), min(len(b), most)
        return Outcome("energy", p, rows, "the energy distance between rows as a whole")


def same_distribution(
    a: Array, b: Array, rounds: int = 999, seed: int = 0, most: int = MOST
) -> float:
    """Return the p-value for the null that a (n, d) and b (m, d) have the same distribution.

    The statistic is the energy distance, 2 E|X - Y| - E|X - X'| - E|Y - Y'|, which is 0 only for
    equal distributions (Szekely and Rizzo 2013). p is the share of labellings that reach it, among
    ``rounds`` random ones and the true one; at most ``most`` rows of each set are used. Under the
    null P(p <= t) <= t for any distribution.
    """
    rng = np.random.default_rng(seed)
    a, b = (x[rng.permutation(len(x))[:most]] for x in (a, b))
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
