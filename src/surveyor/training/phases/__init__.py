"""Phases of training, such as a warm start; each runs its own steps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

from surveyor.training.game import Game
from surveyor.training.graph import Captured
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.rounds import Move, Rounds, Unwaiting
from surveyor.training.step import Reduce, no_reduce


class Phase(ABC):
    """A phase of training. It begins at the step of ``state``, and ends where the plan says."""

    @abstractmethod
    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Yield a record after every generator step; none if the phase is already over."""


def rounds_for(
    game: Game, plan: Plan, state: State, moves: Sequence[Move], reduce: Reduce
) -> Rounds:
    """Return what plays the rounds of a phase: on CUDA without waiting, where the parts allow."""
    alone = reduce is no_reduce and plan.privacy is None and plan.optimizer.capturable
    if game.device.type != "cuda" or not alone:
        return Rounds(game, plan, state, moves, reduce)
    return (Captured if plan.graph else Unwaiting)(game, plan, state, moves, reduce)
