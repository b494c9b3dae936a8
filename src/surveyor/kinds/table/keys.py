"""Rows told apart by their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.kinds.table.formula import part_names, restore_formulas


def row_keys(
    columns: Iterable[Column], rows: pd.DataFrame, formulas: Mapping[str, int]
) -> np.ndarray:
    """Return one number per row, (n,), equal for equal rows; formulas are compared as text."""
    values: dict[str, Any] = {}
    taken = {part for name, places in formulas.items() for part in part_names(name, places)}
    for column in columns:
        if column.name not in taken:
            own = rows[column.name]
            read = column.numbers(own) if column.ordered else column.encode(own)
            values[column.name] = np.asarray(read, dtype=float)
    plain = restore_formulas(rows, formulas)
    values |= {name: plain[name].fillna("").astype(str).to_numpy() for name in formulas}
    return pd.util.hash_pandas_object(pd.DataFrame(values), index=False).to_numpy()
