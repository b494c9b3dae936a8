"""The adversarial phase: some critic steps, then one generator step."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from surveyor.batch import Draws
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.gradients import Gradients, gradients_for
from surveyor.training.phases import Phase, rounds_for
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.rounds import Move
from surveyor.training.step import Reduce


class Adversarial(Phase):
    """``plan.critic_steps`` critic steps, then one generator step, until the plan is done."""

    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Train generator and critic against each other."""
        rows = gradients_for(plan, source)
        rounds = rounds_for(game, plan, state, moves_of(game, rows, plan, state), reduce)
        for step in range(state.step, plan.steps):
            progress = step / plan.steps
            noise = plan.noise.at(progress, state.noise)
            state.set_rates(*plan.rates(step), progress)
            terms = rounds(step, noise)
            state.step = step + 1
            if plan.noise.due(step, plan.steps):
                draws = Draws(plan.seed, step, Stream.LOOK, plan.rank, game.device)
                auc = rows.auc(game, draws, noise)
                reduce([auc])
                state.noise = plan.noise.next_level(state.noise, auc.item(), plan.steps)
            yield Record(step + 1, terms, noise)
        state.settle()


def moves_of(game: Game, rows: Gradients, plan: Plan, state: State) -> list[Move]:
    """Return the updates of a step, in order."""
    k = plan.critic_steps
    critic = Move(
        game.critic, state.critic_optimizer, partial(rows.critic, game), Stream.CRITIC, of=k,
        constraints=game.constraints,
    )  # fmt: skip
    generator = Move(game.generator, state.generator_optimizer, partial(rows.generator, game))
    return [*(replace(critic, place=place) for place in range(k)), generator]
