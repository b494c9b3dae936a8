"""Backends: how the losses of a step are differentiated. All give the same numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.critics.chain import Terms
from surveyor.training.losses import CriticLoss, GeneratorLoss

Found = tuple[Terms, list[Tensor]]


class Backend(ABC):
    """Terms of a loss over the critic's scores and gradient norms, and the gradient of their sum.

    ``precision`` is that of the products.
    """

    def net(self, generator: nn.Module) -> nn.Module:
        """Return what stands for ``generator`` in a step."""
        return generator

    @abstractmethod
    def critic(
        self, critic: nn.Module, points: Batch, loss: CriticLoss, precision: torch.dtype
    ) -> Found:
        """Return the terms, and the gradient in every parameter of the critic."""

    @abstractmethod
    def generator(
        self, critic: nn.Module, points: Batch, loss: GeneratorLoss, precision: torch.dtype
    ) -> tuple[Terms, Tensor]:
        """Return the terms, and the gradient in the fake points, (n, ...)."""


def products(device: torch.device, precision: torch.dtype) -> AbstractContextManager[object]:
    """Return a context in which products have the ``precision``."""
    if precision == torch.float32:
        return nullcontext()
    # The cache would keep a weight that was first seen without a gradient, and lose its own.
    return torch.autocast(device.type, precision, cache_enabled=False)
