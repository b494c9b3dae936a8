"""Weight clipping, the constraint of the original WGAN."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.findings import Finding
from surveyor.lipschitz import Constraint
from surveyor.lipschitz.certificate import weighted


@dataclass(frozen=True)
class Clip(Constraint):
    """w <- max(-limit, min(limit, w)) after each critic step (Arjovsky et al. 2017).

    Biases do not affect the slope and are not clipped. The critic is then K-Lipschitz for some K
    that depends on the limit and the architecture and is rarely 1, so its gap does not estimate W1.
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise InputError(f"clip: limit {self.limit}: give a number above 0")

    def install(self, critic: nn.Module) -> None:
        """Clip the initial weights."""
        self.project(critic)

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Clip every weight on the data's path."""
        for layer in weighted(critic):
            layer.weight.clamp_(-self.limit, self.limit)

    def checks(self, critic: nn.Module) -> Iterator[Finding]:
        """Yield a limit c out of scale; a layer's norm is at most c times sqrt(its entries)."""
        sizes = [w.weight.flatten(1).shape for w in weighted(critic)]
        gain = math.prod(self.limit * math.sqrt(a * b) for a, b in sizes)
        if gain < 0.05 or gain > 1e4:
            middle = math.prod(math.sqrt(a * b) for a, b in sizes) ** (-1 / len(sizes))
            yield Finding(
                "P06",
                "warn",
                f"a clip limit of {self.limit:g} allows a slope of at most {gain:.2g} in this "
                "critic",
                f"A limit near {2 * middle:.2g} fits its {len(sizes)} layers",
            )

    @torch.no_grad()
    def facts(self, critic: nn.Module) -> dict[str, float]:
        """Return the share of weights at the limit."""
        at = [(w.weight.abs() >= self.limit * (1 - 1e-6)).sum() for w in weighted(critic)]
        count = sum(w.weight.numel() for w in weighted(critic))
        return {"share of weights at the clip limit": float(sum(at)) / max(count, 1)}
