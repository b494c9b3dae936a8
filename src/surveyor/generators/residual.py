"""Residual convolutional generators of pictures, without normalisation (Huang et al. 2024)."""

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
from surveyor.layers.pictures import levels, pictures
from surveyor.layers.residual import stage, start_residual


@dataclass(frozen=True)
class Residual(Generator):
    """From about 4 pixels up to full size; channels halve at every doubling, down to ``width``.

    Each size has ``blocks`` blocks h + B(h), where B is two 3 x 3 convolutions, each after a
    LeakyReLU, with the last initialised to zero (Zhang et al. 2019), so that a deep net starts as
    a shallow one. Bilinear upsampling between sizes avoids checkerboard artefacts. No layer mixes
    samples. ``attention`` adds self-attention at sizes up to 16 pixels (Zhang et al. 2018).
    """

    width: int = 32
    blocks: int = 1
    attention: bool = False
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1 or self.blocks < 1:
            raise InputError(
                f"residual: width {self.width}, blocks {self.blocks}: give at least 1 of each"
            )

    def build(self, space: Space, latent: Latent) -> nn.Module:
        """Return the generator."""
        pictures(space, "residual")
        return ResidualGenerator(self, space, latent)


class ResidualGenerator(nn.Module):
    """(z, cond) -> raw picture (n, c, h, w)."""

    def __init__(self, net: Residual, space: Space, latent: Latent) -> None:
        super().__init__()
        channels, self.height, self.width = space.raw
        n = levels(self.height, self.width)
        wide = net.width * 2**n
        self.base = (wide, math.ceil(self.height / 2**n), math.ceil(self.width / 2**n))
        self.first = nn.Linear(latent.width + space.cond, math.prod(self.base))
        side, how = max(self.base[1:]), (net.blocks, net.attention, net.slope)
        stages: list[nn.Module] = [stage(wide, side, *how)]
        for k in range(n):
            # A 1 x 1 convolution commutes with upsampling, and is cheaper before it.
            stages += [nn.Conv2d(wide, wide // 2, 1), Resized(2.0)]
            wide //= 2
            stages.append(stage(wide, side * 2 ** (k + 1), *how))
        self.stages = nn.Sequential(*stages)
        self.last = nn.Sequential(LeakyReLU(net.slope), nn.Conv2d(wide, channels, 3, padding=1))
        start_residual(self, net.slope)

    def forward(self, z: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return raw pictures, cropped to size."""
        h = self.first(z if cond is None else torch.cat([z, cond], dim=1))
        raw: Tensor = self.last(self.stages(h.view(-1, *self.base)))
        return raw[:, :, : self.height, : self.width]


class Resized(nn.Module):
    """Bilinear upsampling.

    On CUDA by two matrix products, since PyTorch's derivative adds in any order there, and a seed
    would not give the same weights twice.
    """

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor
        self._matrices: dict[tuple[int, torch.device], Tensor] = {}

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, factor h, factor w)."""
        if h.is_cuda:
            return self.by_products(h)
        return functional.interpolate(h, scale_factor=self.factor, mode="bilinear")

    def by_products(self, h: Tensor) -> Tensor:
        """Return the same by matrix products."""
        rows, columns = (self._matrix(side, h.device) for side in h.shape[2:])
        return rows.mT @ (h @ columns)

    def _matrix(self, side: int, device: torch.device) -> Tensor:
        """Return the matrix (side, factor side) that upsamples a row."""
        if (side, device) not in self._matrices:
            row = functional.interpolate(
                torch.eye(side)[None], scale_factor=self.factor, mode="linear"
            )
            self._matrices[side, device] = row[0].to(device)
        return self._matrices[side, device]
