"""Label noise: a known share of the labels is wrong."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns

POOL = 20_000  # conditions from which the true ones of a label are resampled


@dataclass(frozen=True, eq=False)
class LabelNoise:
    """The noise channel from true conditions to observed labels.

    In each column a ``share`` of the labels is replaced, uniformly by another; numbers are kept.
    Generated points are shown with labels that passed through the channel (Thekumparampil et al.
    2018); a likelihood sums over the labels that may be the true ones,
    p(x | observed) = sum_y P(y | observed) p(x | y) (Mnih, Hinton 2012).
    """

    columns: Columns
    share: float

    @property
    def combinations(self) -> int:
        """Return the number of combinations of labels."""
        return math.prod(odds.shape[1] for odds in self._true.values())

    @cached_property
    def _true(self) -> Mapping[int, Tensor]:
        """Return P(true label | observed label), (size + 1, size), by each column's first entry.

        The frequencies of true labels follow from those of observed ones; they are the last row,
        for a label that is unknown.
        """
        found, start = dict[int, Tensor](), 0
        for column in self.columns.columns:
            size = column.size
            if not column.ordered and size > 1:
                wrong = self.share / (size - 1)
                kept = 1 - self.share - wrong
                true = np.maximum(self._frequency(column), 1e-6)
                odds = true * (wrong + kept * np.eye(size))
                odds = np.vstack([odds, true])
                odds /= odds.sum(1, keepdims=True)
                found[start] = torch.from_numpy(odds.astype(np.float32))
            start += 1 + column.missing if column.ordered else size
        return found

    def _frequency(self, column: Column) -> np.ndarray:
        """Return the frequencies of a column's true labels, (size,), from those observed."""
        wrong = self.share / (column.size - 1)
        kept = 1 - self.share - wrong  # 0 where labels carry no information
        labelled: np.ndarray = np.maximum(column.frequency, 1e-12)
        if abs(kept) <= 1e-6:
            return labelled
        return np.asarray(np.maximum((labelled - wrong) / kept, 0))

    def truths(self, cond: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield every combination of true labels for observed conditions (n, width).

        Each comes as conditions (n, width), with the log probabilities (n,) of its labels given the
        observed ones. Columns are independent.
        """
        for labels in itertools.product(*(range(odds.shape[1]) for odds in self._true.values())):
            told, weight = cond.clone(), cond.new_zeros(len(cond))
            for label, (start, odds) in zip(labels, self._true.items(), strict=True):
                own = slice(start, start + odds.shape[1])
                observed = cond[:, own] * 2**0.5
                unknown = 1 - observed.sum(1, keepdim=True)
                shown = torch.cat([observed, unknown], dim=1)
                weight = weight + (shown @ odds[:, label].to(cond)).clamp_min(1e-30).log()
                told[:, own] = 0.0
                told[:, start + label] = 2**-0.5
            yield told, weight

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
            odds *= (self._frequency(column) / labelled)[pool[:, k]] * np.where(
                here, 1 - self.share, wrong
            )
        if odds.sum() == 0:
            return np.tile(code, (n, 1))
        at = np.searchsorted(np.cumsum(odds) / odds.sum(), draws.uniform(n).numpy(), "right")
        chosen: np.ndarray = pool[at.clip(0, len(pool) - 1)]
        return chosen
