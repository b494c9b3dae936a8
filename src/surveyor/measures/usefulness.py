"""Train on synthetic rows, test on real ones: whether a column can be predicted as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from threadpoolctl import threadpool_limits

from surveyor.measures import Figure, Measure, Seen

ROWS = 20_000  # to train on, and to test on
MOST_LABELS = 10  # rarer ones are pooled; numbers of at most as many whole values are labels


@dataclass(frozen=True, eq=False)
class Examples:
    """Rows (n, d) as finite numbers, and the ``target`` (n,) to predict, NaN where missing."""

    rows: np.ndarray
    target: np.ndarray

    @property
    def known(self) -> Examples:
        """Return the examples whose target is not missing."""
        there = ~np.isnan(self.target)
        return Examples(self.rows[there], self.target[there])


@dataclass(frozen=True, eq=False)
class Task:
    """Generated, training and held-out examples; ``labels`` says whether targets have no order."""

    made: Examples
    train: Examples
    held: Examples
    labels: bool


@dataclass(frozen=True)
class Usefulness(Measure):
    """How well boosted trees trained on generated rows predict ``target`` in held-out rows.

    Its floor is that of trees trained on as many training rows. For labels it is the AUC of each
    label against all others, weighted by their frequency: .5 is a guess, 1 perfect. For numbers it
    is R squared, the share of the variance that is explained: 0 for the mean of all rows, 1
    perfect.
    """

    target: str
    task: Callable[[Seen, str], Task | None]

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``usefulness``, if there is anything to predict the target from."""
        task = self.task(seen, self.target)
        if task is None:
            return
        made, train, held = (side.known for side in (task.made, task.train, task.held))
        labels = task.labels or _few_whole(train.target)
        predict = _by_label if labels else _by_number
        value, floor = (predict(side, held, seen.seed) for side in (made, train))
        n = min(len(made.target), len(train.target))
        unit = f"{'AUC' if labels else 'R squared'} of predicting {self.target}"
        yield Figure("usefulness", value, floor, unit, "higher", n=n)


def _few_whole(target: np.ndarray) -> bool:
    values = np.unique(target)
    return len(values) == 2 or (len(values) <= MOST_LABELS and bool((values % 1 == 0).all()))


def _by_label(fit: Examples, test: Examples, seed: int) -> float | None:
    """Return the AUC of every frequent label against all others; None without two labels."""
    values, counts = np.unique(test.target, return_counts=True)
    if len(values) < 2 or len(fit.target) == 0:
        return None
    frequent = values[np.argsort(-counts, kind="stable")[:MOST_LABELS]]
    y, truth = (
        np.where(np.isin(side.target, frequent), side.target, np.inf) for side in (fit, test)
    )
    classes = np.unique(y)
    odds = np.zeros((len(truth), 1))
    if len(classes) > 1:
        codes = np.searchsorted(classes, y)
        with threadpool_limits(1):  # the same bytes on any number of cores
            trees = HistGradientBoostingClassifier(random_state=seed, early_stopping=False)
            odds = trees.fit(fit.rows, codes).predict_proba(test.rows)
    place = {value: k for k, value in enumerate(classes)} if len(classes) > 1 else {}
    found = []
    for value, count in zip(*np.unique(truth, return_counts=True), strict=True):
        score = odds[:, place[value]] if value in place else np.zeros(len(truth))
        found.append((roc_auc_score(truth == value, score), count))
    areas, weights = np.array(found).T
    return float(np.average(areas, weights=weights))


def _by_number(fit: Examples, test: Examples, seed: int) -> float | None:
    """Return R squared on the rows to test on; None if all are equal."""
    if len(test.target) < 2 or test.target.std() == 0 or len(fit.target) == 0:
        return None
    with threadpool_limits(1):
        trees = HistGradientBoostingRegressor(random_state=seed, early_stopping=False)
        guess = trees.fit(fit.rows, fit.target).predict(test.rows)
    return float(r2_score(test.target, guess))
