"""A column that follows from one or two others."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from surveyor.kinds.table.constructions import Construction, Known, Made
from surveyor.kinds.table.rules import (
    EXCEPTIONS,
    MOST_COLUMNS,
    Checked,
    Rule,
    View,
    share_when_shuffled,
)

SOME = 1500  # rows by which candidates are sorted out
AGAIN = 100  # rows whose parents' values were seen before
ROWS_A_KEY = 10  # that a table of values must have to be kept
RARE = 0.001  # the largest share of exceptions with two parents
NEVER = -1e300  # in place of a missing value
VALUES = 0.5  # the largest number of values of a column, as a share of the rows


@dataclass(frozen=True, eq=False)
class Follows(Rule):
    """``child`` is a function of ``parents``; rows with parents never seen are left out.

    ``keys`` (k,) stand for the parents' values, ascending, and ``values`` (k,) are the child's.
    """

    child: str
    parents: tuple[str, ...]
    keys: np.ndarray
    values: np.ndarray
    rank: ClassVar[int] = 1

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield children with one parent, then those with two that follow from neither."""
        names = [n for n in list(view.columns)[:MOST_COLUMNS] if _discrete(view.numbers(n))]
        if len(names) < 2:
            return
        some = np.stack([_filled(view.numbers(n)[:SOME]) for n in names])
        single: set[tuple[str, str]] = set()

        def likely(*parents: str) -> list[str]:
            return list(itertools.compress(names, _repeating(some, _key(view, parents, SOME))))

        children = {n: set(likely(n)) for n in names}
        for child, parent in itertools.permutations(names, 2):
            known = child in children[parent]
            rule = cls._fitted(view, child, (parent,)) if known else None
            if rule is not None:
                single.add((child, parent))
                yield rule
        for first, second in itertools.combinations(names, 2):
            if (first, second) in single or (second, first) in single:
                continue
            for child in likely(first, second):
                if child in (first, second) or {(child, first), (child, second)} & single:
                    continue
                rule = cls._fitted(view, child, (first, second))
                if rule is not None:
                    yield rule

    @classmethod
    def _fitted(cls, view: View, child: str, parents: tuple[str, ...]) -> Rule | None:
        codes = _key(view, parents, len(view))
        order = np.lexsort((_filled(view.numbers(child)), codes))
        key, value = codes[order], _filled(view.numbers(child))[order]
        runs = np.flatnonzero(np.append(True, (np.diff(key) != 0) | (np.diff(value) != 0)))
        sizes = np.diff(np.append(runs, len(key)))
        best = np.lexsort((-sizes, key[runs]))  # of each key the most frequent value first
        starts = best[np.append(True, np.diff(key[runs][best]) != 0)]
        keys, values = key[runs][starts], value[runs][starts]
        if sizes[starts].sum() < (1 - EXCEPTIONS) * len(key) or len(np.unique(values)) < 2:
            return None
        return cls(child, parents, keys, values)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the parents and the child."""
        return (*self.parents, self.child)

    @property
    def exceptions(self) -> float:
        """Return fewer for two parents, most of whose values together are rare."""
        return EXCEPTIONS if len(self.parents) == 1 else RARE

    @property
    def size(self) -> int:
        """Return the number of values."""
        return len(self.keys)

    def implied(self, others: Sequence[Rule]) -> bool:
        """Return whether a formula says more, or another parent would do in place of one."""
        own = set(self.names)
        if any(o.determines(self.child, self.parents) for o in others if o is not self):
            return True
        if any(set(o.names) == own and not isinstance(o, Follows) for o in others):
            return True
        if len(self.parents) == 1:
            return False
        single = {
            (o.child, o.parents[0])
            for o in others
            if isinstance(o, Follows) and len(o.parents) == 1
        }
        known = [set(o.names) for o in others if o is not self]
        return any(
            parent in self.parents and own - {parent} | {child} in known
            for child, parent in single
            if child not in own
        )

    @property
    def text(self) -> str:
        """Return the rule in words."""
        return f"{self.child} follows from {' and '.join(self.parents)}"

    def check(self, view: View) -> Checked:
        """Look the child up by its parents."""
        codes = _key(view, self.parents, len(view))
        place = np.minimum(np.searchsorted(self.keys, codes), len(self.keys) - 1)
        child = _filled(view.numbers(self.child))
        return Checked(self.keys[place] == codes, self.values[place] != child)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield a table of all rows, in which a value with exceptions is the most frequent one."""
        broken, applies = self.check(view).counts
        whole = self._fitted(view, self.child, self.parents)
        if not isinstance(whole, Follows) or len(whole.keys) > len(view) / ROWS_A_KEY:
            return
        if broken <= RARE * applies:
            yield Lookup((self.child,), self.parents, self.text, whole.keys, whole.values)

    def chance(self, view: View) -> float:
        """Return the share with the child's values in another order."""
        return share_when_shuffled(self, view, self.child)


@dataclass(frozen=True, eq=False)
class Lookup(Construction):
    """The target is looked up by its parts; parts never seen together leave it as it is learnt."""

    keys: np.ndarray
    values: np.ndarray

    def restore(self, made: Made) -> None:
        """Look the target up."""
        target = self.targets[0]
        codes = _key(made, self.parts, len(made.values[target]))
        place = np.minimum(np.searchsorted(self.keys, codes), len(self.keys) - 1)
        found = np.where(self.values[place] < NEVER / 2, np.nan, self.values[place])
        made.values[target] = np.where(self.keys[place] == codes, found, made.numbers(target))


def _discrete(values: np.ndarray) -> bool:
    return 1 < len(np.unique(_filled(values))) <= VALUES * len(values)


def _filled(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, NEVER)


def _key(view: Known, parents: tuple[str, ...], rows: int) -> np.ndarray:
    """Return one number for the parents' values of each row; equal ones for equal values."""
    key = _filled(view.numbers(parents[0])[:rows])
    for name in parents[1:]:
        other = _filled(view.numbers(name)[:rows])
        key = _mixed(key.view(np.uint64), other.view(np.uint64))
    return key


def _mixed(a: npt.NDArray[np.uint64], b: npt.NDArray[np.uint64]) -> np.ndarray:
    """Return a hash of 53 bits; two pairs of ten thousand share one with odds of 1e-8."""
    with np.errstate(over="ignore"):
        b = (b ^ (b >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = a * np.uint64(0x9E3779B97F4A7C15) + b
    return np.asarray((mixed ^ (mixed >> np.uint64(32))) >> np.uint64(11)).astype(np.float64)


def _repeating(columns: np.ndarray, key: np.ndarray) -> np.ndarray:
    """Return which ``columns`` (k, n) repeat, but for exceptions, where the ``key`` (n,) does."""
    order = np.argsort(key, kind="stable")
    same = np.diff(key[order]) == 0
    if (again := int(same.sum())) < AGAIN // 4:
        return np.zeros(len(columns), dtype=bool)
    before, after = order[:-1][same], order[1:][same]
    differs = (columns[:, before] != columns[:, after]).sum(axis=1)
    return np.asarray(differs <= 4 * EXCEPTIONS * again)
