"""Generators: nets that map a latent to points, one file each."""

from __future__ import annotations

from abc import abstractmethod

from torch import nn

from surveyor.catalog import Part, parts_in
from surveyor.data import Space
from surveyor.generators.latents import Latent, latents
from surveyor.generators.likelihood import UNSEEN, Likelihood, TabularLikelihood, Walker

__all__ = [
    "UNSEEN",
    "Generator",
    "Latent",
    "Likelihood",
    "TabularLikelihood",
    "Walker",
    "generators",
    "latents",
]


class Generator(Part):
    """A kind of generator; its fields are its options."""

    @property
    def takes_pictures(self) -> bool:
        """Return whether its conditions are pictures (n, \\*space.cond_shape)."""
        return False

    @abstractmethod
    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return a module (z (n, latent.width), cond (n, c) or None) -> raw (n, \\*space.raw).

        Raises:
            InputError: it cannot generate points of this space.
        """


def generators() -> dict[str, type[Generator]]:
    """Return every generator, keyed by its file's name."""
    return parts_in("surveyor.generators", Generator)  # type: ignore[type-abstract]
