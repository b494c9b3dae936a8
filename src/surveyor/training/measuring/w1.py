"""W1 between validation rows and as many generated ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from surveyor.catalog import Part, check_bounds

TIMES = 40  # measurements in a run


@dataclass(frozen=True)
class Measuring(Part):
    """W1 on ``rows`` validation rows, every so many steps; 40 times in a run if ``every`` is auto.

    Training stops after ``patience`` measurements without a better W1; 0 never stops.
    """

    every: int | None = None
    rows: int = 512
    patience: int = 0

    def __post_init__(self) -> None:
        check_bounds(self, every=(1, 10**9), rows=(2, 10_000), patience=(0, math.inf))

    def over(self, steps: int, times: int = TIMES) -> Measuring:
        """Return this for a run of ``steps``; if ``every`` is auto, ``times`` measurements."""
        every = max(1, steps // times) if self.every is None else self.every
        return replace(self, every=every)
