"""Views: what a critic is shown in place of the points themselves, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod

from surveyor.batch import Batch, Draws


class View(ABC):
    """A random map that real and generated points go through alike before the critic sees them.

    What two distributions differ in must still differ afterwards, or the generator learns less.
    """

    @abstractmethod
    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch as it is shown; differentiable in x."""
