"""What is measured during training, how often, and when to stop for it."""

from __future__ import annotations

from surveyor.catalog import parts_in
from surveyor.training.measuring.w1 import TIMES, Measuring

__all__ = ["TIMES", "Measuring", "measurings"]


def measurings() -> dict[str, type[Measuring]]:
    """Return every way to measure, keyed by its file's name."""
    return parts_in("surveyor.training.measuring", Measuring)
