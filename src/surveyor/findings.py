"""A finding: a code, an observation and a remedy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``level``: ``refuse`` if training would be wrong, ``warn`` if poor, ``note`` otherwise."""

    code: str
    level: Literal["refuse", "warn", "note"]
    finding: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code}: {self.finding}. {self.remedy}"
