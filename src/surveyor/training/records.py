"""Records of training steps and measurements."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

FLAT = 3  # deviations of the floor within which steps of a generator with a likelihood are equal


@dataclass(frozen=True)
class Measurement:
    """A measurement during training, on validation rows; distances in the user's unit.

    ``w1`` is exact transport between a batch of these rows and as many generated points,
    ``w1_floor`` the same between real and real, ``w1_noise`` the deviation of that floor from
    sample to sample, and ``w1_self`` the same between generated and generated.
    ``critic_estimate`` is the critic's gap on that batch, ``critic_estimate_training`` on training
    rows; both are None where the objective is not a distance. ``slope_mean`` and ``slope_max`` are
    the mean of |grad f| between real and fake and its maximum anywhere, over the target slope.
    ``noise`` is the deviation of the instance noise at this step. ``log_loss`` is the mean negative
    log likelihood of validation rows, in nats, None where the generator has no likelihood.
    """

    step: int
    w1: float
    w1_floor: float
    w1_noise: float
    w1_self: float
    critic_estimate: float | None
    critic_estimate_training: float | None
    slope_mean: float
    slope_max: float
    losses: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)
    noise: float = 0.0
    log_loss: float | None = None

    @property
    def finite(self) -> bool:
        """Return whether every number is finite."""
        own = (v for v in vars(self).values() if isinstance(v, float))
        return all(map(math.isfinite, (*own, *self.losses.values(), *self.facts.values())))

    @property
    def excess(self) -> float:
        """Return w1 - w1_self / 2.

        W1 between samples is smallest for generated points that are too narrow; subtracting half
        their own spread removes that bias (Genevay et al. 2018, for the regularised distance).
        """
        return self.w1 - self.w1_self / 2

    @property
    def criterion(self) -> float:
        """Return what chooses the best step, least."""
        return self.excess

    @property
    def tolerance(self) -> float:
        """Return the difference of the criterion below which two steps count as equal.

        W1 of a generator with a likelihood is at its floor from the first measurements on. Its log
        loss would choose worse: it is least at the end of the warm start or, of small tables, long
        before, while samples go on improving (docs/defaults.md).
        """
        return self.w1_noise * (1 if self.log_loss is None else FLAT)


def best_of(history: Sequence[Measurement]) -> Measurement:
    """Return the latest measurement within the tolerance of the least criterion.

    Among steps that W1 cannot distinguish, later ones are better: learning rates have fallen
    further, and the average covers more steps. Choosing the least value would leave it to chance.
    Steps under instance noise fit noisy data, and are considered only if there are no others.
    """
    clear = [m for m in history if m.noise == 0] or list(history)
    least = min(m.criterion for m in clear)
    return [m for m in clear if m.criterion <= least + m.tolerance][-1]


@dataclass(frozen=True)
class Record:
    """One generator step: its number from 1, the detached terms of both losses, and the deviation
    of the instance noise.
    """

    step: int
    terms: Mapping[str, Tensor]
    noise: float = 0.0
    measurement: Measurement | None = None

    def losses(self) -> dict[str, float]:
        """Return the terms as numbers."""
        return {name: float(value) for name, value in self.terms.items()}
