"""The reconstruction loss: the distance of generated pictures from their targets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from torch import Tensor

from surveyor.batch import Batch
from surveyor.training.terms import Term


@dataclass(frozen=True)
class Reconstruction(Term):
    """weight * E|G(c) - x| (``l1``) or E(G(c) - x)^2 (``l2``), a mean over pixels in [-1, 1]."""

    weight: float = 300.0
    loss: Literal["l1", "l2"] = "l1"
    name: ClassVar[str] = "reconstruction"

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("weight must be at least 0")

    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term."""
        gap = made.x.float() - real.x
        return self.weight * (gap.abs() if self.loss == "l1" else gap.square()).mean()

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Require a task: without one, no sample corresponds to a real row."""
        if chosen["task"] is None:
            yield "--term=reconstruction: nothing to reconstruct without a task; give a --task too"
