"""Columns of 0 and 1 of which exactly one is 1 in every row."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.kinds.table.constructions import Construction, Known, Learnt, Made
from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View, share_when_shuffled


@dataclass(frozen=True)
class OneHot(Rule):
    """Exactly one of ``columns`` is 1, or true."""

    columns: tuple[str, ...]

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield groups of at least three columns, grown from the one with most ones."""
        flags = {n: view.numbers(n) for n in view.columns}
        flags = {n: x for n, x in flags.items() if set(np.unique(x)) == {0.0, 1.0}}
        left = sorted(flags, key=lambda n: (-flags[n].sum(), n))
        while len(left) > 2:
            group, total = [left[0]], flags[left[0]].copy()
            for name in left[1:]:
                if ((total + flags[name]) > 1).mean() <= EXCEPTIONS / 4:
                    group.append(name)
                    total += flags[name]
            if len(group) > 2 and (total != 1).mean() <= EXCEPTIONS:
                yield cls(tuple(n for n in view.columns if n in group))
                left = [n for n in left if n not in group]
            else:
                left = left[1:]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the group."""
        return self.columns

    @property
    def text(self) -> str:
        """Return the rule in words."""
        return f"exactly one of {', '.join(self.columns)} holds"

    def check(self, view: View) -> Checked:
        """Count the ones of every row."""
        total = np.sum([view.numbers(n) for n in self.columns], axis=0)
        return Checked(np.isfinite(total), total != 1)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield all of them from one column of labels."""
        if self.check(view).counts[0] == 0:
            yield Labelled(self.columns, (), self.text)

    def chance(self, view: View) -> float:
        """Return the share with every column's values in another order."""
        return share_when_shuffled(self, view, *self.columns)


@dataclass(frozen=True, eq=False)
class Labelled(Construction):
    """Of the targets the one that a label names is 1, the others are 0."""

    def learnt(self, view: Known) -> Learnt:
        """Return the label in place of the first target."""
        hot = np.stack([view.numbers(name) for name in self.targets])
        labels = np.array([_label(k) for k in range(len(self.targets))], dtype=object)
        first, *others = self.targets
        return {first: pd.Series(labels[hot.argmax(0)]), **dict.fromkeys(others)}

    def restore(self, made: Made) -> None:
        """Set the target that the label names."""
        codes = made.numbers(self.targets[0])
        for k, name in enumerate(self.targets):
            made.values[name] = 1.0 * (codes == k)


def _label(k: int) -> str:
    return f"{k:04}"
