"""Measures of generated data on held-out rows, each number beside its floor; one file each."""

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
    """One kind of figures, and the warnings that they imply."""

    @abstractmethod
    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures; none if the measure does not apply to the data."""

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield warnings that follow from the figures, its own and those of other measures."""
        return iter(())


def measured(seen: Seen, measures: Sequence[Measure]) -> tuple[Figures, tuple[Finding, ...]]:
    """Return the figures of all measures and their findings.

    For data that the run was not trained on, figures of training rows, and findings that need
    them, are left out.
    """
    figures = Figures()
    for measure in measures:
        made = tuple(f for f in measure(seen) if seen.own or f.rows == "held")
        figures = replace(figures, every=(*figures.every, *made))
    found = [f for measure in measures for f in measure.findings(figures, seen)]
    return figures, tuple(found)
