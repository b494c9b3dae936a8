"""Phases of training, such as a warm start; each runs its own steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

from surveyor.training.game import Game
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.step import Reduce


class Phase(ABC):
    """A phase of training. It begins at the step of ``state``, and ends where the plan says."""

    @abstractmethod
    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Yield a record after every generator step; none if the phase is already over."""
