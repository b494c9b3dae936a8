"""Measures of generated data on held-out rows, each number beside its floor; one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace

from surveyor.findings import Finding
from surveyor.measures.figures import Evaluation, Figure, Figures, NoFigure
from surveyor.measures.seen import ROWS, Seen, SeenRows, SeenRun, generated

__all__ = [
    "ROWS",
    "Evaluation",
    "Figure",
    "Figures",
    "Measure",
    "NoFigure",
    "RunMeasure",
    "Seen",
    "SeenRows",
    "SeenRun",
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


class RunMeasure(Measure):
    """A measure that needs a run's generator or critic; rows made elsewhere have none."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures of a run."""
        return self.of_run(seen) if isinstance(seen, SeenRun) else iter(())

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield warnings of a run."""
        return self.findings_of_run(figures, seen) if isinstance(seen, SeenRun) else iter(())

    @abstractmethod
    def of_run(self, seen: SeenRun) -> Iterator[Figure]:
        """Yield the figures; none if the measure does not apply to the data."""

    def findings_of_run(self, figures: Figures, seen: SeenRun) -> Iterator[Finding]:
        """Yield warnings that follow from the figures."""
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
