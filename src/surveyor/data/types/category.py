"""Labels as they stand."""

from __future__ import annotations

from dataclasses import replace

from surveyor.data.types import Labels
from surveyor.data.values import Form


class Category(Labels):
    """Every distinct cell is a label; so is a number that is read as one."""

    samples = ("low", "NA", "10")
    literal = True

    def cast(self, form: Form) -> Form:
        """Return any form as one of labels."""
        return replace(form, kind="category")
