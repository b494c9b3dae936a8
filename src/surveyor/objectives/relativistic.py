"""The relativistic pairing objective."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import softplus

from surveyor.batch import Scores, mean
from surveyor.objectives import Objective


@dataclass(frozen=True)
class Relativistic(Objective):
    """critic: E softplus(f(fake) - f(real)) over pairs; generator: the same with roles exchanged.

    Jolicoeur-Martineau 2019; with R1 and R2 it converges locally (Huang et al. 2024, R3GAN).
    """

    pairs = True

    def critic(self, scores: Scores) -> Tensor:
        """Return E softplus(f(fake) - f(real)), large where real scores below fake."""
        return mean(softplus(scores.fake - scores.real), scores.real_weight)

    def generator(self, scores: Scores) -> Tensor:
        """Return E softplus(f(real) - f(fake)), large where fake scores below real."""
        return mean(softplus(scores.real - scores.fake), scores.real_weight)
