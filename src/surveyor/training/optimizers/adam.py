"""Adam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.training.optimizers import Updates


@dataclass(frozen=True)
class Adam(Updates):
    """Adam (Kingma and Ba 2015). A beta1 of 0 or .5 suits a game, where old gradients mislead."""

    beta1: float = 0.0
    beta2: float = 0.9
    eps: float = 1e-8

    def __post_init__(self) -> None:
        if not (0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise InputError(
                f"adam: betas {self.beta1}, {self.beta2}: give numbers from 0 to below 1"
            )

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimizer."""
        betas = (self.beta1, self.beta2)
        return torch.optim.Adam(parameters, lr=rate, betas=betas, eps=self.eps, fused=True)
