"""Constraints that hold the critic's slope, one file each."""

from __future__ import annotations

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

__all__ = ["Constraint", "certify", "constraints", "squared_gradient_norms"]


@dataclass(frozen=True)
class Constraint:
    """A way to hold the critic; each hook does nothing unless a constraint needs it.

    Where ``beyond`` is set the constraint has a ``term`` of its own, and autograd differentiates
    the critic's loss; gradients in x alone are written out (``critics/chain.py``).
    """

    beyond: ClassVar[bool] = False
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

    def penalised(self, real: Batch, fake: Batch, draws: Draws) -> list[Batch]:
        """Return the points whose slopes this step's penalty looks at; none without a penalty."""
        return []

    def cost(self, squares: Sequence[Tensor], weights: Sequence[Tensor | None]) -> Tensor:
        """Return the penalty of |grad f|^2, (n,) for each ``penalised`` batch, and row weights."""
        raise NotImplementedError

    def term(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return a term of the critic's loss that looks at more than slopes in x."""
        raise NotImplementedError

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor | None:
        """Return the term for the critic's loss by autograd; None where there is none this step."""
        if self.beyond:
            return self.term(critic, real, fake, draws)
        points = self.penalised(real, fake, draws)
        if not points:
            return None
        # One pass over all points together: small nets pay more for calls than for arithmetic.
        members = squared_gradient_norms(critic, joined(points))
        parts = [torch.split(squares, [len(b) for b in points]) for squares in members]
        return torch.stack([self.cost(p, [b.weight for b in points]) for p in parts]).sum()

    def project(self, critic: nn.Module) -> None:
        """Bring the weights back to the constraint, after each critic step."""

    def bound(self, critic: nn.Module) -> float | None:
        """Return a proven bound on the slope in x, the product of layer norms; None if unknown."""
        return certify(critic)

    def facts(self, critic: nn.Module) -> dict[str, float]:
        """Return numbers worth reporting."""
        return {}


def constraints() -> dict[str, type[Constraint]]:
    """Return every constraint by the name of its file."""
    return folder("surveyor.lipschitz", Constraint)
