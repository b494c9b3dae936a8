"""Values that are missing together, or where another is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View, share_when_shuffled

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
