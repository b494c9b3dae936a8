"""Constraints that hold the critic's slope, one file each."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import folder
from surveyor.lipschitz.certificate import certify

__all__ = ["Constraint", "certify", "constraints"]


@dataclass(frozen=True)
class Constraint:
    """A way to hold the critic; each hook does nothing unless a constraint needs it."""

    def install(self, critic: nn.Module) -> None:
        """Change the critic once, before training and before weights are loaded."""

    def penalty(
        self,
        critic: nn.Module,
        real: Batch,
        fake: Batch,
        draws: Draws,
        slope: Tensor | None = None,
    ) -> Tensor | None:
        """Return a term to add to the critic's loss, or None where there is none this step.

        ``slope`` is the critic's gradient at the real and then the fake points, where the caller
        has it.
        """

    def where_scored(self, step: int) -> bool:
        """Return whether the penalty of this step is at the real and the fake points alone."""
        return False

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
