"""Patterns of text: letters and digits in fixed places."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View

VALUES = 30  # different ones that a pattern takes
SHAPES = 2
DIGIT, UPPER, LOWER = "9", "A", "a"


@dataclass(frozen=True)
class Pattern(Rule):
    """Text has one of few ``shapes``, in which 9 is a digit, A a capital and a a small letter."""

    column: str
    shapes: tuple[str, ...]

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield columns of many texts with a digit in each, and few shapes."""
        for name, column in view.columns.items():
            if column.ordered or len(column.labels) < VALUES:
                continue
            shapes = _shapes(view.frame[name]).dropna()
            counts = shapes.value_counts(normalize=True)
            kept = counts[counts > EXCEPTIONS]
            if 0 < len(kept) <= SHAPES and all(DIGIT in shape for shape in kept.index):
                yield cls(name, tuple(map(str, kept.index)))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the column."""
        return (self.column,)

    @property
    def text(self) -> str:
        """Return the rule in words."""
        return f"{self.column} is written {' or '.join(self.shapes)}"

    def check(self, view: View) -> Checked:
        """Compare every text that is there."""
        shapes = _shapes(view.frame[self.column])
        return Checked(shapes.notna().to_numpy(), ~shapes.isin(self.shapes).to_numpy())

    def chance(self, view: View) -> float:
        """Return one half: texts are counted by value, and a free one has any shape."""
        distinct = view.frame[self.column].nunique()
        return 0.5 if distinct >= VALUES else 0.0


def _shapes(values: pd.Series) -> pd.Series:
    def shape(text: object) -> str:
        text = re.sub(r"[0-9]", DIGIT, str(text))
        return re.sub(r"[a-z]", LOWER, re.sub(r"[A-Z]", UPPER, text))

    known = {value: shape(value) for value in pd.unique(values.dropna())}
    return pd.Series(np.array([known.get(v) for v in values], dtype=object))
