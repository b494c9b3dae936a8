"""A filter of formulas: samples are neutral as often as in training, and unique."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.data.filters import Filter, PreparedFilter
from surveyor.kinds.table.charges import are_neutral
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.formula import formula_ratios


@dataclass(frozen=True)
class Formulas(Filter):
    """Keep neutral formulas as frequent as in training, and unique if they are unique there.

    Neutrality needs exact sums, which generated rows satisfy less often than the data. Let p be the
    share of neutral training rows and q that of generated rows in a pilot. Neutral rows are kept
    with a probability proportional to p / q, others to (1 - p) / (1 - q); the larger becomes 1.
    """

    def prepare(
        self, codec: TableCodec, pilot: Callable[[], pd.DataFrame]
    ) -> PreparedFilter | None:
        """Return the filter with probabilities from a pilot; None if it would keep every row."""
        odds = {}
        rows = pilot() if codec.neutral else pd.DataFrame()
        for name, p in codec.neutral.items():
            q = float(are_neutral(rows, name, codec.formulas).mean())
            if 0 < q < 1:
                both = p / q, (1 - p) / (1 - q)
                odds[name] = (both[0] / max(both), both[1] / max(both))
        return (
            Balanced(codec.formulas, odds, codec.unique_formulas)
            if odds or codec.unique_formulas
            else None
        )


@dataclass(frozen=True)
class Balanced(PreparedFilter):
    """Keep neutral and other rows with the two probabilities of ``odds``, by column.

    Formulas of the columns ``unique_formulas`` may not repeat.
    """

    formulas: Mapping[str, int]
    odds: Mapping[str, tuple[float, float]]
    unique_formulas: tuple[str, ...]

    def accepts(self, made: pd.DataFrame, u: np.ndarray) -> np.ndarray:
        """Return which rows are kept, (n,)."""
        agree = np.ones(len(u), dtype=bool)
        for name, odds in self.odds.items():
            agree &= u < np.where(are_neutral(made, name, self.formulas), *odds)
        return agree

    def first(self, made: pd.DataFrame) -> np.ndarray:
        """Return which rows repeat no formula of an earlier row, (n,)."""
        agree = np.ones(len(made), dtype=bool)
        for name in self.unique_formulas:
            own = pd.Series(formula_ratios(made, name, self.formulas), dtype=object)
            agree &= ~(own.duplicated() & own.notna()).to_numpy()
        return agree
