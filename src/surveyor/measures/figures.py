"""Figures: numbers beside their floors, and an evaluation made of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from surveyor.findings import Finding
from surveyor.training.privacy import Privacy

By = Literal[
    "",
    "place",
    "condition",
    "group",
    "column",
    "pair",
    "formula",
    "label",
    "test",
    "rule",
    "client",
    "file",
    "other",
]


class NoFigure(LookupError):
    """The requested figure does not exist."""


@dataclass(frozen=True)
class Figure:
    """``value`` on ``n`` rows per side, and ``floor``, the same measure between real and real.

    ``of`` names the part of the data that it describes, and ``by`` the kind of part; both are
    empty for all data. ``spread`` is a standard error, or the floor's variation between samples.
    ``better`` is the better direction. A figure with ``rows="train"`` uses training rows. ``note``
    is what it shows, in words. None means not measured.
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
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return value / floor; None if either is missing or the floor is 0."""
        if self.value is None or self.floor is None or self.floor <= 0:
            return None
        return self.value / self.floor

    @property
    def known(self) -> float:
        """Return the value.

        Raises:
            NoFigure: it was not measured.
        """
        return self._required(self.value, "no value")

    @property
    def known_floor(self) -> float:
        """Return the floor.

        Raises:
            NoFigure: the figure has none.
        """
        return self._required(self.floor, "no floor")

    @property
    def known_spread(self) -> float:
        """Return the spread.

        Raises:
            NoFigure: the figure has none.
        """
        return self._required(self.spread, "no spread")

    def _required(self, number: float | None, problem: str) -> float:
        if number is None:
            raise NoFigure(f"{self.name!r} {self.of}".strip() + f": {problem}")
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
        """Return a figure, or None."""
        return next((f for f in self.every if (f.name, f.of) == (name, of)), None)

    def parts(self, name: str, *by: By) -> tuple[Figure, ...]:
        """Return the figures ``name`` of parts of the data, optionally only of kinds ``by``."""
        return tuple(f for f in self.every if f.name == name and (f.by in by if by else f.by))


@dataclass(frozen=True)
class Evaluation:
    """The verdict on a run, and every figure behind it.

    W1 is measured on ``n`` rows per side, in ``unit``. ``findings`` come from the measures,
    ``preflight`` from the checks before training.
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
        """Return the figures for look-up by name."""
        return Figures(self.figures)

    def __getitem__(self, key: str | tuple[str, str]) -> Figure:
        """Return a figure: ``evaluation["w1"]``, or of a part ``evaluation["w1", "digit=3"]``."""
        return self.by_name[key]

    def parts(self, name: str, *by: By) -> tuple[Figure, ...]:
        """Return the figures ``name`` of parts of the data: conditions, groups, columns."""
        return self.by_name.parts(name, *by)

    def numbers(self) -> dict[str, Any]:
        """Return all fields for JSON, with None in place of numbers that are not finite."""
        fields = asdict(self)
        return fields | {"figures": [_short(figure) for figure in fields["figures"]]}


def _short(figure: dict[str, Any]) -> dict[str, Any]:
    """Return a figure without the fields that have their default."""
    short = {k: v for k, v in figure.items() if v != getattr(Figure, k, None) or k == "value"}
    odd = [k for k, v in short.items() if isinstance(v, float) and not math.isfinite(v)]
    return short | dict.fromkeys(odd)
