"""Objectives: what critic and generator minimise, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Scores
from surveyor.catalog import folder


@dataclass(frozen=True)
class Objective(ABC):
    """A pair of losses over the critic's scores."""

    is_distance: ClassVar[bool] = False
    """Whether the critic's gap is an estimate of W1 where its slope is held to 1."""
    pairs: ClassVar[bool] = False
    """Whether the generator's loss needs scores of real points as well."""

    @abstractmethod
    def critic(self, scores: Scores) -> Tensor:
        """Return the critic's loss, a scalar to minimise."""

    @abstractmethod
    def generator(self, scores: Scores) -> Tensor:
        """Return the generator's loss, a scalar to minimise."""


def objectives() -> dict[str, type[Objective]]:
    """Return every objective by the name of its file."""
    return folder("surveyor.objectives", Objective)  # type: ignore[type-abstract]
