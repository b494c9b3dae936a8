"""Truth values: True and False."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from surveyor.data.types import Cells, Fit, Labels
from surveyor.data.values import Form


class Boolean(Labels):
    """Two labels that come back as truth values."""

    samples = ("True", "False")
    choosable = False

    @property
    def family(self) -> str:
        """Return the type that a person asks for."""
        return "category"

    def describe(self, form: Form) -> str:
        """Return both values."""
        return "true or false"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return all cells of a file of text where they are nothing else."""
        return (
            cells.distinct
            if cells.from_text_file and set(cells.distinct) <= {"True", "False"}
            else ()
        )

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return the type of pandas that holds them, with a gap or without."""
        return Fit("boolean", "", "bool" if cells.complete else "boolean")

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return truth values."""
        truth = values.astype(object).map({"True": True, "False": False})
        return truth.astype("boolean" if truth.isna().any() else "bool")

    def find_label(self, text: str, labels: Sequence[str]) -> str:
        """Return a label that is written in other cases."""
        return {own.lower(): own for own in labels}.get(text.lower(), text)
