"""Constraints that hold the critic's slope, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, joined
from surveyor.catalog import folder
from surveyor.findings import Finding
from surveyor.lipschitz.certificate import certify
from surveyor.lipschitz.gradient_norms import squared_gradient_norms

__all__ = [
    "Constraint",
    "NormPenalty",
    "TermPenalty",
    "certify",
    "constraints",
    "squared_gradient_norms",
]


@dataclass(frozen=True)
class Constraint:
    """A way to hold the critic; each hook does nothing unless a constraint needs it.

    By its weights, ``install`` and ``project``, or by the loss: ``NormPenalty``, ``TermPenalty``.
    """

    per_sample: ClassVar[bool] = False
    """Whether it differentiates one sample's score, which no other sample may then change."""
    lags: ClassVar[bool] = True
    """Whether a critic held by it needs several steps for one of the generator."""

    def aimed(self, unit: float) -> Constraint:
        """Return the same constraint, aimed at a slope of ``unit`` where it has a target unsaid."""
        return self

    def checks(self, critic: nn.Module) -> Iterator[Finding]:
        """Yield what is known to go wrong with it on this critic."""
        return iter(())

    def install(self, critic: nn.Module) -> None:
        """Change the critic once, before training and before weights are loaded."""

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor | None:
        """Return the term for the critic's loss by autograd; None where there is none this step."""
        return None

    def project(self, critic: nn.Module) -> None:
        """Bring the weights back to the constraint, after each critic step."""

    def bound(self, critic: nn.Module) -> float | None:
        """Return a proven bound on the slope in x, the product of layer norms; None if unknown."""
        return certify(critic)

    def facts(self, critic: nn.Module) -> dict[str, float]:
        """Return numbers worth reporting."""
        return {}


@dataclass(frozen=True)
class NormPenalty(Constraint, ABC):
    """A penalty on |grad_x f| at some points, whose gradient is written out.

    Every backend differentiates it (``training/backends``).
    """

    @abstractmethod
    def penalised(self, real: Batch, fake: Batch, draws: Draws) -> list[Batch]:
        """Return the points that this step's penalty looks at; none where it rests."""

    @abstractmethod
    def cost(self, squares: Sequence[Tensor], weights: Sequence[Tensor | None]) -> Tensor:
        """Return the penalty of |grad_x f|^2, (n,) for each of ``penalised``, and row weights."""

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor | None:
        """Return the sum over the members of a committee; None where the penalty rests."""
        points = self.penalised(real, fake, draws)
        if not points:
            return None
        # One pass over all points together: small nets pay more for calls than for arithmetic.
        members = squared_gradient_norms(critic, joined(points))
        parts = [torch.split(squares, [len(b) for b in points]) for squares in members]
        return torch.stack([self.cost(p, [b.weight for b in points]) for p in parts]).sum()


@dataclass(frozen=True)
class TermPenalty(Constraint, ABC):
    """A penalty that is no function of |grad_x f|: autograd differentiates the critic's loss."""

    @abstractmethod
    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the term for the critic's loss."""


def constraints() -> dict[str, type[Constraint]]:
    """Return every constraint by the name of its file."""
    return folder("surveyor.lipschitz", Constraint)
