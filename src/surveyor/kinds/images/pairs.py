"""Pairs: what is given, and the picture that answers it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from surveyor.data.arrays import Arrays


@dataclass(frozen=True, eq=False)
class Pairs:
    """What is given, pictures or vectors, and the pictures wanted, n of each."""

    given: Arrays
    wanted: Arrays

    def __len__(self) -> int:
        return len(self.wanted)

    def take(self, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(self.given.take(index), self.wanted.take(index))
