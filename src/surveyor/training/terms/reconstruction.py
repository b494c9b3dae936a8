"""What an answer must have of the picture wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor

from surveyor.batch import Batch
from surveyor.training.terms import Term


@dataclass(frozen=True)
class Reconstruction(Term):
    """weight * E|G(c) - x|, or of its square; the mean goes over pixels, of values in [-1, 1]."""

    weight: float
    loss: Literal["absolute", "squared"] = "absolute"
    name: ClassVar[str] = "reconstruction"

    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term."""
        gap = made.x.float() - real.x
        return self.weight * (gap.abs() if self.loss == "absolute" else gap.square()).mean()
