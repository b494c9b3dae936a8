"""Convolutional nets after DCGAN (Radford et al. 2016), for pictures of any size from 4 pixels."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.nets import ChainCritic, Latent, Net
from surveyor.nets.activations import LeakyReLU


@dataclass(frozen=True)
class Conv(Net):
    """Channels double as the picture halves, from ``width`` at full size to about 4 pixels.

    The critic halves with stride-2 convolutions and has no normalisation, which would tie the
    samples of a batch together; the generator enlarges by nearest neighbours before a 3 x 3
    convolution, which leaves no checkerboard, and normalises by group.
    """

    width: int = 32
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"width {self.width}: give at least 1")

    def generator(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        pictures(space, "conv")
        return ConvGenerator(self, space, latent)

    def critic(self, space: Space) -> nn.Module:
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
    """Nearest neighbours by 2, then a 3 x 3 convolution, as one transposed convolution.

    To enlarge is to convolve, transposed, with a square of ones; both together have the 4 x 4
    kernel that is the sum of the 3 x 3 one at four places: 4 products a pixel instead of 9, and no
    enlarged picture in between.
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


class SubPixel(nn.Module):
    """A convolution to f^2 values a place, which become f by f pixels (Shi et al. 2016).

    They start equal, so that nothing of a checkerboard is there to begin with (Aitken et al.
    2017).
    """

    def __init__(self, wide: int, channels: int, factor: int = 2) -> None:
        super().__init__()
        self.factor = factor
        self.values = nn.Conv2d(wide, channels * factor**2, 3, padding=1)
        with torch.no_grad():
            for of in (self.values.weight, self.values.bias):
                assert of is not None
                of.copy_(of[:: factor**2].repeat_interleave(factor**2, dim=0))

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, channels, factor h, factor w)."""
        return functional.pixel_shuffle(self.values(h), self.factor)


def levels(height: int, width: int) -> int:
    """Return how often a picture is halved on the way to about 4 pixels."""
    return max(1, int(math.log2(min(height, width) / 4)) if min(height, width) >= 8 else 1)


def groups(channels: int) -> int:
    """Return into how many groups a normalisation divides channels."""
    return math.gcd(channels, 8)


def pictures(space: Space, name: str) -> None:
    """Raise InputError where points are no pictures."""
    if len(space.shape) != 3:
        raise InputError(f"net {name!r} is for pictures; use mlp for tables and vectors")
