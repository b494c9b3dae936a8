"""Label noise: a known share of the labels is wrong."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data.conditions import Columns

POOL = 20_000  # conditions from which the true ones of a label are resampled


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """The noise channel from true conditions to observed labels.

    In each column a ``share`` of the labels is replaced, uniformly by another; numbers are kept.
    """

    columns: Columns
    share: float

    def __call__(self, cond: Tensor, draws: Draws) -> Tensor:
        """Return embedded conditions (n, width) with label noise."""
        return self.columns.flip_labels(cond, self.share, draws)

    def labelled(self, codes: np.ndarray, draws: Draws) -> np.ndarray:
        """Return the codes (n, columns) of conditions with label noise."""
        codes_shown = codes.copy()
        for k, column in enumerate(self.columns.columns):
            if not column.ordered and column.size > 1:
                flip = draws.uniform(len(codes)).numpy() < self.share
                step = 1 + draws.index(len(codes), column.size - 1).numpy()
                codes_shown[:, k] = np.where(flip, (codes[:, k] + step) % column.size, codes[:, k])
        return codes_shown

    def conditions_given_label(self, code: np.ndarray, n: int, draws: Draws) -> np.ndarray:
        """Draw the true conditions (n, columns) of ``n`` rows with label ``code``, by Bayes' rule.

        The frequencies of true labels follow from those of observed ones.
        """
        pool = self.columns.draw(POOL, draws)
        odds = np.ones(len(pool))
        for k, column in enumerate(self.columns.columns):
            here = pool[:, k] == code[k]
            if column.ordered or column.size < 2:
                odds *= here
                continue
            wrong = self.share / (column.size - 1)
            labelled = np.maximum(column.frequency, 1e-12)
            kept = 1 - self.share - wrong  # 0 where labels carry no information
            true = np.maximum((labelled - wrong) / kept, 0) if abs(kept) > 1e-6 else labelled
            odds *= (true / labelled)[pool[:, k]] * np.where(here, 1 - self.share, wrong)
        if odds.sum() == 0:
            return np.tile(code, (n, 1))
        at = np.searchsorted(np.cumsum(odds) / odds.sum(), draws.uniform(n).numpy(), "right")
        chosen: np.ndarray = pool[at.clip(0, len(pool) - 1)]
        return chosen
