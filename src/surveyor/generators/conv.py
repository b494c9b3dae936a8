"""Convolutional generators after DCGAN (Radford et al. 2016), for sides of at least 4 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.pictures import groups, levels, pictures


@dataclass(frozen=True)
class Conv(Generator):
    """From about 4 pixels up to full size; channels halve at every doubling, down to ``width``.

    Nearest-neighbour upsampling precedes each 3 x 3 convolution, which avoids checkerboard
    artefacts; group normalisation follows.
    """

    width: int = 32
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"width {self.width}: give at least 1")

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        pictures(space, "conv")
        return ConvGenerator(self, space, latent)


class ConvGenerator(nn.Module):
    """(z, cond) -> raw picture (n, c, h, w)."""

    def __init__(self, net: Conv, space: Space, latent: Latent) -> None:
        super().__init__()
        channels, self.height, self.width = space.raw
        n = levels(self.height, self.width)
        wide = net.width * 2**n
        self.base = (wide, math.ceil(self.height / 2**n), math.ceil(self.width / 2**n))
        self.first = nn.Linear(latent.width + space.cond, math.prod(self.base))
        blocks: list[nn.Module] = [nn.GroupNorm(groups(wide), wide), LeakyReLU(net.slope)]
        for _ in range(n):
            blocks += [
                Enlarge(wide, wide // 2),
                nn.GroupNorm(groups(wide // 2), wide // 2),
                LeakyReLU(net.slope),
            ]
            wide //= 2
        self.blocks = nn.Sequential(*blocks, nn.Conv2d(wide, channels, 3, padding=1))

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return raw pictures, cropped to size."""
        h = self.first(z if cond is None else torch.cat([z, cond], dim=1))
        raw: Tensor = self.blocks(h.view(-1, *self.base))
        return raw[:, :, : self.height, : self.width]


class Enlarge(nn.Module):
    """Nearest-neighbour upsampling by 2 and a 3 x 3 convolution, as one transposed convolution.

    Upsampling is a transposed convolution with a square of ones. Together the two have a 4 x 4
    kernel, the sum of the 3 x 3 kernel at four offsets: 4 products per pixel instead of 9, and no
    enlarged intermediate picture.
    """

    def __init__(self, wide: int, channels: int) -> None:
        super().__init__()
        like = nn.Conv2d(wide, channels, 3)
        self.weight, self.bias = like.weight, like.bias

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, channels, 2 h, 2 w)."""
        shifts = ((0, 1, 0, 1), (0, 1, 1, 0), (1, 0, 0, 1), (1, 0, 1, 0))
        kernel = sum(functional.pad(self.weight, shift) for shift in shifts)
        assert isinstance(kernel, Tensor)
        turned = kernel.flip(2, 3).transpose(0, 1)
        return functional.conv_transpose2d(h, turned, self.bias, stride=2, padding=1)
