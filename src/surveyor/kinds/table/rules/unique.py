"""Keys: no value of a column occurs twice."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surveyor.kinds.table.rules import Checked, Rule, View


@dataclass(frozen=True)
class Unique(Rule):
    """Every row has a value of its own."""

    column: str

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the columns of whole numbers, dates and text without repetition."""
        for name in view.columns:
            values = view.numbers(name)
            present = values[np.isfinite(values)]
            whole = len(present) == len(values) and bool((present % 1 == 0).all())
            if whole and len(np.unique(present)) == len(present):
                yield cls(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    @property
    def text(self) -> str:
        """Return the rule in words."""
        return f"{self.column} is different in every row"

    def check(self, view: View) -> Checked:
        """Count the rows that repeat an earlier one."""
        values = view.frame[self.column]
        return Checked(values.notna().to_numpy(), values.duplicated().to_numpy())

    def chance(self, view: View) -> float:
        """Return the share that repeats among whole numbers drawn from the range of the column."""
        values = view.numbers(self.column)
        span = float(np.ptp(values)) + 1
        return -math.expm1(-len(values) / (2 * span))
