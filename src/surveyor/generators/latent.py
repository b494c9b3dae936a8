"""The latent distribution."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.errors import InputError


@dataclass(frozen=True)
class Latent:
    """``normal`` Gaussians of standard deviation ``spread`` and ``bits`` fair random signs.

    With a continuous latent a generator must bridge the gaps between modes; discrete entries let
    it separate them (measured in docs/defaults.md).
    """

    normal: int = 128
    bits: int = 0
    spread: float = 1.0

    def __post_init__(self) -> None:
        if self.normal < 0 or self.bits < 0 or self.width == 0 or self.spread <= 0:
            raise InputError(
                f"latent of {self.normal} normals, {self.bits} bits, spread {self.spread}: "
                "give at least one entry and a spread above 0"
            )

    @property
    def width(self) -> int:
        """Return the number of entries."""
        return self.normal + self.bits

    def draw(self, n: int, draws: Draws) -> Tensor:
        """Return latents (n, width)."""
        normal = draws.normal(n, self.normal) * self.spread
        return torch.cat([normal, draws.signs(n, self.bits)], dim=1) if self.bits else normal
