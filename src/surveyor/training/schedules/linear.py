"""Rates that fall linearly."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.schedules import Schedule


@dataclass(frozen=True)
class Linear(Schedule):
    """The rates fall linearly."""

    def factor(self, progress: float, final: float) -> float:
        """Return the factor at ``progress`` in [0, 1]."""
        return final + (1 - final) * (1 - progress)
