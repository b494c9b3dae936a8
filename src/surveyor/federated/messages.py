"""What server and clients send each other during training: plain arrays and numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Stage = Literal["likelihood", "critic", "generator", "auc"]


@dataclass(frozen=True, eq=False)
class Request:
    """What the server asks of a client: its part of one update.

    ``rows`` is how many rows of the joint batch the client has (where it is private, is expected to
    have), and ``noise`` the deviation of the
    instance noise. The client's random numbers are those of ``step`` and ``stream`` at its own
    rank. ``weights`` are those of the nets that the stage needs, by net and name.
    """

    stage: Stage
    step: int
    stream: int
    rows: float
    noise: float
    weights: Mapping[str, np.ndarray]

    @property
    def nbytes(self) -> int:
        """Return the size of the arrays."""
        return sum(array.nbytes for array in self.weights.values())


@dataclass(frozen=True, eq=False)
class Sums:
    """What a client answers: sums over its rows of the terms of a loss, and of their gradient.

    A private client leaves out the terms.
    """

    rows: float
    terms: Mapping[str, float]
    gradients: tuple[np.ndarray, ...]

    @property
    def nbytes(self) -> int:
        """Return the size of the arrays."""
        return sum(array.nbytes for array in self.gradients)
