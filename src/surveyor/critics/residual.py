"""Residual convolutional critics of pictures, without normalisation (Huang et al. 2024)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from surveyor.critics import Critic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.pictures import levels, pictures
from surveyor.layers.residual import stage, start_residual


@dataclass(frozen=True)
class Residual(Critic):
    """Channels double as the picture halves, from ``width`` at full size to about 4 pixels.

    Each size has ``blocks`` blocks h + B(h), where B is two 3 x 3 convolutions, each after a
    LeakyReLU, with the last initialised to zero (Zhang et al. 2019), so that a deep net starts as
    a shallow one. Average pooling halves the size. No layer mixes samples.

    ``attention`` adds self-attention at sizes up to 16 pixels (Zhang et al. 2018); it has no
    Lipschitz constant, so such a critic has no certificate. ``label`` sets how the condition
    enters: ``projection``, f = w . h(x) + (V c) . h(x) (Miyato and Koyama 2018), or
    ``concatenation``, c as constant channels of x.
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

    def build(self, space: Space) -> nn.Module:
        """Return the critic."""
        pictures(space, "residual")
        return ResidualCritic(self, space)


class ResidualCritic(nn.Module):
    """(x, cond) -> scores (n,)."""

    gain: Tensor

    def __init__(self, net: Residual, space: Space) -> None:
        super().__init__()
        channels, height, width = space.shape
        self.beside = space.cond if net.label == "concatenation" else 0
        wide, n = net.width, levels(height, width)
        how = (net.blocks, net.attention, net.slope)
        stages: list[nn.Module] = [nn.Conv2d(channels + self.beside, wide, 3, padding=1)]
        for _ in range(n):
            stages += [stage(wide, max(height, width), *how), nn.Conv2d(wide, 2 * wide, 1)]
            stages.append(nn.AvgPool2d(2))
            wide, height, width = 2 * wide, height // 2, width // 2
        stages += [stage(wide, max(height, width), *how), LeakyReLU(net.slope), nn.Flatten()]
        self.stages = nn.Sequential(*stages)
        features = 4 * net.width
        self.seen = nn.Sequential(nn.Linear(wide * height * width, features), LeakyReLU(net.slope))
        self.last = nn.Linear(features, 1)
        self.projection = (
            nn.Linear(space.cond, features, bias=False) if space.cond and not self.beside else None
        )
        self.register_buffer("gain", torch.tensor(float(space.unit)))
        start_residual(self, net.slope)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (n,)."""
        if cond is not None and self.beside:
            x = torch.cat([x, cond[:, :, None, None].expand(-1, -1, *x.shape[2:])], dim=1)
        h = self.seen(self.stages(x))
        scores: Tensor = self.last(h).squeeze(1)
        if cond is not None and self.projection is not None:
            scores = scores + (self.projection(cond) * h).sum(1)
        return self.gain * scores
