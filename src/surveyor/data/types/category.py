"""Categories: every cell is a label."""

from __future__ import annotations

from dataclasses import replace

from surveyor.data.types import Labels
from surveyor.data.values import Form


class Category(Labels):
    """Every distinct value is a label, numbers included."""

    samples = ("low", "NA", "10")
    literal = True

    def cast(self, form: Form) -> Form:
        """Return the form with its values as labels."""
        return replace(form, kind="category")
