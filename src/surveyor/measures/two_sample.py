"""A classifier two-sample test: more sensitive than W1 in many dimensions, but not a distance."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from threadpoolctl import threadpool_limits

from surveyor.batch import Draws
from surveyor.measures import Figure, Measure, Seen

MOST_ROWS = 5000
MOST_COLUMNS = 64


Features = Callable[[Seen], Sequence[np.ndarray]]


@dataclass(frozen=True)
class TwoSample:
    """The AUC of a classifier that separates generated from held-out rows, and its floor.

    ``auc`` is measured by cross-validation: .5 is chance, 1 perfect separation. ``floor`` is the
    same between training and held-out rows.
    """

    auc: float
    floor: float
    n: int

    @property
    def indistinguishable(self) -> float:
        """Return 2 (1 - auc), at most 1: the C2ST score common for tables."""
        return min(1.0, 2 * (1 - self.auc))


def as_delivered(seen: Seen) -> list[np.ndarray]:
    """Return generated, held-out and training points as delivered, rounded like the data.

    Otherwise the exact zeros of real pictures would give generated ones away.
    """
    n, held, train = seen.n, seen.data.holdout, seen.data.train
    batches = seen.fake(n), seen.held(n), seen.train(n)
    sides = zip(batches, (seen.codes(n), held.codes(n), train.codes(n)), strict=True)
    found = []
    for batch, codes in sides:
        main = next(iter(seen.codec.decode(batch, codes, Draws(0)).values())).reshape(n, -1)
        cond = np.empty((n, 0)) if batch.cond is None else batch.cond.numpy()
        found.append(np.concatenate([main, cond], axis=1))
    return found


@dataclass(frozen=True)
class Classifier(Measure):
    """The AUC of a classifier that separates generated from held-out rows by ``features``.

    ``features`` returns equally many generated, held-out and training rows.
    """

    features: Features = as_delivered

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``auc``; its spread is the standard error near .5."""
        made, held, train = self.features(seen)
        test = two_sample(made, held, train)
        error = math.sqrt(1 / (6 * test.n))
        yield Figure("auc", test.auc, test.floor, "", "lower", n=test.n, spread=error)


def two_sample(made: np.ndarray, held: np.ndarray, train: np.ndarray, seed: int = 0) -> TwoSample:
    """Train gradient-boosted trees to separate rows, three-fold (Lopez-Paz and Oquab 2017).

    Shapes (n, d) each; equally many rows are used of each, at most ``MOST_ROWS``. More than
    ``MOST_COLUMNS`` columns are first reduced to principal components of both sides pooled.
    """
    n = min(len(made), len(held), len(train), MOST_ROWS)
    return TwoSample(_auc(made[:n], held[:n], seed), _auc(train[:n], held[:n], seed), n)


def _auc(a: np.ndarray, b: np.ndarray, seed: int) -> float:
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    if x.shape[1] > MOST_COLUMNS:
        x = PCA(min(MOST_COLUMNS, len(x)), random_state=seed).fit_transform(x)
    scores = np.empty(len(x))
    folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(x, y)
    with threadpool_limits(1):  # a run's bytes must not depend on the number of cores
        for fit, test in folds:
            trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
            scores[test] = trees.fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
    area = float(roc_auc_score(y, scores))
    return max(area, 1 - area)
