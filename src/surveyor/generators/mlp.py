"""Fully connected generators, for tables, vectors and small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.initial import start


@dataclass(frozen=True)
class Mlp(Generator):
    """``depth`` hidden layers of ``width`` units, LeakyReLU with ``slope``.

    With ``residual`` each layer's output is concatenated with its input (as in CTGAN).
    """

    width: int = 256
    depth: int = 3
    slope: float = 0.2
    residual: bool = False

    def __post_init__(self) -> None:
        if self.width < 1 or self.depth < 1:
            raise InputError(f"width {self.width} and depth {self.depth}: give at least 1 of each")

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        return MlpGenerator(self, space, latent)


class MlpGenerator(nn.Module):
    """(z, cond) -> raw output."""

    def __init__(self, net: Mlp, space: Space, latent: Latent) -> None:
        super().__init__()
        self.shape, self.residual = space.raw, net.residual
        width = latent.width + space.cond
        layers = []
        for _ in range(net.depth):
            layers.append(nn.Sequential(nn.Linear(width, net.width), LeakyReLU(net.slope)))
            width = width + net.width if net.residual else net.width
        self.layers = nn.ModuleList(layers)
        self.last = nn.Linear(width, int(torch.Size(space.raw).numel()))
        start([*self.layers, self.last], net.slope)
        if space.bias is not None:
            with torch.no_grad():
                self.last.bias.copy_(space.bias)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return raw output (n, \\*raw)."""
        h = z if cond is None else torch.cat([z, cond], dim=1)
        for layer in self.layers:
            h = torch.cat([layer(h), h], dim=1) if self.residual else layer(h)
        raw: Tensor = self.last(h)
        return raw.view(-1, *self.shape)
