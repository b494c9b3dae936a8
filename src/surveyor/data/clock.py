"""What times of day and durations share: seconds, written with colons."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence

import numpy as np

from surveyor.data.numerals import Read
from surveyor.data.types import Scale


class Clock(Scale, ABC):
    """Seconds, compared in hours."""

    grains = (3600.0, 60.0, 1.0, 1e-3, 1e-6)
    unit = (3600.0, "hours")

    @abstractmethod
    def seconds(self, text: str) -> float | None:
        """Return the seconds that a text stands for; None if it cannot be read."""

    @abstractmethod
    def formats(self, text: str) -> Iterable[str]:
        """Return the formats in which ``text`` can be written, the likeliest first."""

    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the seconds."""
        found = [self.seconds(text.strip()) for text in texts]
        good = np.array([v is not None for v in found], dtype=bool)
        return np.array([np.nan if v is None else v for v in found], dtype=float), good

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the format that reproduces every text."""
        points, changed = self.read(texts)[0], texts[0]
        for format_ in self.formats(texts[0]):
            written = self.write(points, format_)
            wrong = [text for text, own in zip(texts, written, strict=True) if text != own]
            if not wrong:
                return format_, ""
            changed = wrong[0]
        return None, changed
