"""A figure: a number beside its floor, with all it takes to read it; and an evaluation of many."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from surveyor.findings import Finding
from surveyor.training.privacy import Privacy

By = Literal["", "place", "condition", "group", "column", "pair", "formula", "label", "other"]


class NoFigure(LookupError):
    """A figure that is asked for, and is not there."""


@dataclass(frozen=True)
class Figure:
    """``value`` on ``n`` rows a side, and ``floor``: the same between real and real.

    ``of`` names the part that it speaks of, ``by`` what kind of part that is; both are empty where
    it speaks of everything. ``spread`` is a standard error, or how much the floor scatters between
    samples. ``better`` says which way is good. A figure of ``rows="train"`` speaks of training
    rows. None stands for what could not be measured.
    """

    name: str
    value: float | None
    floor: float | None = None
    unit: str = ""
    better: Literal["lower", "higher", "floor", ""] = ""
    of: str = ""
    by: By = ""
    n: int = 0
    spread: float | None = None
    rows: Literal["held", "train"] = "held"

    @property
    def ratio(self) -> float | None:
        """Return value / floor; None where either is missing or the floor is 0."""
        if self.value is None or self.floor is None or self.floor <= 0:
            return None
        return self.value / self.floor

    @property
    def known(self) -> float:
        """Return the value of a figure that was measured.

        Raises:
            NoFigure: it was not.
        """
        return self._told(self.value, "no value")

    @property
    def known_floor(self) -> float:
        """Return the floor of a figure that has one.

        Raises:
            NoFigure: it has none.
        """
        return self._told(self.floor, "no floor")

    @property
    def known_spread(self) -> float:
        """Return the standard error of a figure that has one.

        Raises:
            NoFigure: it has none.
        """
        return self._told(self.spread, "no spread")

    def _told(self, number: float | None, without: str) -> float:
        if number is None:
            raise NoFigure(f"{self.name!r} {self.of}".strip() + f": {without}")
        return number


@dataclass(frozen=True)
class Figures:
    """Figures by name, and by name and part: ``figures["w1"]``, ``figures["w1", "digit=3"]``."""

    every: tuple[Figure, ...] = ()

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.every)

    def __getitem__(self, key: str | tuple[str, str]) -> Figure:
        name, of = (key, "") if isinstance(key, str) else key
        found = self.get(name, of)
        if found is None:
            raise NoFigure(f"no {name!r} {of}".strip())
        return found

    def __contains__(self, name: str) -> bool:
        return any(f.name == name for f in self.every)

    def get(self, name: str, of: str = "") -> Figure | None:
        """Return a figure, or None where there is none."""
        return next((f for f in self.every if (f.name, f.of) == (name, of)), None)

    def parts(self, name: str, *by: By) -> tuple[Figure, ...]:
        """Return the figures of that name which speak of parts, of certain kinds if said."""
        return tuple(f for f in self.every if f.name == name and (f.by in by if by else f.by))


@dataclass(frozen=True)
class Evaluation:
    """What is said of a run, the sentence first, and every figure that it rests on.

    ``n`` rows a side are what W1 was measured on, in ``unit``. ``findings`` are those of the
    measures, ``preflight`` those made before training.
    """

    verdict: str
    n: int
    unit: str
    figures: tuple[Figure, ...]
    findings: tuple[Finding, ...] = ()
    preflight: tuple[Finding, ...] = ()
    best_step: int = 0
    steps: int = 0
    privacy: Privacy | None = None

    @cached_property
    def by_name(self) -> Figures:
        """Return the figures as they are looked up."""
        return Figures(self.figures)

    def __getitem__(self, key: str | tuple[str, str]) -> Figure:
        """Return ``evaluation["w1"]``, or of a part ``evaluation["w1", "digit=3"]``."""
        return self.by_name[key]

    def parts(self, name: str, *by: By) -> tuple[Figure, ...]:
        """Return the figures of that name which speak of parts: conditions, groups, columns."""
        return self.by_name.parts(name, *by)

    def numbers(self) -> dict[str, Any]:
        """Return what JSON holds; what is no finite number is None."""
        told = asdict(self)
        return told | {"figures": [_short(figure) for figure in told["figures"]]}


def _short(figure: dict[str, Any]) -> dict[str, Any]:
    """Leave out of a figure what is as usual."""
    kept = {k: v for k, v in figure.items() if v != getattr(Figure, k, None) or k == "value"}
    odd = [k for k, v in kept.items() if isinstance(v, float) and not math.isfinite(v)]
    return kept | dict.fromkeys(odd)
