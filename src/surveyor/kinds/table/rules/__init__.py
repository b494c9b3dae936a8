"""Rules of a table, one family a file: found in rows, confirmed on others, counted in any rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from surveyor.catalog import parts_in
from surveyor.data.columns import Column
from surveyor.data.grains import decimals
from surveyor.kinds.table.constructions import Construction

MOST_ROWS = 10_000  # to look for rules in, and as many to confirm them on
FEWEST_ROWS = 100
EXCEPTIONS = 0.01  # the largest share of rows that may break a rule
EVIDENCE = 20.0  # nats against chance
MOST_COLUMNS = 60  # among which relations of two or more columns are looked for


class View:
    """A table for rules: numbers and keys of columns, computed once."""

    def __init__(self, columns: Sequence[Column], frame: pd.DataFrame) -> None:
        self.columns: Mapping[str, Column] = {c.name: c for c in columns}
        self.frame = frame.reset_index(drop=True)
        self._numbers: dict[str, np.ndarray] = {}
        self._missing: dict[str, np.ndarray] = {}

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def ordered(self) -> list[str]:
        """Return the names of columns of numbers and dates."""
        return [name for name, c in self.columns.items() if c.ordered][:MOST_COLUMNS]

    def numbers(self, name: str) -> np.ndarray:
        """Return a column as numbers (n,), NaN where missing; categories as their codes."""
        if name not in self._numbers:
            column, values = self.columns[name], self.frame[name]
            made = column.numbers(values) if column.ordered else 1.0 * column.encode(values)
            self._numbers[name] = made
        return self._numbers[name]

    def unit(self, name: str) -> float:
        """Return the unit in which an equation takes a column: dates are in days."""
        column = self.columns[name]
        return column.form.scale.unit[0] if column.ordered else 1.0

    def in_units(self, name: str) -> np.ndarray:
        """Return a column in its unit, (n,)."""
        unit = self.unit(name)
        return self.numbers(name) if unit == 1 else self.numbers(name) / unit

    def missing(self, name: str) -> np.ndarray:
        """Return which rows have no value, (n,)."""
        if name not in self._missing:
            self._missing[name] = self.frame[name].isna().to_numpy()
        return self._missing[name]

    def shuffled(self, name: str, seed: int) -> View:
        """Return the table with one column's values in another order."""
        order = np.random.default_rng(seed).permutation(len(self))
        made = View(list(self.columns.values()), self.frame)
        made._numbers = {**self._numbers, name: self.numbers(name)[order]}
        made._missing = {**self._missing, name: self.missing(name)[order]}
        return made


@dataclass(frozen=True)
class Checked:
    """To which rows of a table a rule applies, and which of them break it, (n,) each."""

    applies: np.ndarray
    broken: np.ndarray

    @property
    def counts(self) -> tuple[int, int]:
        """Return how many rows break the rule, and to how many it applies."""
        return int((self.broken & self.applies).sum()), int(self.applies.sum())


class Rule(ABC):
    """A statement about every row of a table.

    Of rules that compute the same column, one of the least ``rank`` is kept: equations have 0,
    tables of values 1, and bounds 2.
    """

    rank: ClassVar[int] = 0

    @classmethod
    @abstractmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the rules of this family that hold in ``view``, by chance or not."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """Return the columns that it speaks of."""

    @property
    @abstractmethod
    def text(self) -> str:
        """Return the rule as a person would write it."""

    @abstractmethod
    def check(self, view: View) -> Checked:
        """Return which rows it applies to, and which break it."""

    @abstractmethod
    def chance(self, view: View) -> float:
        """Return the share of rows that would break it if it were none."""

    @property
    def exceptions(self) -> float:
        """Return the largest share of rows that may break it."""
        return EXCEPTIONS

    @property
    def size(self) -> int:
        """Return how many numbers state it; of rules that contradict, the shortest are kept."""
        return 1

    def implied(self, others: Sequence[Rule]) -> bool:
        """Return whether it follows from other rules."""
        return False

    def determines(self, child: str, parents: Sequence[str]) -> bool:
        """Return whether it says what a column is, given some others."""
        return False

    def constructions(self, view: View) -> Iterable[Construction]:
        """Return the ways to keep it in every row, best first; it holds in ``view``."""
        return ()


@dataclass(frozen=True)
class Found:
    """A rule of the data, and how many of the rows it was confirmed on break it."""

    rule: Rule
    broken: int
    rows: int


@cache
def families() -> dict[str, type[Rule]]:
    """Return every family of rules, by the name of its file."""
    return parts_in("surveyor.kinds.table.rules", Rule)  # type: ignore[type-abstract]


def find_rules(
    columns: Sequence[Column],
    rows: pd.DataFrame,
    seed: int = 0,
    among: Iterable[type[Rule]] | None = None,
) -> tuple[Found, ...]:
    """Return the rules that hold in ``rows``, but for a share of at most ``EXCEPTIONS``.

    They are of the families ``among``, or of all.

    Candidates come from half of the rows, and stay if they hold in the other half, where chance
    would break them so often that the odds are below exp(-``EVIDENCE``).
    """
    n = min(len(rows) // 2, MOST_ROWS)
    if n < FEWEST_ROWS:
        return ()
    order = np.random.default_rng(seed).permutation(len(rows))
    first, second = (
        View(columns, rows.iloc[np.sort(part)]) for part in (order[:n], order[n : 2 * n])
    )
    found = []
    for family in families().values() if among is None else among:
        for rule in family.candidates(first):
            broken, applies = rule.check(second).counts
            if applies < FEWEST_ROWS // 2 or broken > rule.exceptions * applies:
                continue
            if evidence(broken, applies, rule.chance(second)) >= EVIDENCE:
                found.append(Found(rule, broken, applies))
    every = [f.rule for f in found]
    return tuple(f for f in found if not f.rule.implied(every))


def share_when_shuffled(rule: Rule, view: View, *names: str) -> float:
    """Return the share of rows that break ``rule`` with the values of columns in another order."""
    for seed, name in enumerate(names):
        view = view.shuffled(name, seed)
    broken, applies = rule.check(view).counts
    return broken / max(applies, 1)


def evidence(broken: int, rows: int, chance: float) -> float:
    """Return rows KL(broken / rows || chance) in nats; 0 where chance breaks no more.

    By Sanov's theorem exp of its negative bounds the odds that chance breaks so few.
    """
    share = broken / max(rows, 1)
    if chance <= share:
        return 0.0
    chance = min(chance, 1 - 1e-12)
    kept = (1 - share) * np.log((1 - share) / (1 - chance)) if share < 1 else 0.0
    lost = share * np.log(share / chance) if share > 0 else 0.0
    return float(rows * (kept + lost))


def exceeds(made: tuple[int, int], real: tuple[int, int]) -> float:
    """Return the p-value that ``made`` (broken, rows) breaks a rule no more often than ``real``.

    Given how many rows of both break it, those made are binomial (conditional test, Przyborowski
    and Wilenski 1940).
    """
    total = made[0] + real[0]
    if total == 0 or made[1] == 0 or real[1] == 0:
        return 1.0
    share = made[1] / (made[1] + real[1])
    return float(binomtest(made[0], total, share, alternative="greater").pvalue)


def tolerance(view: View, name: str) -> float:
    """Return half of a column's last decimal, or a millionth of its largest value, in its unit."""
    values = view.numbers(name)
    return within_decimals(values[np.isfinite(values)][:2000]) / view.unit(name)


def within_decimals(values: np.ndarray) -> float:
    """Return half of the last decimal of numbers, or a millionth of the largest."""
    places = decimals(values)
    return 1e-6 * float(np.abs(values).max(initial=0.0)) if places is None else 0.5 * 10.0**-places
