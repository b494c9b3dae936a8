"""Statistics of one data set that can stand in for its rows: counts, and moments of pairs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from surveyor.two_sample import Outcome, Proof, columns, pairs

FEWEST_ROWS = 50  # of a set, for a verdict against statistics
LEAST = 20  # rows that every bin has, and every value that is named
DEVIATIONS = 4  # of a count, below which a label that is named is not tested by itself
MOST_LABELS = 4096
BINS = 128
JOINT = 5  # the least number of rows in which two frequent values are expected together
MOST_SCORES = 512


@dataclass(frozen=True, eq=False)
class Counts:
    """How many rows of a column have a value missing, and how many have which.

    An ordered column has ascending ``edges`` (k,); its ``counts`` (k + 2,) are those of missing
    numbers, and of numbers up to each edge but above the one before; the last are above all.
    A column of categories has ``labels``; its ``counts`` (k + 2,) are those of missing values, of
    each label, and of all other values together. Every label has at least ``least`` rows.
    """

    name: str
    ordered: bool
    counts: np.ndarray
    edges: np.ndarray
    labels: tuple[str, ...] = ()
    least: int = LEAST

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return int(self.counts.sum())

    @property
    def shares(self) -> np.ndarray:
        """Return the counts as shares of all rows."""
        return np.asarray(self.counts / max(self.rows, 1))

    def codes(self, values: np.ndarray) -> np.ndarray:
        """Return the place in ``counts`` of numbers (n,), NaN where missing."""
        places = 1 + np.searchsorted(self.edges, values, "left")
        return np.where(np.isnan(values), 0, places).astype(np.int32)

    def scores(self) -> Iterator[tuple[str, np.ndarray, float]]:
        """Yield scores by place in ``counts``, of mean 0: a name, the scores, and a share.

        Those of an ordered column are mid-ranks, those of categories indicators of the most
        frequent labels; the share is that of rows with the rarer outcome of an indicator, else 1.
        """
        shares = self.shares
        if self.ordered:
            ranks = np.cumsum(shares) - shares / 2 - 0.5
            if (shares > 0).sum() > 1:
                yield self.name, ranks, 1.0
            return
        own = self.counts[1:-1]
        for k in np.argsort(-own, kind="stable")[: pairs.VALUES]:
            share = shares[k + 1]
            if min(own[k], self.rows - own[k]) >= pairs.RARE:
                hot = np.arange(len(shares)) == k + 1
                label = f"{self.name} = {self.labels[k]}"
                yield label, hot - share, float(min(share, 1 - share))


@dataclass(frozen=True, eq=False)
class Moments:
    """Means (k, k) over ``rows`` of products of two scores less their means, and of squares."""

    rows: int
    products: np.ndarray
    squares: np.ndarray

    def of(self, chosen: Sequence[int] | np.ndarray) -> Moments:
        """Return the moments of some scores."""
        own = np.asarray(chosen, np.int64)
        at = np.ix_(own, own)
        return Moments(self.rows, self.products[at], self.squares[at])

    def correlation(self, i: int, j: int) -> float:
        """Return the correlation of two scores."""
        size = math.sqrt(self.products[i, i] * self.products[j, j])
        return float(self.products[i, j] / size) if size > 0 else 0.0


@dataclass(frozen=True, eq=False)
class Statistics:
    """What is known of one data set: counts of each column, and moments of the columns' scores."""

    columns: tuple[Counts, ...]
    moments: Moments

    @property
    def rows(self) -> int:
        """Return the number of rows."""
        return self.columns[0].rows

    @cached_property
    def scores(self) -> list[tuple[int, str, np.ndarray, float]]:
        """Return column, name, values and share of each score that has moments."""
        return scores_of(self.columns)[: len(self.moments.products)]

    def without(self, names: Sequence[str]) -> Statistics:
        """Return the statistics of the other columns."""
        kept = [k for k, c in enumerate(self.columns) if c.name not in names]
        own = [s for s, (k, *_) in enumerate(self.scores) if k in kept]
        return Statistics(tuple(self.columns[k] for k in kept), self.moments.of(own))


def scores_of(known: Sequence[Counts]) -> list[tuple[int, str, np.ndarray, float]]:
    """Return column, name, values and share of each score, at most ``MOST_SCORES``."""
    every = [(k, *score) for k, column in enumerate(known) for score in column.scores()]
    return every[:MOST_SCORES]


def moments(known: Sequence[Counts], codes: np.ndarray) -> Moments:
    """Return the moments of rows, given their places (n, columns) in the counts of ``known``."""
    made = [values[codes[:, k]] for k, _, values, _ in scores_of(known)]
    scores = np.stack(made, axis=1) if made else np.empty((len(codes), 0))
    scores -= scores.mean(0)
    squares = scores * scores
    n = len(codes)
    return Moments(n, scores.T @ scores / n, squares.T @ squares / n)


def compared(known: Statistics, other: Statistics) -> Proof:
    """Test the null that two sets come from one distribution, by statistics alone.

    Both must have been counted with the edges and labels of ``known``.
    """
    found = [column_test(a, b) for a, b in zip(known.columns, other.columns, strict=True)]
    names = [c.name for c in known.columns]
    categorical = [not c.ordered for c in known.columns]
    rows = known.rows, other.rows
    outcomes = [columns.outcome_of(names, categorical, found, rows), _pairs(known, other)]
    return Proof(tuple(outcome for outcome in outcomes if outcome is not None))


def column_test(known: Counts, other: Counts) -> tuple[float, float]:
    """Return a column's p-value, and sup |F - G| at the edges or the total variation of labels.

    The largest difference at some edges is at most that at all numbers, so that the p-value of
    Kolmogorov and Smirnov errs on the safe side wherever the edges lie. Labels are named in a
    reference only if many rows have them, a choice that favours those that happen to be frequent
    in it. So only those that both sets together lead one to expect well above that limit are tested
    by themselves, and the choice no longer depends on the reference.
    """
    counts = np.stack([known.counts, other.counts])
    n, m = counts.sum(1)
    if known.ordered:
        gap = np.abs(np.cumsum(known.shares) - np.cumsum(other.shares)).max()
        return columns.kolmogorov_p(float(gap), n, m), float(gap)
    limit = known.least + DEVIATIONS * math.sqrt(known.least)
    own = counts.sum(0) * n / (n + m) >= limit
    own[0], own[-1] = True, False
    rest = counts[:, ~own].sum(1, keepdims=True)
    p, _ = columns.chi_squared_of_counts(np.concatenate([counts[:, own], rest], axis=1))
    return p, float(np.abs(known.shares - other.shares).sum() / 2)


def _pairs(known: Statistics, other: Statistics) -> Outcome | None:
    """Test every pair of scores; None with fewer than two columns.

    The larger of both sets' variances of a product is used: in the smaller set a rare product may
    not have occurred, or more often than it should. It is estimated, hence Student's distribution.
    """
    a, b = known.moments, other.moments
    fewest = min(a.rows, b.rows)
    shares = np.array([share for *_, share in known.scores])
    frequent = np.flatnonzero(shares * fewest >= pairs.RARE)
    owners = [known.scores[k][0] for k in frequent]
    if len(set(owners)) < 2:
        return None
    a, b, shares = a.of(frequent), b.of(frequent), shares[frequent]
    variance = np.maximum(a.squares - a.products**2, b.squares - b.products**2)
    error = np.sqrt(np.maximum(variance, 1e-12) * (1 / a.rows + 1 / b.rows))
    together = np.outer(shares, shares) * fewest >= JOINT
    z = np.where(together, (a.products - b.products) / error, 0.0)
    i, j, p = pairs.strongest(z, owners, fewest - 1)
    names = known.scores[frequent[i]][1], known.scores[frequent[j]][1]
    each = [side.correlation(i, j) for side in (a, b)]
    return pairs.outcome_of(names, each, p, (a.rows, b.rows))
