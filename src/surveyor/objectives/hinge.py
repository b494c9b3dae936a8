"""The hinge objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from surveyor.batch import Scores, mean
from surveyor.objectives import Objective


@dataclass(frozen=True)
class Hinge(Objective):
    """critic: E max(0, 1 - f(real)) + E max(0, 1 + f(fake)); generator: -E f(fake).

    Lim and Ye 2017.
    """

    def critic(self, scores: Scores) -> Tensor:
        """Return the hinge loss."""
        real = mean((1 - scores.real).clamp(min=0), scores.real_weight)
        return real + mean((1 + scores.fake).clamp(min=0), scores.fake_weight)

    def generator(self, scores: Scores) -> Tensor:
        """Return -E f(fake)."""
        return -mean(scores.fake, scores.fake_weight)
