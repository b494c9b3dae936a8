"""Noise that falls over training."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.noise import Falling


@dataclass(frozen=True)
class Anneal(Falling):
    """The deviation falls geometrically from ``start`` to ``end``, then to 0."""

    def at(self, progress: float, level: float = 1.0) -> float:
        """Return the deviation at ``progress`` in [0, 1]."""
        return 0.0 if progress >= self.until else self.between(progress / self.until)
