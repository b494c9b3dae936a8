"""Rates that fall along half a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass

from surveyor.training.schedules import Schedule


@dataclass(frozen=True)
class Cosine(Schedule):
    """The rates fall along half a cosine."""

    def factor(self, progress: float, final: float) -> float:
        """Return the factor at ``progress`` in [0, 1]."""
        return final + (1 - final) * (1 + math.cos(math.pi * progress)) / 2
