"""The anchor: likelihood kept beside the game."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from torch import Tensor

from surveyor.batch import Batch, mean
from surveyor.training.terms import AnyTerm, LogLikelihood


@dataclass(frozen=True)
class Anchor(AnyTerm):
    """-weight * E log p(x | c), the negative log likelihood of real rows, in the game as well.

    The critic sees little of a generator that likelihood has taught, and the game alone drifts.
    """

    weight: float = 0.2
    name: ClassVar[str] = "anchor"
    needs_likelihood: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.weight < 0:
            raise ValueError("weight must be at least 0")

    def of(self, made: Batch, real: Batch, log_likelihood: LogLikelihood) -> Tensor:
        """Return the term."""
        return -self.weight * mean(log_likelihood(real), real.weight)

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Refuse differential privacy, under which real rows may move the game's critic alone."""
        if chosen["privacy"] is not None:
            yield "--term=anchor: not with --privacy; leave it out, or give --warm-start 1"
