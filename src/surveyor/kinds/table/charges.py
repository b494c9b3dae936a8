"""The charge neutrality of a column of formulas."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from surveyor.data.charges import neutral
from surveyor.kinds.table.formula import restore_formulas


def are_neutral(frame: pd.DataFrame, name: str, formulas: Mapping[str, int]) -> np.ndarray:
    """Return whether the formula of each row is neutral, (n,); a missing one is not."""
    texts = restore_formulas(frame, formulas)[name]
    return np.array([isinstance(t, str) and neutral(t) for t in texts], dtype=bool)


def neutral_share(frame: pd.DataFrame, name: str, formulas: Mapping[str, int]) -> float:
    """Return the share of rows whose formula is neutral."""
    return float(are_neutral(frame, name, formulas).mean())
