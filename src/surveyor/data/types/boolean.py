"""Booleans: True and False."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from surveyor.data.types import Cells, Fit, Labels
from surveyor.data.values import Form


class Boolean(Labels):
    """Two labels, returned as booleans."""

    samples = ("True", "False")
    choosable = False

    @property
    def family(self) -> str:
        """Return the type that ``--type`` has for booleans."""
        return "category"

    def describe(self, form: Form) -> str:
        """Return both values."""
        return "true or false"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return all cells of a text file's column if they are nothing but True and False."""
        return (
            cells.distinct
            if cells.from_text_file and set(cells.distinct) <= {"True", "False"}
            else ()
        )

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return a fit with the pandas type for booleans, nullable if a value is missing."""
        return Fit("boolean", "", "bool" if cells.complete else "boolean")

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return booleans."""
        truth = values.astype(object).map({"True": True, "False": False})
        return truth.astype("boolean" if truth.isna().any() else "bool")

    def find_label(self, text: str, labels: Sequence[str]) -> str:
        """Return the label, in whichever case it is written."""
        return {own.lower(): own for own in labels}.get(text.lower(), text)
