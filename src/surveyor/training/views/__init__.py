"""Views: what a critic is shown in place of the points themselves, one file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator

from surveyor.batch import Batch, Draws
from surveyor.catalog import Part, folder
from surveyor.data import Space


class View(Part):
    """A random map that real and generated points go through alike before the critic sees them.

    What two distributions differ in must still differ afterwards, or the generator learns less.
    """

    @abstractmethod
    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch as it is shown; differentiable in x."""

    def unfit(self, space: Space) -> Iterator[str]:
        """Yield why points of ``space`` cannot be shown so, one line each."""
        return iter(())


def views() -> dict[str, type[View]]:
    """Return every view by the name of its file."""
    return folder("surveyor.training.views", View)  # type: ignore[type-abstract]
