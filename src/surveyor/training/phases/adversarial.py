"""The adversarial phase: some critic steps, then one generator step."""

from __future__ import annotations

from collections.abc import Iterator

from surveyor.batch import Draws
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.gradients import gradients_for
from surveyor.training.phases import Phase
from surveyor.training.plan import Plan, Rows, State
from surveyor.training.records import Record
from surveyor.training.step import Reduce, update


class Adversarial(Phase):
    """``plan.critic_steps`` critic steps, then one generator step, until the plan is done."""

    def steps(
        self, game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce
    ) -> Iterator[Record]:
        """Train generator and critic against each other."""
        rows = gradients_for(plan, source)
        for step in range(state.step, plan.steps):
            progress = step / plan.steps
            noise = plan.noise.at(progress, state.noise)
            state.set_rates(*plan.rates(step), progress)
            for k in range(plan.critic_steps):
                count = step * plan.critic_steps + k
                draws = Draws(plan.seed, count, Stream.CRITIC, plan.rank, game.device)
                critic_terms, found = rows.critic(game, draws, noise)
                update(critic_terms, found, game.critic, state.critic_optimizer, step + 1, reduce)
                for constraint in game.constraints:
                    constraint.project(game.critic)
            draws = Draws(plan.seed, step, Stream.GENERATOR, plan.rank, game.device)
            terms, found = rows.generator(game, draws, noise)
            update(terms, found, game.generator, state.generator_optimizer, step + 1, reduce)
            state.advance(step, plan.ema_decay)
            if plan.noise.due(step, plan.steps):
                draws = Draws(plan.seed, step, Stream.LOOK, plan.rank, game.device)
                auc = rows.auc(game, draws, noise)
                reduce([auc])
                state.noise = plan.noise.next_level(state.noise, auc.item(), plan.steps)
            yield Record(step + 1, critic_terms | terms, noise)
