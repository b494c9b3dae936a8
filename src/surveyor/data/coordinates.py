"""Two data sets as tables of named columns, for those who ask what moved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from surveyor.data.columns import Column


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows of two data sets as tables, and the columns fitted to both; ``left_out`` are too many.

    Where a kind of data has no columns that a person would name, all of it is empty.
    """

    frames: tuple[pd.DataFrame, pd.DataFrame]
    columns: tuple[Column, ...] = ()
    left_out: int = 0


def unnamed(codec: Any, raw: tuple[Any, Any]) -> Coordinates:
    """Return no columns."""
    return Coordinates((pd.DataFrame(), pd.DataFrame()))
