"""What a mechanism of differential privacy has to say."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from surveyor.catalog import Part


class Mechanism(Part):
    """A way to train with differential privacy; ``defaults`` go before those of the data.

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
        """Yield every other option that would look at rows without account."""
