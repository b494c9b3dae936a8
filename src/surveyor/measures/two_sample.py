"""A classifier's two-sample test: sharper than W1 in many dimensions, and blind to distance."""

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
    """``auc``: how well a classifier tells generated from held-out rows it has not seen, .5 for
    not at all, 1 for always; ``floor``: the same between training and held-out rows.
    """

    auc: float
    floor: float
    n: int

    @property
    def indistinguishable(self) -> float:
        """Return 2 (1 - auc), at most 1: the C2ST score in use for tables."""
        return min(1.0, 2 * (1 - self.auc))


def as_delivered(seen: Seen) -> list[np.ndarray]:
    """Return generated, held-out and training points as a user gets them, rounded like the data.

    A picture's exact zeros must not give the generated ones away.
    """
    n, held, train = seen.n, seen.data.holdout, seen.data.train
    batches = seen.fake(n), seen.held(n), seen.train(n)
    sides = zip(batches, (seen.codes(n), held.codes(n), train.codes(n)), strict=True)
    found = []
    for batch, codes in sides:
        main = next(iter(seen.codec.decode(batch, codes, Draws(0)).values())).reshape(n, -1)
        told = np.empty((n, 0)) if batch.cond is None else batch.cond.numpy()
        found.append(np.concatenate([main, told], axis=1))
    return found


@dataclass(frozen=True)
class Classifier(Measure):
    """The AUC of a classifier of generated and held-out rows, by ``features`` of both.

    ``features`` are of generated, held-out and training rows, as many of each.
    """

    features: Features = as_delivered

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``auc``, its standard error near .5 as the spread."""
        made, held, train = self.features(seen)
        told = two_sample(made, held, train)
        error = math.sqrt(1 / (6 * told.n))
        yield Figure("auc", told.auc, told.floor, "", "lower", n=told.n, spread=error)


def two_sample(made: np.ndarray, held: np.ndarray, train: np.ndarray, seed: int = 0) -> TwoSample:
    """Train gradient-boosted trees to tell rows apart, three-fold (Lopez-Paz and Oquab 2017).

    Shapes (n, d) each, as many of each as the smallest has, at most ``MOST_ROWS``. More than
    ``MOST_COLUMNS`` columns are first brought down to the principal components of both together.
    """
    n = min(len(made), len(held), len(train), MOST_ROWS)
    return TwoSample(_auc(made[:n], held[:n], seed), _auc(train[:n], held[:n], seed), n)


def _auc(a: np.ndarray, b: np.ndarray, seed: int) -> float:
    x, y = np.concatenate([a, b]), np.repeat([0, 1], [len(a), len(b)])
    if x.shape[1] > MOST_COLUMNS:
        x = PCA(min(MOST_COLUMNS, len(x)), random_state=seed).fit_transform(x)
    odds = np.empty(len(x))
    folds = StratifiedKFold(3, shuffle=True, random_state=seed).split(x, y)
    with threadpool_limits(1):  # so that sums, and the bytes of a run, do not depend on the machine
        for fit, test in folds:
            trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
            odds[test] = trees.fit(x[fit], y[fit]).predict_proba(x[test])[:, 1]
    area = float(roc_auc_score(y, odds))
    return max(area, 1 - area)
