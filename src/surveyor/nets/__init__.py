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
    """A chain of layers on the data; the condition shifts the output of every hidden layer.

    h <- layer(h) + V c, and f(x, c) = gain * h at the end. For a fixed condition the Lipschitz
    constant in x is at most gain times the product of the layers' norms: no V enters it.
    """

    gain: Tensor

    def __init__(
        self, layers: nn.Sequential, cond: int, shifts: dict[int, int], gain: float
    ) -> None:
        """``shifts`` gives, for the number of each layer to shift, its channels."""
        super().__init__()
        self.layers = layers
        self.shifts = nn.ModuleDict(
            {str(k): nn.Linear(cond, wide, bias=False) for k, wide in shifts.items() if cond}
        )
        self.register_buffer("gain", torch.tensor(float(gain)))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (n,)."""
        h = x
        for k, layer in enumerate(self.layers):
            h = layer(h)
            if cond is not None and str(k) in self.shifts:
                shift = self.shifts[str(k)](cond)
                h = h + shift.view(*shift.shape, *([1] * (h.ndim - 2)))
        scores: Tensor = self.gain * h.flatten()
        return scores
