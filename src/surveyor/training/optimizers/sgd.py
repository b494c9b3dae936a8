"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from surveyor.errors import InputError
from surveyor.training.optimizers import Updates


@dataclass(frozen=True)
class Sgd(Updates):
    """Plain gradient descent, which the theory of the game assumes; momentum is optional."""

    momentum: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise InputError(f"sgd: momentum {self.momentum}: give a number from 0 to below 1")

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return torch.optim.SGD(parameters, lr=rate, momentum=self.momentum, foreach=True)
