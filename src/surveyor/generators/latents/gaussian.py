"""A Gaussian latent, with random signs if asked for."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.catalog import Part, check_bounds

MOST = 2**16  # dimensions
LEAST = 1e-9  # spread


@dataclass(frozen=True)
class Latent(Part):
    """Gaussian ``dimensions`` of standard deviation ``spread``, and ``bits`` fair random signs.

    With a continuous latent a generator must bridge the gaps between modes; discrete entries let
    it separate them (measured in docs/defaults.md).
    """

    dimensions: int = 64
    bits: int = 0
    spread: float = 1.0

    def __post_init__(self) -> None:
        check_bounds(self, dimensions=(0, MOST), bits=(0, MOST), spread=(LEAST, math.inf))
        if self.width == 0:
            raise ValueError("dimensions=0,bits=0: give at least one of either")

    @property
    def width(self) -> int:
        """Return the number of entries."""
        return self.dimensions + self.bits

    def draw(self, n: int, draws: Draws) -> Tensor:
        """Return latents (n, width)."""
        normal = draws.normal(n, self.dimensions) * self.spread
        return torch.cat([normal, draws.signs(n, self.bits)], dim=1) if self.bits else normal

    def narrowed(self, factor: float) -> Latent:
        """Return the latent with its Gaussians narrowed by ``factor``."""
        return replace(self, spread=max(LEAST, factor * self.spread))
