"""The original GAN objective, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor
from torch.nn.functional import softplus

from surveyor.batch import Scores, mean
from surveyor.objectives import Objective


@dataclass(frozen=True)
class Minimax(Objective):
    """critic: -E log s(f(real)) - E log(1 - s(f(fake))), with s the logistic function.

    The optimal critic's value is 2 JS(real, fake) - 2 log 2 (Goodfellow et al. 2014). With
    ``saturating`` the generator minimises that value; otherwise it minimises -E log s(f(fake)).
    """

    estimates_odds: ClassVar[bool] = True

    saturating: bool = False

    def critic(self, scores: Scores) -> Tensor:
        """Return the logistic loss."""
        real = mean(softplus(-scores.real), scores.real_weight)
        return real + mean(softplus(scores.fake), scores.fake_weight)

    def generator(self, scores: Scores) -> Tensor:
        """Return -E log s(f(fake)), or E log(1 - s(f(fake))) if ``saturating``."""
        loss = -softplus(scores.fake) if self.saturating else softplus(-scores.fake)
        return mean(loss, scores.fake_weight)
