"""A classifier trained to separate the two sets, tested on rows that it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import mannwhitneyu
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from surveyor.two_sample import Outcome, Samples, TwoSampleTest

MOST_ROWS, MOST_CELLS = 20_000, 1_000_000  # of a set
FOLDS = 3
FEWEST = 20  # rows per set for trees of at least some leaves


@dataclass(frozen=True)
class Separation:
    """How well a classifier separates two sets: cross-validated AUC (.5 is chance) and p-value."""

    auc: float
    p_value: float
    rows: tuple[int, int]

    @property
    def right(self) -> float:
        """Return how often it is right about which of two rows is of which set."""
        return max(self.auc, 1 - self.auc)

    @property
    def indistinguishable(self) -> float:
        """Return 2 (1 - auc), at most 1: the C2ST score common for tables."""
        return min(1.0, 2 * (1 - self.auc))

    @property
    def outcome(self) -> Outcome:
        """Return it as the outcome of a test."""
        witness = (
            "of two rows, one of each set, a classifier tells which is which in "
            f"{100 * self.auc:.0f} of 100"
        )
        return Outcome("classifier", self.p_value, self.rows, witness)


@dataclass(frozen=True)
class Classifier(TwoSampleTest):
    """Gradient-boosted trees on all columns together (Lopez-Paz and Oquab 2017)."""

    def __call__(self, both: Samples, seed: int) -> Outcome | None:
        """Test by ranks of the scores of held-out rows."""
        if min(both.rows) < FEWEST or not both.names:
            return None
        return separate_samples(both, seed).outcome


def separate_samples(both: Samples, seed: int) -> Separation:
    """Train trees to separate two samples, at most ``MOST_ROWS`` rows and ``MOST_CELLS`` cells."""
    most = max(FEWEST, min(MOST_ROWS, MOST_CELLS // max(len(both.names), 1)))
    return separate(*both.some(most, seed), seed=seed)


def separate(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Separation:
    """Train trees to separate rows (n, d) and (m, d), and test them on the other folds' rows.

    Each fold's p-value is that of a one-sided rank test of its held-out scores (Mann and Whitney),
    exact given the trees. Twice their mean is a p-value whatever the folds have in common
    (Rueschendorf 1982).
    """
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    scores, p = np.empty(len(x)), []
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y)
    with threadpool_limits(1):  # a run's bytes must not depend on the number of cores
        for fit, test in parts:
            trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
            scores[test] = trees.fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
            first, second = scores[test][y[test] == 0], scores[test][y[test] == 1]
            p.append(mannwhitneyu(second, first, alternative="greater", method="asymptotic").pvalue)
    return Separation(
        float(roc_auc_score(y, scores)), min(1.0, 2 * float(np.mean(p))), (len(a), len(b))
    )
