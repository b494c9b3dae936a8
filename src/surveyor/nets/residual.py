"""Residual convolutional nets without normalisation, for pictures (Huang et al. 2024, R3GAN)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.nets import Latent, Net
from surveyor.nets.activations import LeakyReLU
from surveyor.nets.conv import levels, pictures


@dataclass(frozen=True)
class Residual(Net):
    """Channels double as the picture halves, from ``width`` at full size to about 4 pixels.

    At every size ``blocks`` blocks h + B(h), B two 3 x 3 convolutions with LeakyReLU before each
    and zeros to start with (Zhang et al. 2019), so that a deep net begins as a shallow one; between
    sizes bilinear scaling, which leaves no checkerboard. No layer looks at other samples.

    ``attention`` adds self-attention where the picture is at most 16 pixels (Zhang et al. 2018); it
    has no Lipschitz constant, so such a critic has no certificate. ``label`` is how a critic is
    told the condition: ``projection``, f = w . h(x) + (V c) . h(x) (Miyato and Koyama 2018), or
    ``concatenation``, c as constant pictures beside x.
    """

    width: int = 32
    blocks: int = 1
    attention: bool = False
    label: Literal["projection", "concatenation"] = "projection"
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1 or self.blocks < 1:
            raise InputError(
                f"residual: width {self.width}, blocks {self.blocks}: give at least 1 of each"
            )
        if self.label not in ("projection", "concatenation"):
            raise InputError(f"residual: label {self.label!r}; known: projection, concatenation")

    def generator(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        pictures(space, "residual")
        return ResidualGenerator(self, space, latent)

    def critic(self, space: Space) -> nn.Module:
        """Return the critic."""
        pictures(space, "residual")
        return ResidualCritic(self, space)


class ResidualGenerator(nn.Module):
    """(z, cond) -> raw picture (n, c, h, w)."""

    def __init__(self, net: Residual, space: Space, latent: Latent) -> None:
        super().__init__()
        channels, self.height, self.width = space.raw
        n = levels(self.height, self.width)
        wide = net.width * 2**n
        self.base = (wide, math.ceil(self.height / 2**n), math.ceil(self.width / 2**n))
        self.first = nn.Linear(latent.width + space.cond, math.prod(self.base))
        side = max(self.base[1:])
        stages: list[nn.Module] = [_stage(net, wide, side)]
        for k in range(n):
            # A 1 x 1 convolution commutes with enlarging, and is cheaper before it.
            stages += [nn.Conv2d(wide, wide // 2, 1), Resized(2.0)]
            wide //= 2
            stages.append(_stage(net, wide, side * 2 ** (k + 1)))
        self.stages = nn.Sequential(*stages)
        self.last = nn.Sequential(LeakyReLU(net.slope), nn.Conv2d(wide, channels, 3, padding=1))
        _start(self, net.slope)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return raw pictures, cropped to size."""
        h = self.first(z if cond is None else torch.cat([z, cond], dim=1))
        raw: Tensor = self.last(self.stages(h.view(-1, *self.base)))
        return raw[:, :, : self.height, : self.width]


class ResidualCritic(nn.Module):
    """(x, cond) -> scores (n,)."""

    gain: Tensor

    def __init__(self, net: Residual, space: Space) -> None:
        super().__init__()
        channels, height, width = space.shape
        self.beside = space.cond if net.label == "concatenation" else 0
        wide, n = net.width, levels(height, width)
        stages: list[nn.Module] = [nn.Conv2d(channels + self.beside, wide, 3, padding=1)]
        for _ in range(n):
            stages += [_stage(net, wide, max(height, width)), nn.Conv2d(wide, 2 * wide, 1)]
            stages.append(nn.AvgPool2d(2))
            wide, height, width = 2 * wide, height // 2, width // 2
        stages += [_stage(net, wide, max(height, width)), LeakyReLU(net.slope), nn.Flatten()]
        self.stages = nn.Sequential(*stages)
        features = 4 * net.width
        self.seen = nn.Sequential(nn.Linear(wide * height * width, features), LeakyReLU(net.slope))
        self.last = nn.Linear(features, 1)
        self.told = (
            nn.Linear(space.cond, features, bias=False) if space.cond and not self.beside else None
        )
        self.register_buffer("gain", torch.tensor(float(space.unit)))
        _start(self, net.slope)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (n,)."""
        if cond is not None and self.beside:
            x = torch.cat([x, cond[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        h = self.seen(self.stages(x))
        scores: Tensor = self.last(h).squeeze(1)
        if cond is not None and self.told is not None:
            scores = scores + (self.told(cond) * h).sum(1)
        return self.gain * scores


class Block(nn.Module):
    """h + B(h)."""

    def __init__(self, wide: int, slope: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(wide, wide, 3, padding=1)
        self.second = nn.Conv2d(wide, wide, 3, padding=1)
        self.slope = slope

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, h, w), the shape it was given."""
        b = self.first(functional.leaky_relu(h, self.slope))
        change: Tensor = self.second(functional.leaky_relu(b, self.slope))
        return h + change


class Attention(nn.Module):
    """h + g softmax(q(h) k(h)' / sqrt d) v(h) over all places, g starting at 0."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.narrow = max(1, wide // 8)
        self.asked = nn.Conv2d(wide, 2 * self.narrow + wide, 1)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, h, w), the shape it was given."""
        flat = self.asked(h).flatten(2)
        q, k, v = torch.split(flat, [self.narrow, self.narrow, h.shape[1]], dim=1)
        odds = (q.transpose(1, 2) @ k / self.narrow**0.5).softmax(2)
        change: Tensor = (v @ odds.transpose(1, 2)).view_as(h)
        return h + self.share * change


class Resized(nn.Module):
    """A picture enlarged bilinearly."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, factor h, factor w)."""
        return functional.interpolate(h, scale_factor=self.factor, mode="bilinear")


ATTENTIVE = 16  # pixels a side, at most, where places look at each other


def _stage(net: Residual, wide: int, size: int) -> nn.Module:
    blocks: list[nn.Module] = [Block(wide, net.slope) for _ in range(net.blocks)]
    if net.attention and size <= ATTENTIVE:
        blocks.append(Attention(wide))
    return nn.Sequential(*blocks)


def _start(net: nn.Module, slope: float) -> None:
    """Draw weights of variance 1 / fan-in, times 2 / (1 + slope^2) behind an activation."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, Block):
            module.first.weight.data.mul_((2 / (1 + slope**2)) ** 0.5)
            nn.init.zeros_(module.second.weight)
