"""Optimizers, one file each; their fields are their options."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn
from torch.optim import Optimizer

from surveyor.catalog import Part, parts_in


@dataclass(frozen=True)
class Updates(Part):
    """An optimizer and its options."""

    @property
    def capturable(self) -> bool:
        """Return whether its steps on CUDA read nothing from the host.

        Then learning rates are tensors on the device, and ``found_inf`` withholds an update.
        """
        return False

    @abstractmethod
    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> Optimizer:
        """Return a PyTorch optimizer for ``parameters`` at learning rate ``rate``."""


def optimizers() -> dict[str, type[Updates]]:
    """Return every optimizer by the name of its file."""
    return parts_in("surveyor.training.optimizers", Updates)  # type: ignore[type-abstract]
