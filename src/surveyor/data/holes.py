"""Rows of which some columns are to be drawn given the others."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data.where import Selection


@dataclass(frozen=True, eq=False)
class Holes:
    """Rows with holes, as codes.

    ``rows`` are as read; ``codes`` (n, blocks) are valid wherever ``free`` (n, blocks) is false.
    ``allowed`` has the codes (n, codes) that each block may have; ``conditions`` (n, k) are codes.
    ``unknown`` counts by column the values that training rows do not have.
    """

    rows: Any
    codes: np.ndarray
    free: np.ndarray
    allowed: Mapping[int, np.ndarray]
    conditions: np.ndarray
    unknown: Mapping[str, int]

    def take(self, index: np.ndarray) -> Holes:
        """Return some of the rows."""
        return Holes(
            self.rows.iloc[index].reset_index(drop=True),
            self.codes[index],
            self.free[index],
            {k: own[index] for k, own in self.allowed.items()},
            self.conditions[index],
            self.unknown,
        )


class Filler(ABC):
    """A codec's way from rows with holes to rows without."""

    @abstractmethod
    def selected(self, found: Mapping[str, Selection]) -> Mapping[int, np.ndarray]:
        """Return the codes (codes,), true where selected, of the blocks that a generator draws.

        What is selected of other columns is left out.
        """

    @abstractmethod
    def possible(self, codes: np.ndarray) -> np.ndarray:
        """Return which rows of codes (n, blocks) occur as far as the training rows tell, (n,)."""

    @abstractmethod
    def open(self, frame: pd.DataFrame, target: str | None = None) -> Holes:
        """Return rows with their holes: missing values, or all values of a column ``target``.

        Values that training rows do not have are holes as well, for the drawing only.

        Raises:
            InputError: a condition of the run is missing or unknown.
        """

    @abstractmethod
    def filled(self, holes: Holes, codes: np.ndarray, draws: Draws, typical: bool) -> pd.DataFrame:
        """Return the rows, with holes filled from ``codes`` (n, blocks); all else stays.

        Numbers are drawn from their cells, or are the ``typical`` one, the cell's median.
        """

    @abstractmethod
    def broken(self, holes: Holes, made: pd.DataFrame) -> np.ndarray:
        """Return which filled rows break a rule kept by rejection in what was filled, (n,)."""

    @abstractmethod
    def block_of(self, target: str) -> int:
        """Return the block that determines a column.

        Raises:
            InputError: there is no such column, or it is computed from others.
        """

    @abstractmethod
    def told(self, target: str, odds: np.ndarray, tails: Sequence[float]) -> pd.DataFrame:
        """Return what probabilities ``odds`` (n, codes) of the target's block say of the target."""

    @property
    @abstractmethod
    def positions(self) -> Sequence[np.ndarray | None]:
        """Return for every block the positions of its codes, None for labels."""
