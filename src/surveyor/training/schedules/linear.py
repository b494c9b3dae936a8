"""Rates that fall along a line."""

from __future__ import annotations

from dataclasses import dataclass

from surveyor.training.schedules import Schedule


@dataclass(frozen=True)
class Linear(Schedule):
    """The rates fall along a line."""

    def factor(self, progress: float, final: float) -> float:
        """Return the factor at ``along`` of the way."""
        return final + (1 - final) * (1 - progress)
