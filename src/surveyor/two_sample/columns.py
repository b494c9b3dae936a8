"""Every column by itself, on all rows: Kolmogorov-Smirnov and chi-squared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import kolmogorov
from scipy.stats import chi2

from surveyor.two_sample import Outcome, Samples, TwoSampleTest, holm

EXPECTED = 5  # the least expected count of a category; rarer ones are pooled


@dataclass(frozen=True)
class Columns(TwoSampleTest):
    """The largest difference of distribution functions, or of frequencies, of any column."""

    def __call__(self, both: Samples, seed: int) -> Outcome | None:
        """Test every column and adjust for their number (Holm)."""
        if not both.names:
            return None
        found = [
            (chi_squared if categorical else kolmogorov_smirnov)(*both.column(k))
            for k, categorical in enumerate(both.categorical)
        ]
        return outcome_of(both.names, both.categorical, found, both.rows)


def outcome_of(
    names: Sequence[str],
    categorical: Sequence[bool],
    found: Sequence[tuple[float, float]],
    rows: tuple[int, int],
) -> Outcome:
    """Return one outcome for all columns, given the p-value and the statistic of each."""
    adjusted = holm(np.array([p for p, _ in found]))
    k = min(range(len(found)), key=lambda k: (found[k][0], -found[k][1]))
    how = (
        f"{found[k][1]:.1%} of rows would have to change value"
        if categorical[k]
        else f"its distribution functions differ by up to {found[k][1]:.3f}"
    )
    parts = tuple(zip(names, map(float, adjusted), strict=True))
    return Outcome("columns", float(adjusted[k]), rows, f"the column {names[k]}: {how}", parts)


def kolmogorov_smirnov(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the p-value of two samples (n,) and (m,), and the statistic sup |F - G|.

    The asymptotic distribution is used, with an error on the safe side where values repeat.
    """
    n, m = len(a), len(b)
    x, y = np.sort(a), np.sort(b)
    gaps = [
        np.searchsorted(x, at, "right") / n - np.searchsorted(y, at, "right") / m for at in (x, y)
    ]
    statistic = max(float(np.abs(gap).max()) for gap in gaps)
    return kolmogorov_p(statistic, n, m), statistic


def kolmogorov_p(statistic: float, n: int, m: int) -> float:
    """Return the asymptotic p-value of sup |F - G| between samples of n and m rows."""
    return float(kolmogorov(math.sqrt(n * m / (n + m)) * statistic))


def chi_squared(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Return the p-value of two samples of codes, and the total variation of their frequencies.

    Categories that either sample is expected to show fewer than ``EXPECTED`` times are pooled.
    """
    size = int(max(a.max(), b.max())) + 1
    return chi_squared_of_counts(
        np.stack([np.bincount(x.astype(np.int64), minlength=size) for x in (a, b)])
    )


def chi_squared_of_counts(counts: np.ndarray) -> tuple[float, float]:
    """Return the same for two samples of which ``counts`` (2, categories) are given."""
    counts = counts * 1.0
    sizes = counts.sum(1)
    variation = float(np.abs(counts[0] / sizes[0] - counts[1] / sizes[1]).sum() / 2)
    common = counts.sum(0) * sizes.min() / sizes.sum() >= EXPECTED
    rest = counts[:, ~common].sum(1, keepdims=True)
    counts = np.concatenate([counts[:, common], rest], axis=1)
    counts = counts[:, counts.sum(0) > 0]
    if counts.shape[1] < 2:
        return 1.0, variation
    expected = np.outer(sizes, counts.sum(0)) / sizes.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return float(chi2.sf(statistic, counts.shape[1] - 1)), variation
