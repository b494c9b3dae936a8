"""Generators: nets that make points from noise, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from surveyor.catalog import folder
from surveyor.data import Space
from surveyor.generators.latent import Latent
from surveyor.generators.likelihood import UNSEEN, Likelihood, TabularLikelihood

__all__ = ["UNSEEN", "Generator", "Latent", "Likelihood", "TabularLikelihood", "generators"]


class Generator(ABC):
    """A kind of generator; its fields are its options."""

    @property
    def answers(self) -> bool:
        """Return whether its conditions are pictures (n, \\*space.given), as a task gives them."""
        return False

    @abstractmethod
    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return a module (z (n, latent.width), cond (n, c) or None) -> raw (n, \\*space.raw).

        Raises:
            InputError: a space that it does not generate.
        """


def generators() -> dict[str, type[Generator]]:
    """Return every generator by the name of its file."""
    return folder("surveyor.generators", Generator)  # type: ignore[type-abstract]
