"""A finding: a code, what was seen, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """``level`` is ``refuse`` where training would be wrong, ``warn`` where it would be poor."""

    code: str
    level: Literal["refuse", "warn", "note"]
    finding: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.code}: {self.finding}. {self.remedy}"
