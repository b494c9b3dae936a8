"""Two data sets as tables of named columns, to explain what moved between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from surveyor.data.columns import Column


@dataclass(frozen=True, eq=False)
class Coordinates:
    """Rows of two data sets as tables, and the columns fitted to both.

    ``left_out`` is how many columns were left out as too many. Everything is empty for kinds of
    data without named columns.
    """

    frames: tuple[pd.DataFrame, pd.DataFrame]
    columns: tuple[Column, ...] = ()
    left_out: int = 0


def unnamed(codec: Any, raw: tuple[Any, Any]) -> Coordinates:
    """Return the coordinates of a kind without named columns: none."""
    return Coordinates((pd.DataFrame(), pd.DataFrame()))
