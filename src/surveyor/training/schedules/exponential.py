"""Rates that fall by the same factor every step, to at least 1e-4."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.schedules import Schedule


@dataclass(frozen=True)
class Exponential(Schedule):
    """The rates fall by the same factor every step, to at least 1e-4."""

    def factor(self, progress: float, final: float) -> float:
        """Return the factor at ``progress`` in [0, 1]."""
        return float(max(final, 1e-4) ** progress)
