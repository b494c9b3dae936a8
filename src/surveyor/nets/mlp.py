"""Fully connected nets, for tables, vectors and small pictures."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.data import Space
from surveyor.data.bounds import weigh
from surveyor.errors import InputError
from surveyor.nets import ChainCritic, Latent, Net
from surveyor.nets.activations import MANY, Fourier, LeakyReLU
from surveyor.nets.initial import start


@dataclass(frozen=True)
class Mlp(Net):
    """``depth`` hidden layers of ``width`` units with LeakyReLU of ``slope``.

    With ``residual`` each generator layer's output is joined to its input (as in CTGAN). With
    ``fourier`` the critic also sees that many random sines and cosines of its input, of frequency
    ``fourier_scale``: for few dimensions with detail finer than their spread.
    """

    width: int = 256
    depth: int = 3
    slope: float = 0.2
    residual: bool = False
    fourier: int = 0
    fourier_scale: float = 3.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.depth < 1:
            raise InputError(f"width {self.width} and depth {self.depth}: give at least 1 of each")
        if self.fourier < 0 or self.fourier_scale <= 0:
            raise InputError(
                f"fourier {self.fourier} of scale {self.fourier_scale}: give numbers above 0"
            )

    def generator(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        return MlpGenerator(self, space, latent)

    def critic(self, space: Space) -> nn.Module:
        """Return the critic, a chain of linear layers."""
        entry: list[nn.Module] = [nn.Flatten()]
        if self.fourier:
            needed = 8 * MANY * space.width * self.fourier
            told = f"fourier={self.fourier:,}: {MANY:,} draws for each frequency take"
            weigh(needed, told, "give fewer")
            entry.append(Fourier(space.width, self.fourier, self.fourier_scale))
        widths = [space.width + 2 * self.fourier] + [self.width] * self.depth
        layers: list[nn.Module] = [nn.Sequential(*entry, nn.Linear(widths[0], widths[1]))]
        for a, b in zip(widths[1:-1], widths[2:], strict=True):
            layers += [LeakyReLU(self.slope), nn.Linear(a, b)]
        layers += [LeakyReLU(self.slope), nn.Linear(widths[-1], 1)]
        shifts = {2 * k: self.width for k in range(self.depth)}
        start(layers, self.slope)
        return ChainCritic(nn.Sequential(*layers), space.cond, shifts, space.unit)


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
