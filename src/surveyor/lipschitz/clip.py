"""Weight clipping: the first WGAN's constraint."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.lipschitz import Constraint
from surveyor.lipschitz.certificate import weighted


@dataclass(frozen=True)
class Clip(Constraint):
    """w <- max(-limit, min(limit, w)) after each critic step (Arjovsky et al. 2017).

    Weights only: biases do not change a slope. The critic is then K-Lipschitz for some K set by
    the limit and the architecture, seldom 1, so its gap is no estimate of W1.
    """

    limit: float = 0.01

    def __post_init__(self) -> None:
        if not self.limit > 0:
            raise InputError(f"clip: limit {self.limit}: give a number above 0")

    def install(self, critic: nn.Module) -> None:
        """Start inside the limit."""
        self.project(critic)

    @torch.no_grad()
    def project(self, critic: nn.Module) -> None:
        """Clip every weight on the data's path."""
        for layer in weighted(critic):
            layer.weight.clamp_(-self.limit, self.limit)

    @torch.no_grad()
    def facts(self, critic: nn.Module) -> dict[str, float]:
        """Return the share of weights that sit at the limit."""
        at = [(w.weight.abs() >= self.limit * (1 - 1e-6)).sum() for w in weighted(critic)]
        count = sum(w.weight.numel() for w in weighted(critic))
        return {"share of weights at the clip limit": float(sum(at)) / max(count, 1)}
