"""A classifier trained to separate the two sets, tested on rows that it has not seen."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.special import logit
from scipy.stats import mannwhitneyu, norm
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from surveyor.two_sample import Outcome, Samples, TwoSampleTest

MOST_ROWS, MOST_CELLS = 20_000, 1_000_000  # of a set
FOLDS, BLOCKS = 3, 6
FEWEST = 20  # rows per set for trees of at least some leaves
SURE = 30.0  # deviations; beyond, p-values are too small for floating point


@dataclass(frozen=True)
class Separation:
    """How well a classifier separates two sets: cross-validated AUC, .5 is chance."""

    auc: float
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
    def error(self) -> float:
        """Return an upper bound of the standard error of ``auc`` near .5.

        That of one fold, sqrt(FOLDS / 6n): folds share training rows, so that their mean may vary
        as much as each of them.
        """
        return math.sqrt(FOLDS / (6 * min(self.rows)))

    @property
    def witness(self) -> str:
        """Return it in words."""
        return _witness(self.auc)


@dataclass(frozen=True)
class Classifier(TwoSampleTest):
    """Gradient-boosted trees on all columns together (Lopez-Paz and Oquab 2017).

    The rows are cut into ``BLOCKS``. Trees trained on the first k blocks are tested on the next one
    by the ranks of its scores (Mann and Whitney, one-sided), whose normal score z_k has mean 0 and
    variance 1 given all earlier blocks, if both sets are of one distribution. Under it sum
    sqrt(k) z_k / sqrt(sum k) is therefore standard normal for many rows (a martingale), which a sum
    over cross-validation's folds is not, since each of them is trained on the others.
    """

    def __call__(self, both: Samples, seed: int) -> Outcome | None:
        """Test block by block."""
        if min(both.rows) < FEWEST or not both.names:
            return None
        a, b = _some(both, seed)
        x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
        cuts = StratifiedKFold(BLOCKS, shuffle=True, random_state=seed).split(x, y)
        blocks = [block for _, block in cuts]
        seen = np.arange(1, BLOCKS)
        found = [
            _ranks(y[blocks[k]], _scores(x, y, np.concatenate(blocks[:k]), blocks[k], seed))
            for k in seen
        ]
        z, auc = np.transpose(found)
        p = float(norm.sf((np.sqrt(seen) * z).sum() / np.sqrt(seen.sum())))
        return Outcome("classifier", p, (len(a), len(b)), _witness(np.average(auc, weights=seen)))


def separate_samples(both: Samples, seed: int) -> Separation:
    """Train trees to separate two samples, at most ``MOST_ROWS`` rows and ``MOST_CELLS`` cells."""
    return separate(*_some(both, seed), seed=seed)


def separate(a: np.ndarray, b: np.ndarray, seed: int = 0) -> Separation:
    """Train trees to separate rows (n, d) and (m, d), and score them on the other folds' rows."""
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    scores = np.empty(len(x))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        scores[test] = _scores(x, y, fit, test, seed)
    return Separation(float(roc_auc_score(y, scores)), (len(a), len(b)))


def log_odds(a: np.ndarray, b: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return log a(x) / b(x), up to a constant, at the rows x of ``b`` (m, d), as (m,).

    Trees are trained to separate them from rows ``a`` (n, d), and score only rows of other folds.
    """
    x, y = np.concatenate([b, a]), np.repeat([0, 1], [len(b), len(a)])
    scores = np.empty(len(x))
    for fit, test in StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(x, y):
        scores[test] = _scores(x, y, fit, test, seed)
    return np.asarray(logit(scores[: len(b)].clip(1e-9, 1 - 1e-9)))


def _some(both: Samples, seed: int) -> tuple[np.ndarray, np.ndarray]:
    most = max(FEWEST, min(MOST_ROWS, MOST_CELLS // max(len(both.names), 1)))
    return both.some(most, seed)


def _scores(
    x: np.ndarray, y: np.ndarray, fit: np.ndarray, test: np.ndarray, seed: int
) -> np.ndarray:
    trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
    with threadpool_limits(1):  # a run's bytes must not depend on the number of cores
        found: np.ndarray = trees.fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
    return found


def _ranks(y: np.ndarray, scores: np.ndarray) -> tuple[float, float]:
    """Return the normal score of the rank test of ``scores``, and their AUC."""
    if np.ptp(scores) == 0:
        return 0.0, 0.5
    p = mannwhitneyu(scores[y == 1], scores[y == 0], alternative="greater", method="asymptotic")
    return float(np.clip(norm.isf(p.pvalue), -SURE, SURE)), float(roc_auc_score(y, scores))


def _witness(auc: float) -> str:
    return (
        f"of two rows, one of each set, a classifier tells which is which in {100 * auc:.0f} of 100"
    )
