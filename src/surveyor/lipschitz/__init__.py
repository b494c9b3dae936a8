"""Constraints on the critic's slope, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, joined
from surveyor.catalog import Part, parts_in
from surveyor.data import Space
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
class Constraint(Part):
    """A constraint on the critic's slope; every hook does nothing by default.

    A constraint acts on the weights (``install``, ``project``) or adds a term to the loss
    (``NormPenalty``, ``TermPenalty``).
    """

    per_sample: ClassVar[bool] = False
    """Whether it differentiates each sample's score, which must not depend on other samples."""
    lags: ClassVar[bool] = True
    """Whether a critic under this constraint needs several steps per generator step."""

    def with_target(self, unit: float) -> Constraint:
        """Return this constraint with a target slope of ``unit`` if its target was left open."""
        return self

    def within(self, space: Space) -> Constraint:
        """Return this constraint for points of ``space``."""
        return self

    def unfit(self, space: Space) -> Iterator[str]:
        """Yield why this constraint cannot hold a critic of points of ``space``."""
        return iter(())

    def checks(self, critic: nn.Module) -> Iterator[Finding]:
        """Yield known problems of this constraint on this critic."""
        return iter(())

    def install(self, critic: nn.Module) -> None:
        """Modify the critic once, before weights are loaded and training starts."""

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor | None:
        """Return the term for the critic's loss, by autograd; None if this step has none."""
        return None

    def project(self, critic: nn.Module) -> None:
        """Project the weights onto the constraint after each critic step."""

    def bound(self, critic: nn.Module) -> float | None:
        """Return a proven bound on the slope in x, the product of layer norms; None if unknown."""
        return certify(critic)

    def facts(self, critic: nn.Module) -> dict[str, float]:
        """Return numbers worth reporting."""
        return {}


@dataclass(frozen=True)
class NormPenalty(Constraint, ABC):
    """A penalty on |grad_x f| at chosen points, which every backend can differentiate."""

    @abstractmethod
    def penalised(self, real: Batch, fake: Batch, draws: Draws) -> list[Batch]:
        """Return the points to penalise in this step; an empty list skips the penalty."""

    @abstractmethod
    def cost(self, squares: Sequence[Tensor], weights: Sequence[Tensor | None]) -> Tensor:
        """Return the penalty from |grad_x f|^2 (n,) and row weights, one of each per batch."""

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor | None:
        """Return the penalty summed over a committee's members; None if this step skips it."""
        points = self.penalised(real, fake, draws)
        if not points:
            return None
        # One pass over all points: in small nets call overhead outweighs arithmetic.
        members = squared_gradient_norms(critic, joined(points))
        parts = [torch.split(squares, [len(b) for b in points]) for squares in members]
        return torch.stack([self.cost(p, [b.weight for b in points]) for p in parts]).sum()


@dataclass(frozen=True)
class TermPenalty(Constraint, ABC):
    """A penalty that is not a function of |grad_x f|; only autograd can differentiate it."""

    @abstractmethod
    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the term for the critic's loss."""


def constraints() -> dict[str, type[Constraint]]:
    """Return every constraint, keyed by its file's name."""
    return parts_in("surveyor.lipschitz", Constraint)
