"""The warm start: first steps without a critic, by likelihood or by the terms of a task."""

from __future__ import annotations

import math
from collections.abc import Iterator

from surveyor.batch import Draws
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.gradients import gradients_for
from surveyor.training.phases import Phase
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.step import Reduce, update


class WarmStart(Phase):
    """``plan.warm`` steps of only the generator, at a rate that falls to 0 along a cosine."""

    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Minimise the negative log likelihood, or the terms of a task."""
        rows = gradients_for(plan, source)
        for step in range(state.step, min(plan.warm, plan.steps)):
            rate = plan.warm_rate * (1 + math.cos(math.pi * step / plan.warm)) / 2
            state.set_rates(None, rate, step / plan.steps)
            draws = Draws(plan.seed, step, Stream.GENERATOR, plan.rank, game.device)
            terms, found = rows.likelihood(game, draws)
            update(terms, found, game.generator, state.generator_optimizer, step + 1, reduce)
            state.advance(step, plan.ema_decay)
            yield Record(step + 1, terms, 0.0)
