"""Chemical formulas, which are split into columns of elements and amounts."""

from __future__ import annotations

from collections.abc import Sequence

from surveyor.data.chemistry import is_chemistry, most_elements, unreadable
from surveyor.data.types import Cells, Fit, Labels
from surveyor.data.values import Form


class Formula(Labels):
    """Formulas such as Fe2O3, written as text."""

    samples = ("Fe2O3", "NaCl", "CaO2H2")

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return all cells if they are clearly formulas."""
        return cells.distinct if is_chemistry(cells.distinct) else ()

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return a fit with a place for each element of the longest formula."""
        if wrong := unreadable(cells.distinct):
            return Fit("category", unreadable=wrong)
        return Fit("category", places=most_elements(cells.distinct))

    def cast(self, form: Form) -> None:
        """Return None: only text can be read as formulas."""
