"""RMSProp."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.training.optimizers import Updates


@dataclass(frozen=True)
class RmsProp(Updates):
    """RMSProp without momentum, as in the original WGAN (Arjovsky et al. 2017)."""

    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < 1:
            raise InputError(f"rmsprop: alpha {self.alpha}: give a number from 0 to below 1")

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.RMSprop(
            parameters, lr=rate, alpha=self.alpha, eps=self.eps, foreach=True
        )
