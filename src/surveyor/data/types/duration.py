"""Durations: seconds."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from surveyor.data.clock import Clock
from surveyor.data.types import Cells

CLOCK = re.compile(r"(-?)(?:(\d+) days? )?(\d+):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?")
HOUR, DAY = 3600, 86_400


class Duration(Clock):
    """Hours, minutes and seconds from 24:00 on, such as 26:15:00, or with days: 2 days 03:15:00."""

    samples = ("26:15:00", "0:00:59", "130:00:01")
    example = "26:15:00"
    default_spelling = "H:MM:SS"
    respelt = "comes back as 26:15:00"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that are durations, unless all could be times of day."""
        good = self.read(cells.distinct)[1]
        kept = [c for c, fits in zip(cells.distinct, good, strict=True) if fits]
        long = any(c[0] == "-" or "day" in c or int(c.partition(":")[0]) > 23 for c in kept)
        return kept if long else []

    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return durations in their format."""
        return [WRITERS[spelling or self.default_spelling](float(point)) for point in points]

    def formats(self, text: str) -> Iterable[str]:
        """Return all formats."""
        return WRITERS

    def seconds(self, text: str) -> float | None:
        """Return the seconds, negative after a minus."""
        found = CLOCK.fullmatch(text)
        if found is None or int(found[4]) > 59 or int(found[5] or 0) > 59:
            return None
        days, hours, minutes, seconds = (int(found[k] or 0) for k in (2, 3, 4, 5))
        total = days * DAY + hours * HOUR + minutes * 60 + seconds + float(f"0.{found[6] or 0}")
        return -total if found[1] else total


def _writer(hours: str, seconds: bool, fraction: bool, days: bool) -> Callable[[float], str]:
    def write(value: float) -> str:
        micros = round(abs(value) * 1e6)
        whole, part = divmod(micros, 1_000_000)
        day, whole = divmod(whole, DAY) if days else (0, whole)
        text = f"{whole // HOUR:{hours}}:{whole // 60 % 60:02d}"
        text += f":{whole % 60:02d}" if seconds else ""
        text += f".{part:06d}" if fraction and part else ""
        return "-" * (value < 0) + (f"{day} days " if days else "") + text

    return write


WRITERS = {
    "H:MM:SS": _writer("d", True, False, False),
    "HH:MM:SS": _writer("02d", True, False, False),
    "H:MM": _writer("d", False, False, False),
    "HH:MM": _writer("02d", False, False, False),
    "H:MM:SS.ffffff": _writer("d", True, True, False),
    "HH:MM:SS.ffffff": _writer("02d", True, True, False),
    "D days HH:MM:SS": _writer("02d", True, False, True),
    "D days HH:MM:SS.ffffff": _writer("02d", True, True, True),
}
