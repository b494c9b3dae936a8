"""Fully connected critics, for tables, vectors and small pictures."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from surveyor.critics import ChainCritic, Critic
from surveyor.data import Space
from surveyor.data.bounds import check_memory
from surveyor.errors import InputError
from surveyor.layers.activations import MANY, Fourier, LeakyReLU
from surveyor.layers.initial import start


@dataclass(frozen=True)
class Mlp(Critic):
    """``depth`` hidden layers of ``width`` units, LeakyReLU with ``slope``.

    ``fourier`` adds as many random sines and cosines of the input, of frequency about
    ``fourier_scale``, for low-dimensional data with detail much finer than its spread.
    """

    width: int = 256
    depth: int = 3
    slope: float = 0.2
    fourier: int = 0
    fourier_scale: float = 3.0

    def __post_init__(self) -> None:
        if self.width < 1 or self.depth < 1:
            raise InputError(f"width {self.width} and depth {self.depth}: give at least 1 of each")
        if self.fourier < 0 or self.fourier_scale <= 0:
            raise InputError(
                f"fourier {self.fourier} of scale {self.fourier_scale}: give numbers above 0"
            )

    def build(self, space: Space) -> nn.Module:
        """Return the critic, a chain of linear layers."""
        entry: list[nn.Module] = [nn.Flatten()]
        if self.fourier:
            needed = 8 * MANY * space.width * self.fourier
            prefix = f"fourier={self.fourier:,}: {MANY:,} draws for each frequency take"
            check_memory(needed, prefix, "give fewer")
            entry.append(Fourier(space.width, self.fourier, self.fourier_scale))
        widths = [space.width + 2 * self.fourier] + [self.width] * self.depth
        layers: list[nn.Module] = [nn.Sequential(*entry, nn.Linear(widths[0], widths[1]))]
        for a, b in zip(widths[1:-1], widths[2:], strict=True):
            layers += [LeakyReLU(self.slope), nn.Linear(a, b)]
        layers += [LeakyReLU(self.slope), nn.Linear(widths[-1], 1)]
        shifts = {2 * k: self.width for k in range(self.depth)}
        start(layers, self.slope)
        return ChainCritic(nn.Sequential(*layers), space.cond, shifts, space.unit)
