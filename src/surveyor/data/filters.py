"""Filters that samples must pass in addition to the user's selection."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np


class PreparedFilter(ABC):
    """A filter that can be applied to samples."""

    @abstractmethod
    def accepts(self, made: Any, u: np.ndarray) -> np.ndarray:
        """Return which rows pass, (n,); ``u`` (n,) uniform in [0, 1) decides where chance does."""

    @abstractmethod
    def first(self, made: Any) -> np.ndarray:
        """Return which rows do not repeat an earlier one in what must be unique, (n,)."""


class Filter(ABC):
    """A requirement that a kind has of all its samples."""

    @abstractmethod
    def prepare(self, codec: Any, pilot: Callable[[], Any]) -> PreparedFilter | None:
        """Return the filter for a codec; None to keep all. ``pilot`` draws samples to tune it."""
