"""Samples of formulas: as many of them neutral as in training, and none twice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.data.filters import Filter, PreparedFilter
from surveyor.kinds.table.charges import are_neutral
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.formula import as_ratios


@dataclass(frozen=True)
class Formulas(Filter):
    """Neutral formulas as frequent as in training, and none twice where training had none twice.

    Charges are a matter of exact sums, which a generator meets less often than the data do. With
    p the share of neutral training rows and q that of generated ones, found on a pilot, neutral
    rows are kept with odds p / q, the others with (1 - p) / (1 - q), both over the larger.
    """

    def prepare(
        self, codec: TableCodec, pilot: Callable[[], pd.DataFrame]
    ) -> PreparedFilter | None:
        """Return the odds of neutral and other rows, by a pilot; None without formulas."""
        odds = {}
        rows = pilot() if codec.neutral else pd.DataFrame()
        for name, p in codec.neutral.items():
            q = float(are_neutral(rows, name, codec.formulas).mean())
            if 0 < q < 1:
                both = p / q, (1 - p) / (1 - q)
                odds[name] = (both[0] / max(both), both[1] / max(both))
        return Balanced(codec.formulas, odds, codec.single) if odds or codec.single else None


@dataclass(frozen=True)
class Balanced(PreparedFilter):
    """``odds`` of keeping a neutral row and another, by column; ``single`` ones may not repeat."""

    formulas: Mapping[str, int]
    odds: Mapping[str, tuple[float, float]]
    single: tuple[str, ...]

    def accepts(self, made: pd.DataFrame, u: np.ndarray) -> np.ndarray:
        """Return which rows are kept, (n,)."""
        agree = np.ones(len(u), dtype=bool)
        for name, odds in self.odds.items():
            agree &= u < np.where(are_neutral(made, name, self.formulas), *odds)
        return agree

    def first(self, made: pd.DataFrame) -> np.ndarray:
        """Return which rows hold no formula that an earlier row holds, (n,)."""
        agree = np.ones(len(made), dtype=bool)
        for name in self.single:
            own = pd.Series(as_ratios(made, name, self.formulas), dtype=object)
            agree &= ~(own.duplicated() & own.notna()).to_numpy()
        return agree
