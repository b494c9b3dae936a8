"""Views: random transformations of what the critic sees, one per file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from surveyor.batch import Batch, Draws
from surveyor.catalog import Part, parts_in
from surveyor.data import Space


class View(Part):
    """A random map applied to real and generated points alike before the critic sees them.

    Distributions that differ should still differ afterwards, or the generator cannot learn it.
    """

    @abstractmethod
    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch that the critic sees; differentiable in x."""

    def unfit(self, space: Space) -> Iterator[str]:
        """Yield why this view does not apply to points of ``space``, one line each."""
        return iter(())


def views() -> dict[str, type[View]]:
    """Return every view by the name of its file."""
    return parts_in("surveyor.training.views", View)  # type: ignore[type-abstract]
