"""Nets: one file a family, each with a generator and a critic."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import nn

from surveyor.catalog import folder
from surveyor.data import Space
from surveyor.nets.chain import ChainCritic
from surveyor.nets.latent import Latent

__all__ = ["ChainCritic", "Latent", "Net", "nets"]


class Net(ABC):
    """A family of nets; its fields are its options."""

    @abstractmethod
    def generator(self, space: Space, latent: Latent) -> nn.Module:
        """Return a module (z (n, latent.width), cond (n, c) or None) -> raw (n, \\*space.raw)."""

    @abstractmethod
    def critic(self, space: Space) -> nn.Module:
        """Return a module (x (n, \\*space.shape), cond (n, c) or None) -> scores (n,)."""


def nets() -> dict[str, type[Net]]:
    """Return every family by the name of its file."""
    return folder("surveyor.nets", Net)  # type: ignore[type-abstract]
