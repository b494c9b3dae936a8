"""Instance noise: Gaussian noise on real and generated points alike, one schedule per file."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.catalog import Part, parts_in

Deviation = float | Tensor  # a tensor on the device where a graph is replayed


@dataclass(frozen=True)
class Noise(Part):
    """The standard deviation of instance noise over training; this base class adds none.

    Noise smooths both distributions, so that their supports overlap (Arjovsky and Bottou 2017). A
    schedule overrides ``at``; one that adapts to the critic overrides ``due`` and ``next_level``
    too.
    """

    def at(self, progress: float, level: float = 1.0) -> float:
        """Return the deviation at ``progress`` in [0, 1] and, if it is adaptive, at ``level``."""
        return 0.0

    def due(self, step: int, total: int) -> bool:
        """Return whether the noise needs the critic's AUC at this step."""
        return False

    def next_level(self, level: float, auc: float, total: int) -> float:
        """Return the next level in [0, 1], given the critic's AUC."""
        return level


@dataclass(frozen=True)
class Falling(Noise):
    """Noise between the deviations ``start`` and ``end``, up to the share ``until`` of steps."""

    start: float = 0.3
    end: float = 0.01
    until: float = 0.5

    def __post_init__(self) -> None:
        if not all(0 < value < math.inf for value in (self.start, self.end, self.until)):
            raise ValueError("start, end and until must be above 0")

    def between(self, fallen: float) -> float:
        """Return the deviation at the share ``fallen`` of the way, interpolated geometrically."""
        return float(self.start * (self.end / self.start) ** fallen)


def noisy(batch: Batch, deviation: Deviation, draws: Draws) -> Batch:
    """Return points with Gaussian noise of a ``deviation``; 0 draws no numbers."""
    if not isinstance(deviation, Tensor) and deviation == 0:
        return batch
    return replace(batch, x=batch.x + deviation * draws.normal(*batch.x.shape))


def noises() -> dict[str, type[Noise]]:
    """Return every schedule of noise by the name of its file."""
    return parts_in("surveyor.training.noise", Noise)
