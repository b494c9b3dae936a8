"""What a step and a measurement leave behind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Measurement:
    """The state of training on held-out data; distances in the user's unit.

    ``w1`` is exact transport between a held-out batch and as many generated points, ``w1_floor``
    the same between real and real, ``w1_noise`` how much that varies from sample to sample, and
    ``w1_self`` between generated and generated.
    ``critic_estimate`` is the critic's own gap on the same batch, ``critic_estimate_training`` on
    training rows; both None where the objective is no distance. ``slope_mean`` and ``slope_max``
    are |grad f| between real and fake, and anywhere, per unit asked for: 1 is what a Lipschitz
    constraint aims at. ``noise`` is the deviation of the noise that training put on both sides.
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

    @property
    def finite(self) -> bool:
        """Return whether every number is."""
        own = (v for v in vars(self).values() if isinstance(v, float))
        return all(map(math.isfinite, (*own, *self.losses.values(), *self.facts.values())))

    @property
    def excess(self) -> float:
        """Return w1 - w1_self / 2, by which the best step is chosen.

        A sample's W1 alone is smallest for generated points that are too narrow; taking off half
        their own spread removes that bias (Genevay et al. 2018, for the regularised distance).
        """
        return self.w1 - self.w1_self / 2


def best_of(history: Sequence[Measurement]) -> Measurement:
    """Return the latest measurement within the noise of the least excess.

    Between steps that W1 cannot tell apart the later one is better: rates have fallen further, and
    the generator is averaged over more. Chosen by the least value alone, chance would decide. A
    step trained under noise aims at noisy data, and counts only where there is no other.
    """
    clear = [m for m in history if m.noise == 0] or list(history)
    least = min(m.excess for m in clear)
    return [m for m in clear if m.excess <= least + m.w1_noise][-1]


@dataclass(frozen=True)
class Record:
    """One generator step: its number from 1, the detached terms of both losses, and the deviation
    of the noise on the data.
    """

    step: int
    terms: Mapping[str, Tensor]
    noise: float = 0.0
    measurement: Measurement | None = None

    def losses(self) -> dict[str, float]:
        """Return the terms as numbers."""
        return {name: float(value) for name, value in self.terms.items()}
