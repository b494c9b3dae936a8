"""Convolutional critics after DCGAN (Radford et al. 2016), for sides of at least 4 pixels."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from surveyor.critics import ChainCritic, Critic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.pictures import levels, pictures


@dataclass(frozen=True)
class Conv(Critic):
    """Channels double as the picture halves, from ``width`` at full size to about 4 pixels.

    Stride-2 convolutions halve the picture. There is no normalisation, which would make a score
    depend on the other samples of the batch.
    """

    width: int = 32
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"width {self.width}: give at least 1")

    def build(self, space: Space) -> nn.Module:
        """Return the critic, a chain of convolutions and one linear layer."""
        pictures(space, "conv")
        channels, height, width = space.shape
        layers: list[nn.Module] = [nn.Conv2d(channels, self.width, 3, padding=1)]
        wide, shifts = self.width, {0: self.width}
        for _ in range(levels(height, width)):
            layers += [LeakyReLU(self.slope), nn.Conv2d(wide, 2 * wide, 4, stride=2, padding=1)]
            wide, height, width = 2 * wide, height // 2, width // 2
            shifts[len(layers) - 1] = wide
        layers += [LeakyReLU(self.slope), nn.Flatten(), nn.Linear(wide * height * width, 1)]
        return ChainCritic(nn.Sequential(*layers), space.cond, shifts, space.unit)
