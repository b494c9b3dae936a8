"""Two-sample tests of generated against held-out rows, which see what W1 on a sample cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from surveyor.batch import Draws
from surveyor.measures import Figure, Measure, Seen
from surveyor.two_sample import FEWEST, Samples, of_points, prove
from surveyor.two_sample.classifier import Separation, separate_samples

MOST_ROWS = 20_000
CELLS = 50_000_000  # entries of a side's points in memory

Sides = Callable[[Seen], tuple[Samples, Samples]]


def as_delivered(seen: Seen) -> tuple[Samples, Samples]:
    """Return held-out against generated points, and against training points, as delivered.

    Generated points are rounded like the data; otherwise the exact zeros of real pictures would
    give them away.
    """
    held, train = seen.data.holdout, seen.data.train
    n = min(len(held), len(train), MOST_ROWS, max(seen.n, CELLS // seen.codec.space.width))
    batches = seen.held(n), seen.fake(n), seen.train(n)
    sides = zip(batches, (held.codes(n), seen.codes(n), train.codes(n)), strict=True)
    found = []
    for batch, codes in sides:
        main = next(iter(seen.codec.decode(batch, codes, Draws(0)).values()))
        main = main.reshape(len(batch), -1)
        cond = np.empty((len(batch), 0)) if batch.cond is None else batch.cond.numpy()
        found.append(np.concatenate([main, cond], axis=1))
    return of_points(found[0], found[1]), of_points(found[0], found[2])


@dataclass(frozen=True)
class TwoSample(Measure):
    """Whether any two-sample test proves that generated rows differ from held-out ones.

    ``sides`` returns held-out rows against generated ones, and against as many training rows.
    """

    sides: Sides = as_delivered

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``auc``, the classifier's, and each test's ``p_value``.

        The spread of ``auc`` is an upper bound of its standard error near .5.
        """
        both, found, auc = self._separated(seen)
        yield auc
        if auc.n < FEWEST:
            return
        both = replace(both, points=(both.points[0][: seen.n], both.points[1][: seen.n]))
        for test in prove(both, seen.seed).outcomes:
            note = found.witness if test.test == "classifier" else test.witness
            yield Figure(
                "p_value", test.p_value, None, "", "higher", test.test, "test",
                min(test.rows), note=note,
            )  # fmt: skip

    def auc(self, seen: Seen) -> Figure:
        """Return the classifier's ``auc`` alone."""
        return self._separated(seen)[2]

    def _separated(self, seen: Seen) -> tuple[Samples, Separation, Figure]:
        both, real = self.sides(seen)
        found, floor = separate_samples(both, seen.seed), separate_samples(real, seen.seed)
        n = min(found.rows)
        auc = Figure("auc", found.right, floor.right, "", "lower", n=n, spread=found.error)
        return both, found, auc
