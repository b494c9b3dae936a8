"""Pairs of an input, a picture or a vector, and the picture that answers it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surveyor.data.arrays import Arrays


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pictures or vectors given, and the target pictures; n of each."""

    given: Arrays
    target: Arrays

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(self.given.take(index), self.target.take(index))
