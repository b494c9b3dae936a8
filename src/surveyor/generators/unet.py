"""A U-Net that translates a picture (Ronneberger et al. 2015, Isola et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.pictures import groups, levels


@dataclass(frozen=True)
class Unet(Generator):
    """Down to about 4 pixels and up again, with a skip connection at every size.

    ``width`` channels at full size double at every halving, up to eight times ``width``. Stride-2
    convolutions halve, nearest-neighbour upsampling precedes each 3 x 3 convolution on the way up,
    and group normalisation follows. The latent enters at the bottleneck. The net accepts pictures
    of any size, not only the size it was trained on.
    """

    width: int = 32
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError(f"unet: width {self.width}: give at least 1")

    @property
    def takes_pictures(self) -> bool:
        """Return True: it translates a source picture."""
        return True

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        if not space.cond_shape or space.cond_shape[1:] != space.shape[1:]:
            raise InputError(
                "unet: translates a picture to one of the same size; give --task translate"
            )
        return UnetGenerator(self, space, latent)


class UnetGenerator(nn.Module):
    """(z, source (n, c, h, w)) -> (n, c', h, w)."""

    def __init__(self, net: Unet, space: Space, latent: Latent) -> None:
        super().__init__()
        n = levels(*space.shape[1:])
        wide = [net.width * min(2**k, 8) for k in range(n + 1)]
        self.first = nn.Conv2d(space.cond_shape[0], wide[0], 3, padding=1)
        self.down = nn.ModuleList(
            nn.Sequential(LeakyReLU(net.slope), nn.Conv2d(a, b, 4, stride=2, padding=1), _norm(b))
            for a, b in zip(wide, wide[1:], strict=False)
        )
        self.from_latent = nn.Linear(latent.width, wide[-1], bias=False)
        self.up = nn.ModuleList(
            nn.Sequential(nn.Conv2d(b + a, a, 3, padding=1), _norm(a), LeakyReLU(net.slope))
            for a, b in reversed(list(zip(wide, wide[1:], strict=False)))
        )
        self.last = nn.Conv2d(wide[0], space.raw[0], 3, padding=1)

    def forward(self, z: Tensor, source: Tensor) -> Tensor:
        """Return translated pictures."""
        high, wide = source.shape[2:]
        least = 2 ** len(self.down)
        if min(high, wide) < least:
            pad = (0, max(0, least - wide), 0, max(0, least - high))
            source = functional.pad(source, pad, mode="replicate")
        skips = [self.first(source)]
        for down in self.down:
            skips.append(down(skips[-1]))
        h = skips.pop() + self.from_latent(z)[:, :, None, None]
        for up in self.up:
            skip = skips.pop()
            h = functional.interpolate(h, size=skip.shape[2:], mode="nearest")
            h = up(torch.cat([h, skip], dim=1))
        raw: Tensor = self.last(h)
        return raw[:, :, :high, :wide]


def _norm(channels: int) -> nn.Module:
    return nn.GroupNorm(groups(channels), channels)
