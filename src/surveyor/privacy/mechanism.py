"""The interface of a mechanism of differential privacy."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from surveyor.catalog import Part


class Mechanism(Part):
    """A way to train with differential privacy; its ``defaults`` override those of the data.

    docs/defaults.md has the trials behind them.
    """

    defaults: ClassVar[Mapping[str, Any]] = {
        "objective": "wasserstein",
        "constraint": ("orthogonal",),
        "calibrate": "no",
        "noise": "none",
        "precision": "float32",
        "compile": "no",
        "critic": "mlp:width=64,depth=2",
        "critic_steps": 1,
    }

    @abstractmethod
    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield options that would use training rows outside the accounting."""
