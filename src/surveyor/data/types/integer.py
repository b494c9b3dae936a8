"""Whole numbers."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from surveyor.data.types import Cells
from surveyor.data.types.number import Number
from surveyor.data.values import Form


class Integer(Number):
    """Numbers without decimals, such as counts; recognised among the numbers."""

    samples = ("0", "-7", "12000")
    choosable = False
    discrete = True
    grains = (1.0,)

    @property
    def family(self) -> str:
        """Return the type that ``--type`` has for whole numbers."""
        return "number"

    def describe(self, form: Form) -> str:
        """Return that they are whole numbers."""
        return "whole number"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return nothing: ``Number`` recognises whole numbers as well."""
        return ()

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return whole numbers, of the nullable type if one is missing.

        Rows of another source may have decimals; they stay as they are.
        """
        present = values.dropna()
        if not (present == present.round()).all():
            return values
        return values.astype("Int64" if values.isna().any() else "int64")

    def possible(self, point: float) -> bool:
        """Return whether a number is whole."""
        return point == round(point)
