"""Text: labels if they repeat; free text is not learnt, and empty in samples."""

from __future__ import annotations

from dataclasses import replace

from surveyor.data.types import Labels
from surveyor.data.values import Form


class Text(Labels):
    """Every distinct text is a label."""

    samples = ("a few words", "NULL", "x, y")
    literal = True

    @property
    def family(self) -> str:
        """Return the type that reads text."""
        return "category"

    def describe(self, form: Form) -> str:
        """Return that it is text: no labels are learnt of such a column."""
        return "text"

    def cast(self, form: Form) -> Form:
        """Return the form with its values as labels."""
        return replace(form, kind="category")
