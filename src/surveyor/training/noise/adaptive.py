"""Noise that follows what the critic can tell."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.noise import Falling

EVERY = 4  # steps between two looks at the critic
WAY = 0.1  # of training, from no noise to all of it where the critic always says the same


@dataclass(frozen=True)
class Adaptive(Falling):
    """The deviation adapts, between ``start`` and ``end``, to hold the critic's AUC near ``auc``.

    As the discriminator's noise of Diffusion-GAN (Wang et al. 2023): it rises where more than that
    share of real points score above the generated point beside them, and falls where fewer do.
    """

    auc: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start < self.end:
            raise ValueError("the noise adapts downwards; give a start above the end")
        if not 0.5 <= self.auc <= 0.99:
            raise ValueError("auc must lie between .5 and .99")

    def at(self, progress: float, level: float = 1.0) -> float:
        """Return the deviation at a ``level`` from 0 (``end``) to 1 (``start``)."""
        return 0.0 if progress >= self.until else self.between(1 - level)

    def due(self, step: int, total: int) -> bool:
        """Return whether the noise asks for the critic's AUC at this step."""
        return step < self.until * total and step % EVERY == 0

    def adapted(self, level: float, auc: float, total: int) -> float:
        """Return the level after the critic has reached ``auc``."""
        change = EVERY / max(EVERY, WAY * total)
        return min(1.0, max(0.0, level + (change if auc > self.auc else -change)))
