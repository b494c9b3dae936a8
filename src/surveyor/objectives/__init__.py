"""Objectives: the losses of critic and generator, one file each."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Scores
from surveyor.catalog import Part, parts_in


@dataclass(frozen=True)
class Objective(Part):
    """A pair of losses over the critic's scores."""

    is_distance: ClassVar[bool] = False
    """Whether the gap of a critic of slope at most 1 estimates W1."""
    estimates_odds: ClassVar[bool] = False
    """Whether the optimal critic's score is log p / g, of real to generated density."""
    pairs: ClassVar[bool] = False
    """Whether the generator's loss also needs the scores of real points."""

    @abstractmethod
    def critic(self, scores: Scores) -> Tensor:
        """Return the critic's loss, a scalar to minimise."""

    @abstractmethod
    def generator(self, scores: Scores) -> Tensor:
        """Return the generator's loss, a scalar to minimise."""


def objectives() -> dict[str, type[Objective]]:
    """Return every objective, keyed by its file's name."""
    return parts_in("surveyor.objectives", Objective)  # type: ignore[type-abstract]
