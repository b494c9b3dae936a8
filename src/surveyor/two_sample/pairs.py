"""Every pair of columns: whether two columns go together as much in one set as in the other."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri
from scipy.stats import rankdata
from scipy.stats import t as student

from surveyor.two_sample import Outcome, Samples, TwoSampleTest, some

MOST_ROWS = 100_000
MOST_COLUMNS = 400
VALUES = 8  # of a category, the most frequent first
RARE = 25  # the least number of rows of a value in both sets, for the normal approximation


@dataclass(frozen=True)
class Pairs(TwoSampleTest):
    """The means of products of two columns' scores, in both sets.

    Scores are normal scores of pooled ranks, and indicators of frequent values of categories, less
    their mean. Given the pooled rows, a relabelling moves the difference of two means of a product
    s by a deviation of std(s) sqrt(1 / n + 1 / m), to which the p-value refers.
    """

    def __call__(self, both: Samples, seed: int) -> Outcome | None:
        """Test every pair of scores of different columns, adjusted for their number."""
        scores, owners, labels, n = _scores(both, seed)
        if len(set(owners)) < 2:
            return None
        z = _deviations(scores, n)
        i, j, p = strongest(z, owners)
        first, second = labels[i], labels[j]
        each = [_correlation(side[:, i], side[:, j]) for side in (scores[:n], scores[n:])]
        return outcome_of((first, second), each, p, (n, len(scores) - n))


def strongest(
    z: np.ndarray, owners: Sequence[int], degrees: float = math.inf
) -> tuple[int, int, float]:
    """Return the pair of different owners with the largest ``z`` (k, k), and its p-value.

    It is adjusted for the number of pairs (Bonferroni), and refers to Student's distribution with
    so many ``degrees`` of freedom, by default to the normal one.
    """
    own = np.array(owners)
    i, j = np.triu_indices(len(own), 1)
    apart = own[i] != own[j]
    i, j = i[apart], j[apart]
    size = np.abs(z[i, j])
    k = int(np.argmax(size))
    return int(i[k]), int(j[k]), min(1.0, 2 * float(student.sf(size[k], degrees)) * len(size))


def outcome_of(
    pair: tuple[str, str], correlations: Sequence[float], p: float, rows: tuple[int, int]
) -> Outcome:
    """Return the outcome for all pairs, of which ``pair`` differs most."""
    before, after = correlations
    witness = f"{pair[0]} and {pair[1]}: correlation {before:+.2f} against {after:+.2f}"
    return Outcome("pairs", p, rows, witness)


def _scores(both: Samples, seed: int) -> tuple[np.ndarray, list[int], list[str], int]:
    """Return scores of all rows pooled, the column and the label of each, and the first set's n."""
    first, second = (some(n, MOST_ROWS, seed) for n in both.rows)
    made, owners, labels = [], [], []
    for k, name in enumerate(both.names[:MOST_COLUMNS]):
        a, b = both.column(k)
        values = np.concatenate([a[first], b[second]])
        if both.categorical[k]:
            for code, count in zip(*_frequent(values), strict=True):
                if min(count, len(values) - count) >= RARE:
                    made.append((values == code).astype(np.float32))
                    owners.append(k)
                    labels.append(both.label(k, int(code)))
        elif values.min() < values.max():
            made.append(ndtri((rankdata(values) - 0.5) / len(values)).astype(np.float32))
            owners.append(k)
            labels.append(name)
    rows = len(first) + len(second)
    scores = np.stack(made, axis=1) if made else np.empty((rows, 0), np.float32)
    scores -= scores.mean(0)
    return scores, owners, labels, len(first)


def _frequent(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values, counts = np.unique(codes, return_counts=True)
    top = np.argsort(-counts, kind="stable")[:VALUES]
    return values[top], counts[top]


def _deviations(scores: np.ndarray, n: int) -> np.ndarray:
    """Return the difference of every product's means, in deviations of a relabelling, (k, k)."""
    total, m = len(scores), len(scores) - n
    first = scores[:n].T @ scores[:n]
    second = scores[n:].T @ scores[n:]
    mean = (first + second) / total
    squares = scores * scores
    variance = np.maximum(squares.T @ squares / total - mean**2, 1e-12)
    z: np.ndarray = (first / n - second / m) / np.sqrt(variance * (1 / n + 1 / m))
    return z


def _correlation(x: np.ndarray, y: np.ndarray) -> float:
    x, y = x.astype(np.float64) - x.mean(), y.astype(np.float64) - y.mean()
    size = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return float((x * y).sum()) / size if size > 1e-6 else 0.0
