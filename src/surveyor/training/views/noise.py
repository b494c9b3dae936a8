"""Noise that smooths both sides of the critic, annealed or adapted to what the critic tells."""

from __future__ import annotations

from dataclasses import dataclass, replace

from surveyor.batch import Batch, Draws

EVERY = 4  # generator steps between two looks at what the critic tells apart
WAY = 0.1  # share of training that the noise takes from one end of its range to the other


@dataclass(frozen=True)
class Noise:
    """Gaussian noise on real and fake points alike, between ``start`` and ``end``, then none.

    It smooths both distributions, so that their supports meet (Arjovsky and Bottou 2017). The
    deviation falls geometrically over the first ``until`` of training. With ``auc`` it adapts
    instead, as the discriminator's noise of Wang et al. 2023 (Diffusion-GAN): it rises where more
    than that share of real points score above the fake point beside them, and falls where fewer.
    """

    start: float = 0.0
    end: float = 0.01
    until: float = 0.5
    auc: float | None = None

    def at(self, progress: float, level: float = 1.0) -> float:
        """Return the deviation at ``progress`` in [0, 1], and where adapted at ``level``."""
        if self.start == 0 or progress >= self.until:
            return 0.0
        fallen = progress / self.until if self.auc is None else 1 - level
        return float(self.start * (self.end / self.start) ** fallen)

    def due(self, step: int, total: int) -> bool:
        """Return whether an adapted noise looks at the critic at this step."""
        if self.auc is None or self.start == 0 or step >= self.until * total:
            return False
        return step % EVERY == 0

    def adapted(self, level: float, auc: float, total: int) -> float:
        """Return the level, from 0 (``end``) to 1 (``start``), after the critic reached ``auc``."""
        assert self.auc is not None
        change = EVERY / max(EVERY, WAY * total)
        return min(1.0, max(0.0, level + (change if auc > self.auc else -change)))


def noisy(batch: Batch, deviation: float, draws: Draws) -> Batch:
    """Return points under Gaussian noise of a ``deviation``; 0 draws none."""
    if deviation == 0:
        return batch
    return replace(batch, x=batch.x + deviation * draws.normal(*batch.x.shape))
