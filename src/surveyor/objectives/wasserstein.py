"""The Wasserstein objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from surveyor.batch import Scores, mean
from surveyor.objectives import Objective


@dataclass(frozen=True)
class Wasserstein(Objective):
    """critic: E f(fake) - E f(real); generator: -E f(fake) (Arjovsky et al. 2017).

    With |f|_Lip <= 1 the negative critic loss is at most W1(real, fake), by Kantorovich-Rubinstein
    duality, with equality for the optimal f.
    """

    is_distance = True

    def critic(self, scores: Scores) -> Tensor:
        """Return E f(fake) - E f(real)."""
        return mean(scores.fake, scores.fake_weight) - mean(scores.real, scores.real_weight)

    def generator(self, scores: Scores) -> Tensor:
        """Return -E f(fake)."""
        return -mean(scores.fake, scores.fake_weight)
