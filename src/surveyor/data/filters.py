"""What samples must pass beside what is asked of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np


class PreparedFilter(ABC):
    """A filter that knows what it keeps."""

    @abstractmethod
    def accepts(self, made: Any, u: np.ndarray) -> np.ndarray:
        """Return which rows pass, (n,); ``u`` (n,) uniform in [0, 1) decides where chance does."""

    @abstractmethod
    def first(self, made: Any) -> np.ndarray:
        """Return which rows repeat none before them in what may not repeat, (n,)."""


class Filter(ABC):
    """A kind's own demand of all its samples."""

    @abstractmethod
    def prepare(self, codec: Any, pilot: Callable[[], Any]) -> PreparedFilter | None:
        """Return what it keeps, by a ``pilot`` of samples where it needs one; None to keep all."""
