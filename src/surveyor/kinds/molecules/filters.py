"""A filter of molecules: no sample repeats another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.filters import Filter, PreparedFilter
from surveyor.kinds.molecules.codec import MoleculeCodec


@dataclass(frozen=True)
class Different(Filter):
    """Keep each molecule once, as in the training rows; with conditions it may repeat there."""

    def prepare(self, codec: MoleculeCodec, pilot: Callable[[], Any]) -> PreparedFilter | None:
        """Return the filter; None if the run has conditions."""
        return None if codec.condition.columns else Once()


@dataclass(frozen=True)
class Once(PreparedFilter):
    """Keep each molecule once."""

    def accepts(self, made: pd.DataFrame, u: np.ndarray) -> np.ndarray:
        """Return that all rows pass, (n,)."""
        return np.ones(len(made), dtype=bool)

    def first(self, made: pd.DataFrame) -> np.ndarray:
        """Return which rows repeat no molecule of an earlier row, (n,)."""
        return ~made.iloc[:, 0].duplicated().to_numpy()
