"""Values that are missing together, or where another is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from surveyor.kinds.table.constructions import Mask
from surveyor.kinds.table.rules import (
    EVIDENCE,
    EXCEPTIONS,
    Checked,
    Rule,
    View,
    share_when_shuffled,
)

LEAST = 20  # rows in which a value is missing


@dataclass(frozen=True)
class MissingTogether(Rule):
    """Where ``first`` is missing ``second`` is, and where ``both``, the other way round as well."""

    first: str
    second: str
    both: bool

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the pairs, without those that follow from two others."""
        gone = {n: view.missing(n) for n in view.columns}
        gone = {n: m for n, m in gone.items() if LEAST <= m.sum() < len(m)}
        inside = {
            (a, b)
            for a, b in itertools.permutations(gone, 2)
            if (gone[a] & ~gone[b]).sum() <= EXCEPTIONS * gone[a].sum()
        }
        leaders: list[str] = []
        for name in gone:
            same = next((k for k in leaders if {(k, name), (name, k)} <= inside), None)
            if same is None:
                leaders.append(name)
            else:
                yield cls(same, name, True)
        for a, b in itertools.permutations(leaders, 2):
            between = (k for k in leaders if k not in (a, b))
            if (a, b) in inside and not any({(a, k), (k, b)} <= inside for k in between):
                yield cls(a, b, False)

    @property
    def names(self) -> tuple[str, ...]:
        """Return both."""
        return self.first, self.second

    @property
    def text(self) -> str:
        """Return the rule in words."""
        if self.both:
            return f"{self.first} and {self.second} are missing together"
        return f"where {self.first} is missing, {self.second} is"

    def check(self, view: View) -> Checked:
        """Look at the rows in which either is missing, or the first."""
        first, second = view.missing(self.first), view.missing(self.second)
        return Checked(first | second if self.both else first, first != second)

    def chance(self, view: View) -> float:
        """Return the share with the second column's values in another order."""
        return share_when_shuffled(self, view, self.second)


def masks(view: View, names: Sequence[str]) -> tuple[Mask, ...]:
    """Return which of some columns are missing wherever another is, in every row.

    Of two that are missing together the second follows from the first.
    """
    gone = {n: view.missing(n) for n in names}
    gone = {n: m for n, m in gone.items() if LEAST <= m.sum() < len(m)}
    ordered = sorted(gone, key=lambda n: int(gone[n].sum()))
    found = []
    for k, target in enumerate(ordered):
        share, above = gone[target].mean(), np.zeros(len(view), dtype=bool)
        for part in reversed(ordered[:k]):
            own = gone[part]
            if (own & ~gone[target]).any() or -own.sum() * np.log(share) < EVIDENCE:
                continue
            if not (above & own).any():  # else a column between the two says it
                text = f"where {part} is missing, {target} is"
                found.append(Mask((target,), (part,), text))
            above |= own
    return tuple(found)
