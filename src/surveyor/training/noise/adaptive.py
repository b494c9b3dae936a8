"""Noise that adapts to how well the critic separates real from generated points."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.noise import Falling

EVERY = 4  # steps between two estimates of the critic's AUC
RAMP = 0.1  # share of training from the least noise to the most, if the AUC stays on one side


@dataclass(frozen=True)
class Adaptive(Falling):
    """The deviation adapts, between ``start`` and ``end``, to hold the critic's AUC near ``auc``.

    Like the adaptive diffusion of Diffusion-GAN (Wang et al. 2023): it rises while more than that
    share of real points score above their generated counterparts, and falls while fewer do.
    """

    auc: float = 0.7

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.start < self.end:
            raise ValueError("start is the most noise and end the least; give start above end")
        if not 0.5 <= self.auc <= 0.99:
            raise ValueError("auc must lie between .5 and .99")

    def at(self, progress: float, level: float = 1.0) -> float:
        """Return the deviation at a ``level`` from 0 (``end``) to 1 (``start``)."""
        return 0.0 if progress >= self.until else self.between(1 - level)

    def due(self, step: int, total: int) -> bool:
        """Return whether the noise needs the critic's AUC at this step."""
        return step < self.until * total and step % EVERY == 0

    def next_level(self, level: float, auc: float, total: int) -> float:
        """Return the level after the critic has been found to have ``auc``."""
        change = EVERY / max(EVERY, RAMP * total)
        return min(1.0, max(0.0, level + (change if auc > self.auc else -change)))
