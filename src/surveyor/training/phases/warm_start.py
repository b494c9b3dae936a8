"""The warm start: first steps without a critic, by likelihood or by the terms of a task."""

from __future__ import annotations

import math
from collections.abc import Iterator

from surveyor.training.game import Game
from surveyor.training.gradients import gradients_for
from surveyor.training.phases import Phase, rounds_for
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.rounds import Move
from surveyor.training.step import Reduce


class WarmStart(Phase):
    """``plan.warm`` steps of only the generator, at a rate that falls to 0 along a cosine."""

    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Minimise the negative log likelihood, or the terms of a task."""
        rows = gradients_for(plan, source)
        move = Move(
            game.generator,
            state.generator_optimizer,
            lambda draws, noise: rows.likelihood(game, draws),
        )
        rounds = rounds_for(game, plan, state, [move], reduce)
        for step in range(state.step, min(plan.warm, plan.steps)):
            rate = plan.warm_rate * (1 + math.cos(math.pi * step / plan.warm)) / 2
            state.set_rates(None, rate, step / plan.steps)
            terms = rounds(step, 0.0)
            state.step = step + 1
            yield Record(step + 1, terms, 0.0)
        state.settle()
