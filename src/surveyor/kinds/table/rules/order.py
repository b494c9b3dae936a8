"""Order: one column is never above another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.stats import norm, rankdata

from surveyor.data.types import column_type
from surveyor.kinds.table.constructions import Construction, Known, Residual
from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View

LOOKED = 2000


@dataclass(frozen=True)
class Order(Rule):
    """``low`` <= ``high``, both numbers or both dates."""

    low: str
    high: str
    rank: ClassVar[int] = 2

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the pairs in order, without those that follow from two others."""
        pairs = set()
        for family in {_family(view, name) for name in view.ordered}:
            names = [name for name in view.ordered if _family(view, name) == family]
            values = np.stack([view.numbers(name)[:LOOKED] for name in names], axis=1)
            for i, low in enumerate(names):
                above = (values[:, [i]] > values).mean(0)
                below = (values[:, [i]] < values).mean(0)
                for j in np.flatnonzero((above <= 2 * EXCEPTIONS) & (below > 0)):
                    pairs.add((low, names[j]))
        every = {name for pair in pairs for name in pair}
        for low, high in sorted(pairs):
            if not any((low, k) in pairs and (k, high) in pairs for k in every - {low, high}):
                yield cls(low, high)

    @property
    def names(self) -> tuple[str, ...]:
        """Return both."""
        return self.low, self.high

    @property
    def text(self) -> str:
        """Return ``low <= high``."""
        return f"{self.low} <= {self.high}"

    def check(self, view: View) -> Checked:
        """Compare rows in which neither is missing."""
        low, high = view.numbers(self.low), view.numbers(self.high)
        return Checked(np.isfinite(low) & np.isfinite(high), low > high)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield the larger as the smaller and more, then the smaller as the larger and less."""
        if self.check(view).counts[0] == 0:
            yield Extreme.fitted(view, self.high, [self.low], self.text, above=True)
            yield Extreme.fitted(view, self.low, [self.high], self.text, above=False)

    def chance(self, view: View) -> float:
        """Return the share under a Gaussian copula of the same marginals and rank correlation.

        So smooth a dependence keeps columns of different size in order, such as the width and the
        height of things of one shape; an order that is a rule is sharp.
        """
        low, high = view.numbers(self.low), view.numbers(self.high)
        both = np.isfinite(low) & np.isfinite(high)
        low, high = low[both], high[both]
        n = len(low)
        if n < 2 or low.min() == low.max() or high.min() == high.max():
            return 0.0
        scores = [norm.ppf((rankdata(x) - 0.5) / n) for x in (low, high)]
        rho = float(np.corrcoef(*scores)[0, 1])
        z, e = np.random.default_rng(0).normal(size=(2, n))
        other = rho * z + np.sqrt(max(1 - rho**2, 0.0)) * e
        drawn = [
            np.quantile(x, norm.cdf(u), method="inverted_cdf") for x, u in ((low, z), (high, other))
        ]
        return float((drawn[0] > drawn[1]).mean())


@dataclass(frozen=True, eq=False)
class Extreme(Residual):
    """The target is at least the largest of its parts, or at most the least of them."""

    above: bool = True

    def base(self, rows: Known) -> np.ndarray:
        """Return the largest or the least part that is there."""
        parts = np.stack([rows.numbers(name) for name in self.parts])
        return np.asarray((np.fmax if self.above else np.fmin).reduce(parts))

    def allowed(self, left: np.ndarray) -> np.ndarray:
        """Return residuals with the sign of the rule."""
        nearest = np.maximum if self.above else np.minimum
        return np.asarray(nearest(super().allowed(left), 0.0))

    def joined(self, other: Construction, view: Known) -> Construction | None:
        """Return a bound by the parts of both."""
        if not isinstance(other, Extreme) or other.above != self.above:
            return None
        parts, text = (*self.parts, *other.parts), f"{self.text}; {other.text}"
        return Extreme.fitted(view, self.target, parts, text, above=self.above)


def _family(view: View, name: str) -> str:
    return str(column_type(view.columns[name].kind).family)
