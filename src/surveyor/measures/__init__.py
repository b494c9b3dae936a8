"""Measures of generated data on held-out rows, every number beside its floor: a file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from surveyor.findings import Finding
from surveyor.measures.figures import Evaluation, Figure, Figures, NoFigure
from surveyor.measures.seen import ROWS, Seen, generated

__all__ = [
    "ROWS",
    "Evaluation",
    "Figure",
    "Figures",
    "Measure",
    "NoFigure",
    "Seen",
    "generated",
    "measured",
]


class Measure(ABC):
    """Figures of what is seen, and what a person should know of them."""

    @abstractmethod
    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures; none where the data give nothing to measure."""

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield what the figures, those of measures before this one among them, warn of."""
        return iter(())


def measured(seen: Seen, measures: Sequence[Measure]) -> tuple[Figures, tuple[Finding, ...]]:
    """Return the figures of all measures and their findings.

    Of data that a run was not trained on, what speaks of training rows is left out, findings that
    look at it included.
    """
    figures = Figures()
    for measure in measures:
        made = tuple(f for f in measure(seen) if seen.own or f.rows == "held")
        figures = replace(figures, every=(*figures.every, *made))
    found = [f for measure in measures for f in measure.findings(figures, seen)]
    return figures, tuple(found)
