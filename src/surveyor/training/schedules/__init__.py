"""Learning rate schedules, one per file."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from surveyor.catalog import Part, parts_in


@dataclass(frozen=True)
class Schedule(Part):
    """Rates are constant for the first share ``hold`` of the steps, then fall.

    The generator's rate falls to the share ``final`` of its initial value, the critic's to
    ``critic_final``, which is ``final`` too if auto.
    """

    hold: float = 0.3
    final: float = 0.0
    critic_final: float | None = None

    def __post_init__(self) -> None:
        for name in ("hold", "final", "critic_final"):
            if not 0 <= (getattr(self, name) or 0) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1")

    def critic(self, done: float) -> float:
        """Return the factor of the critic's rate after a share ``done`` of the steps."""
        final = self.final if self.critic_final is None else self.critic_final
        return self.factor(self._progress(done), final)

    def generator(self, done: float) -> float:
        """Return the factor of the generator's rate after a share ``done`` of the steps."""
        return self.factor(self._progress(done), self.final)

    def _progress(self, done: float) -> float:
        return max(0.0, (done - self.hold) / max(1 - self.hold, 1e-9))

    @abstractmethod
    def factor(self, progress: float, final: float) -> float:
        """Return the factor at ``progress``, from 1 at 0 to ``final`` at 1."""


def schedules() -> dict[str, type[Schedule]]:
    """Return every schedule by the name of its file."""
    return parts_in("surveyor.training.schedules", Schedule)  # type: ignore[type-abstract]
