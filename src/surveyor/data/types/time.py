"""Times of day: seconds after midnight."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np

from surveyor.data.clock import Clock
from surveyor.data.spelling import write_dates
from surveyor.data.types import Cells

CLOCK = re.compile(r"(\d{1,2}):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(?: ?([AaPp])\.?[Mm]\.?)?")
FORMATS = tuple(
    f"{hour}:%M{rest}{half}"
    for hour, half in [
        *((h, "") for h in ("%H", "%-H")),
        *((h, p) for h in ("%I", "%-I") for p in (" %p", "%p")),
    ]
    for rest in ("", ":%S", ":%S.%3f", ":%S.%6f", ":%S%?f")
)
DAY = 86_400.0


class Time(Clock):
    """Times such as 14:30, 14:30:15.250 and 2:30 PM."""

    samples = ("09:30", "00:00", "23:59")
    example = "14:30:00"
    default_spelling = "%H:%M:%S%?f"
    respelt = "comes back as 14:30:00"

    @property
    def singular(self) -> str:
        """Return the word for one value."""
        return "time of day"

    @property
    def plural(self) -> str:
        """Return the word for several."""
        return "times of day"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that are times between 00:00 and 23:59."""
        good = self.read(cells.distinct)[1]
        return [c for c, fits in zip(cells.distinct, good, strict=True) if fits]

    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return times in their format."""
        return write_dates(points % DAY, spelling or self.default_spelling)

    def formats(self, text: str) -> Iterable[str]:
        """Return those with as many colons."""
        return [f for f in FORMATS if f.count(":") == text.count(":")]

    def possible(self, point: float) -> bool:
        """Return whether a day has this time."""
        return 0 <= point < DAY

    def seconds(self, text: str) -> float | None:
        """Return the seconds after midnight."""
        found = CLOCK.fullmatch(text)
        if found is None:
            return None
        hour, minute, second = (int(found[k] or 0) for k in (1, 2, 3))
        half = (found[5] or "").lower()
        if minute > 59 or second > 59 or (not 1 <= hour <= 12 if half else hour > 23):
            return None
        hour = hour % 12 + 12 * (half == "p") if half else hour
        return hour * 3600 + minute * 60 + second + float(f"0.{found[4] or 0}")
