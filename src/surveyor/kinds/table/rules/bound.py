"""Bounds: a column is at least, or at most, a linear function of others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from surveyor.kinds.table.constructions import Construction
from surveyor.kinds.table.rules import Checked, Rule, View, share_when_shuffled
from surveyor.kinds.table.rules.linear import Linear, Sum


@dataclass(frozen=True)
class Bound(Rule):
    """The target of ``line`` is at least what it says, or at most; ``strict`` excludes equality.

    Such rules are declared, not found.
    """

    line: Linear
    above: bool
    strict: bool
    rank: ClassVar[int] = 2

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield none."""
        yield from ()

    @property
    def names(self) -> tuple[str, ...]:
        """Return the target and the other columns."""
        return self.line.names

    @property
    def text(self) -> str:
        """Return ``target >= a + 3``."""
        sign = (">" if self.above else "<") + "=" * (not self.strict)
        return self.line.text.replace(" = ", f" {sign} ", 1)

    def check(self, view: View) -> Checked:
        """Compare rows in which nothing is missing."""
        gap, near = self.line.gap(view) * (1 if self.above else -1), self.line.rounding(view)
        return Checked(np.isfinite(gap), gap <= near if self.strict else gap < -near)

    def chance(self, view: View) -> float:
        """Return the share with the target's values in another order."""
        return share_when_shuffled(self, view, self.line.target)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield the target, then each other column with a weight of 1, beyond the rest."""
        for line, sign in self.line.solved():
            above = self.above if sign > 0 else not self.above
            made = line.sum_of(view, self.text, Beyond, above=above)
            left = np.abs(made.left(view)[np.isfinite(made.base(view))])
            least = float(np.nanmin(left)) if self.strict and len(left) else 0.0
            yield replace(made, least=least)  # type: ignore[call-arg]


@dataclass(frozen=True, eq=False)
class Beyond(Sum):
    """The target is the sum and at least ``least`` more, or less."""

    above: bool = True
    least: float = 0.0

    def allowed(self, left: np.ndarray) -> np.ndarray:
        """Return residuals with the sign of the rule."""
        left = super().allowed(left)
        most = np.maximum(left, self.least) if self.above else np.minimum(left, -self.least)
        return np.asarray(most)
