"""Rules kept by construction: columns that a generated row computes from its others.

The generator learns what the rules leave open: the difference of two ordered columns, not the
larger one; nothing at all of a sum whose parts it has. Rows get the columns of the table back.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from surveyor.catalog import name_of, parts_in
from surveyor.data.columns import Column
from surveyor.data.grains import decimals

Learnt = dict[str, pd.Series | None]
SOME = 5000  # rows whose decimals are counted


class Known(Protocol):
    """Rows with numbers by column: those of labels are codes, those that are missing NaN."""

    def numbers(self, name: str) -> np.ndarray:
        """Return a column, (n,)."""

    def missing(self, name: str) -> np.ndarray:
        """Return which rows have no value, (n,)."""


class Made:
    """Generated rows on their way to the columns of the table."""

    def __init__(self, columns: Mapping[str, Column], values: Mapping[str, np.ndarray]) -> None:
        self.columns, self.values = columns, dict(values)

    def numbers(self, name: str) -> np.ndarray:
        """Return a column, (n,)."""
        return self.values[name].astype(np.float64, copy=False)

    def missing(self, name: str) -> np.ndarray:
        """Return which rows have no value, (n,)."""
        column, values = self.columns[name], self.values[name]
        return np.isnan(values) if column.ordered else values >= len(column.labels)

    def remove(self, name: str, rows: np.ndarray) -> None:
        """Make a column's values missing in some ``rows`` (n,)."""
        column = self.columns[name]
        gone = np.nan if column.ordered else len(column.labels)
        self.values[name] = np.where(rows, gone, self.values[name])


@dataclass(frozen=True, eq=False)
class Construction(ABC):
    """How ``targets`` are computed from ``parts``, so that the rule ``text`` holds in every row."""

    targets: tuple[str, ...]
    parts: tuple[str, ...]
    text: str

    def learnt(self, view: Known) -> Learnt:
        """Return what the generator learns in place of targets, None for nothing."""
        return {}

    @abstractmethod
    def restore(self, made: Made) -> None:
        """Compute the targets of generated rows."""

    def joined(self, other: Construction, view: Known) -> Construction | None:
        """Return both at once, if the targets can obey both."""
        return None


@dataclass(frozen=True, eq=False)
class Residual(Construction):
    """The target is a ``base``, computed from the parts, plus a residual that is learnt.

    Where a part is missing, ``centre`` takes the place of the base. If the base is ``exact`` the
    residual is 0 elsewhere, and nothing is learnt if the base says the ``whole``. Targets have
    ``places`` decimals, None for any number.
    """

    centre: float = 0.0
    exact: bool = False
    whole: bool = False
    places: int | None = None

    @abstractmethod
    def base(self, rows: Known) -> np.ndarray:
        """Return what the parts give, (n,), NaN where one is missing."""

    @property
    def target(self) -> str:
        """Return the column that is computed."""
        return self.targets[0]

    @classmethod
    def fitted(cls, view: Known, target: str, parts: Sequence[str], text: str, **own: Any) -> Self:
        """Return the construction that fits the rows of ``view``."""
        values = view.numbers(target)
        there = np.isfinite(values)
        places = decimals(values[there][:SOME])
        given: dict[str, Any] = {"targets": (target,), "parts": tuple(parts), "text": text, **own}
        first = cls(**given, places=places)
        base = first.base(view)
        known = np.isfinite(base)
        left = first._rounded(values - base)[known & there]
        small = 0.0 if places is not None else 1e-9 * float(np.abs(values[there]).max(initial=0.0))
        exact = len(left) > 0 and bool((np.abs(left) <= small).all())
        whole = exact and bool((known == there).all())
        centre = float(first._rounded(np.median(base[known]))) if known.any() else 0.0
        return replace(first, centre=centre, exact=exact, whole=whole)

    def _rounded(self, values: np.ndarray) -> np.ndarray:
        return values if self.places is None else np.round(values, self.places) + 0.0

    def left(self, view: Known) -> np.ndarray:
        """Return the residual, (n,), NaN where the target is missing."""
        base, values = self.base(view), view.numbers(self.target)
        known = np.isfinite(base)
        left = self._rounded(values - np.where(known, base, self.centre))
        return np.where(known & np.isfinite(values), 0.0, left) if self.exact else left

    def learnt(self, view: Known) -> Learnt:
        """Return the residual."""
        return {self.target: None if self.whole else pd.Series(self.left(view))}

    def restore(self, made: Made) -> None:
        """Add the residual to the base."""
        base = self.base(made)
        if not self.whole:
            known, left = np.isfinite(base), made.numbers(self.target)
            left = np.where(known, self.allowed(left), left)
            base = np.where(known, base, self.centre) + left
        made.values[self.target] = self._rounded(base)

    def allowed(self, left: np.ndarray) -> np.ndarray:
        """Return residuals of known bases (n,) brought within the rule."""
        return 0.0 * left if self.exact else left


@dataclass(frozen=True, eq=False)
class Mask(Construction):
    """The target is missing where its part is.

    There the generator learns the code ``fill`` in place of a missing value.
    """

    fill: int = -1

    def restore(self, made: Made) -> None:
        """Remove the target where the part is missing."""
        made.remove(self.targets[0], made.missing(self.parts[0]))


@dataclass(frozen=True, eq=False)
class Choice:
    """What is kept by construction, in the order in which rows are restored.

    ``masks`` come first: they make what is learnt missing.
    """

    steps: tuple[Construction, ...] = ()
    masks: tuple[Mask, ...] = ()

    def learnt(self, view: Known) -> Learnt:
        """Return what the generator learns in place of columns of the table, None for nothing."""
        return {name: own for step in self.steps for name, own in step.learnt(view).items()}

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the rules that are kept."""
        return tuple(step.text for step in (*self.steps, *self.masks))

    def needing(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return ``names`` and the columns that are not there without them."""
        found = list(names)
        for step in (*self.masks, *self.steps):
            several = len(step.targets) > 1 and set(step.targets) & set(found)
            if several or set(step.parts) & set(found):
                found += [t for t in step.targets if t not in found]
        return tuple(found)

    def without(self, names: Sequence[str]) -> Choice:
        """Return what is kept of the columns that are there without ``names``."""
        gone = set(names)
        return Choice(
            tuple(step for step in self.steps if not set(step.targets) & gone),
            tuple(mask for mask in self.masks if not set(mask.targets) & gone),
        )

    @property
    def computed(self) -> set[str]:
        """Return the columns of which nothing is learnt."""
        whole = [s.target for s in self.steps if isinstance(s, Residual) and s.whole]
        return {*whole, *(t for s in self.steps for t in s.targets[1:])}

    def restore(self, made: Made) -> None:
        """Compute the columns of the table in generated rows."""
        for step in (*self.masks, *self.steps):
            step.restore(made)


def choose(offers: Sequence[Iterable[Construction]], view: Known) -> tuple[Construction, ...]:
    """Return the first construction of each rule that goes with those of the rules before it.

    A column is computed once, and never from itself.
    """
    kept: list[Construction] = []
    for alternatives in offers:
        for new in alternatives:
            old = [k for k in kept if _clash(k, new)]
            joined = new if not old else old[0].joined(new, view) if len(old) == 1 else None
            if joined is None:
                continue
            ordered = _ordered([*(k for k in kept if k not in old), joined])
            if ordered is not None:
                kept = ordered
                break
    return tuple(kept)


def _clash(one: Construction, other: Construction) -> bool:
    return bool(set(one.targets) & set(other.targets))


def _ordered(steps: Sequence[Construction]) -> list[Construction] | None:
    """Return steps in an order in which their parts are there, None if there is none."""
    left, done = list(steps), list[Construction]()
    while left:
        unknown = {target for step in left for target in step.targets}
        ready = [step for step in left if not unknown & set(step.parts)]
        if not ready:
            return None
        done += ready
        left = [step for step in left if step not in ready]
    return done


def constructions() -> dict[str, type[Construction]]:
    """Return every construction by the name of its rule's file."""
    return parts_in("surveyor.kinds.table.rules", Construction)  # type: ignore[type-abstract]


def choice_state(choice: Choice) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return what ``choice_restore`` reads back: JSON-ready values, and arrays."""
    metas: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for k, step in enumerate((*choice.masks, *choice.steps)):
        own = {f.name: getattr(step, f.name) for f in fields(step)}
        arrays |= {f"kept.{k}.{n}": v for n, v in own.items() if isinstance(v, np.ndarray)}
        plain = {n: v for n, v in own.items() if not isinstance(v, np.ndarray)}
        metas.append({"rule": "" if isinstance(step, Mask) else name_of(step), **plain})
    return metas, arrays


def choice_restore(metas: Sequence[Mapping[str, Any]], arrays: Mapping[str, np.ndarray]) -> Choice:
    """Return the choice that ``choice_state`` described."""
    known: dict[str, Any] = {"": Mask, **constructions()}
    made: list[Construction] = []
    for k, meta in enumerate(metas):
        own = {n: tuple(v) if isinstance(v, list) else v for n, v in meta.items() if n != "rule"}
        prefix = f"kept.{k}."
        own |= {n.removeprefix(prefix): v for n, v in arrays.items() if n.startswith(prefix)}
        made.append(known[meta["rule"]](**own))
    masks = tuple(step for step in made if isinstance(step, Mask))
    return Choice(tuple(step for step in made if not isinstance(step, Mask)), masks)
