"""A residual generator for super-resolution (Ledig et al. 2017, Lim et al. 2017)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.residual import Block


@dataclass(frozen=True)
class Upscale(Generator):
    """Bicubic upsampling plus a correction by ``blocks`` residual blocks.

    The blocks work at the source picture's size; sub-pixel convolutions then enlarge. The last
    layer starts at 0, so training starts from bicubic upsampling. No layer depends on the size, so
    a trained net enlarges pictures of any size.
    """

    width: int = 64
    blocks: int = 8
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1 or self.blocks < 1:
            raise InputError(
                f"upscale: width {self.width}, blocks {self.blocks}: give at least 1 of each"
            )

    @property
    def takes_pictures(self) -> bool:
        """Return True: it enlarges a source picture."""
        return True

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        if not space.cond_shape or space.shape[1] <= space.cond_shape[1]:
            raise InputError("upscale: only enlarges pictures; give --task super-resolution")
        return UpscaleGenerator(self, space, latent)


class UpscaleGenerator(nn.Module):
    """(z, source (n, c, h, w)) -> (n, c, scale h, scale w)."""

    def __init__(self, net: Upscale, space: Space, latent: Latent) -> None:
        super().__init__()
        self.scale = space.shape[1] // space.cond_shape[1]
        self.first = nn.Conv2d(space.cond_shape[0], net.width, 3, padding=1)
        self.from_latent = nn.Linear(latent.width, net.width, bias=False)
        self.blocks = nn.Sequential(*[Block(net.width, net.slope) for _ in range(net.blocks)])
        larger: list[nn.Module] = []
        for factor in _primes(self.scale):
            larger += [SubPixel(net.width, net.width, factor), LeakyReLU(net.slope)]
        self.larger = nn.Sequential(*larger)
        self.last = nn.Conv2d(net.width, space.raw[0], 3, padding=1)
        for block in self.blocks:
            assert isinstance(block, Block)
            nn.init.zeros_(block.second.weight)
        nn.init.zeros_(self.last.weight)
        assert self.last.bias is not None
        nn.init.zeros_(self.last.bias)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        """Return enlarged pictures."""
        h = self.first(source) + self.from_latent(z)[:, :, None, None]
        raw: Tensor = self.last(self.larger(h + self.blocks(h)))
        larger = functional.interpolate(source, scale_factor=float(self.scale), mode="bicubic")
        return larger.clamp(-1, 1) + raw


class SubPixel(nn.Module):
    """A convolution to f^2 values per position, which become f by f pixels (Shi et al. 2016).

    The values start equal, so that training starts without a checkerboard (Aitken et al. 2017).
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


def _primes(n: int) -> Iterator[int]:
    """Yield the prime factors of ``n`` in ascending order."""
    factor = 2
    while n > 1:
        while n % factor == 0:
            yield factor
            n //= factor
        factor += 1
