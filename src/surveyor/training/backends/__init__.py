"""Backends that differentiate the losses of a step. All give the same numbers, up to rounding."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.critics.chain import Terms
from surveyor.training.losses import CriticLoss, GeneratorLoss

TermsAndGrads = tuple[Terms, list[Tensor]]


class Backend(ABC):
    """Computes the terms of a loss and the gradient of their sum.

    ``precision`` is that of the matrix products.
    """

    def net(self, generator: nn.Module) -> nn.Module:
        """Return the module to call in place of ``generator`` in a step."""
        return generator

    @abstractmethod
    def critic(
        self, critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
    ) -> TermsAndGrads:
        """Return the terms, and the gradient in every parameter of the critic."""

    @abstractmethod
    def generator(
        self, critic: nn.Module, points: Batch, loss: GeneratorLoss, precision: torch.dtype
    ) -> tuple[Terms, Tensor]:
        """Return the terms, and the gradient in the fake points, (n, ...)."""


def products(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Return a context in which matrix products have the given ``precision``."""
    if precision == torch.float32:
        return nullcontext()
    # The cache would reuse a cast made under no_grad, and lose the weight's gradient.
    return torch.autocast(device.type, precision, cache_enabled=False)
