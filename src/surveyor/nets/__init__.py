"""Nets: one file a family, each with a generator and a critic."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from surveyor.catalog import folder
from surveyor.data import Space
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


class ChainCritic(nn.Module):
    """A chain of layers on the data; the condition enters as a bias after the first.

    f(x, c) = gain * (layers[1:] o (layers[0](x) + V c)). For a fixed condition the Lipschitz
    constant in x is at most gain times the product of the layers' norms: V does not enter it.
    """

    gain: Tensor

    def __init__(self, layers: nn.Sequential, cond: int, first: int, gain: float) -> None:
        super().__init__()
        self.layers = layers
        self.condition = nn.Linear(cond, first, bias=False) if cond else None
        self.register_buffer("gain", torch.tensor(float(gain)))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (n,)."""
        head, *rest = self.layers
        h = head(x)
        if self.condition is not None and cond is not None:
            shift = self.condition(cond)
            h = h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))
        for layer in rest:
            h = layer(h)
        scores: Tensor = self.gain * h.flatten()
        return scores
