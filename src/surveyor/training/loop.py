"""The training loop, an iterator; measuring and stopping are wrappers around it."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Protocol

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.data import Source
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.noise import Noise
from surveyor.training.optimizers import Updates
from surveyor.training.privacy import Privacy, without_rows
from surveyor.training.records import Measurement, Record
from surveyor.training.step import Reduce, alone, update


@dataclass(frozen=True)
class Plan:
    """How long and how fast: steps, batch, rates and their schedule.

    Rates stay constant for the first ``hold`` of the steps, then fall to ``final`` (the critic's
    to ``critic_final``) of themselves, along a cosine, a line or an exponential. The averaged
    generator follows with weight 1 - ``average`` a step. In the first ``warm`` steps a generator
    with a likelihood maximises it, one of a task learns by its content loss alone, at ``warm_rate``
    along a cosine to 0; the critic follows after.
    With ``privacy`` training rows are seen through clipped and noised sums alone.
    """

    steps: int
    batch: int
    critic_steps: int
    generator_rate: float
    critic_rate: float
    optimizer: Updates
    average: float = 0.999
    warm: int = 0
    warm_rate: float = 2e-3
    hold: float = 0.3
    final: float = 0.0
    critic_final: float = 0.0
    shape: Literal["cosine", "linear", "exponential"] = "cosine"
    noise: Noise = field(default_factory=Noise)
    seed: int = 0
    rank: int = 0
    privacy: Privacy | None = None

    @property
    def updates(self) -> int:
        """Return the number of updates that see training rows."""
        warm = min(self.warm, self.steps)
        return warm + (self.steps - warm) * self.critic_steps

    def rate(self, step: int, final: float) -> float:
        """Return the factor of a learning rate at ``step`` that ends at ``final``."""
        done = (step - self.warm) / max(self.steps - self.warm, 1)
        along = max(0.0, (done - self.hold) / max(1 - self.hold, 1e-9))
        if self.shape == "exponential":
            return float(max(final, 1e-4) ** along)
        fall = (1 + math.cos(math.pi * along)) / 2 if self.shape == "cosine" else 1 - along
        return final + (1 - final) * fall


class Rows(Protocol):
    """What training draws from: a ``Source``, or points in memory."""

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows."""


@dataclass
class State:
    """What moves during training; ``noise`` is the level of a noise that adapts."""

    step: int
    average: nn.Module
    critic_optimizer: torch.optim.Optimizer
    generator_optimizer: torch.optim.Optimizer
    kept: list[Tensor]
    moving: list[Tensor]
    noise: float = 1.0

    @classmethod
    def start(cls, game: Game, plan: Plan) -> State:
        """Return the state before the first step."""
        average = copy.deepcopy(game.generator).requires_grad_(False).eval()
        return cls(
            0,
            average,
            plan.optimizer.over(game.critic.parameters(), plan.critic_rate),
            plan.optimizer.over(game.generator.parameters(), plan.generator_rate),
            [*average.parameters(), *average.buffers()],
            [*game.generator.parameters(), *game.generator.buffers()],
        )


def steps(
    game: Game, source: Rows, plan: Plan, state: State, reduce: Reduce = alone
) -> Iterator[Record]:
    """Train: ``critic_steps`` critic steps, then one generator step, until the plan is done.

    Yields a record after every generator step; ``state`` and the nets are as of that step while
    the consumer holds it, so a consumer may measure, save, or stop.

    Raises:
        Diverged: a loss or gradient is not finite.
    """
    device = next(game.critic.parameters()).device
    whole = source if isinstance(source, Source) else None
    if plan.privacy is not None and whole is None:
        raise ValueError("differential privacy needs a Source, whose rows can be taken one by one")

    def rows(draws: Draws) -> Batch:
        return source.draw(plan.batch, draws).to(device)

    for step in range(state.step, min(plan.warm, plan.steps)):
        rate = plan.warm_rate * (1 + math.cos(math.pi * step / plan.warm)) / 2
        _set(state.generator_optimizer, lr=rate, progress=step / plan.steps)
        draws = Draws(plan.seed, step, Stream.GENERATOR, plan.rank, device)
        if plan.privacy is not None and whole is not None:
            terms, found = plan.privacy.likelihood_gradients(game, whole, draws)
        else:
            terms, found = game.warm_gradients(rows(draws), draws)
        update(terms, found, game.generator, state.generator_optimizer, step + 1, reduce)
        follow(state.kept, state.moving, min(plan.average, (step + 1) / (step + 10)))
        state.step = step + 1
        yield Record(step + 1, terms, 0.0)
    for step in range(state.step, plan.steps):
        progress = step / plan.steps
        noise = plan.noise.at(progress, state.noise)
        rates = (
            plan.critic_rate * plan.rate(step, plan.critic_final),
            plan.generator_rate * plan.rate(step, plan.final),
        )
        _set(state.critic_optimizer, lr=rates[0], progress=progress)
        _set(state.generator_optimizer, lr=rates[1], progress=progress)
        for k in range(plan.critic_steps):
            draws = Draws(plan.seed, step * plan.critic_steps + k, Stream.CRITIC, plan.rank, device)
            if plan.privacy is not None and whole is not None:
                critic_terms, found = plan.privacy.critic_gradients(game, whole, draws)
            else:
                critic_terms, found = game.critic_gradients(rows(draws), draws, noise)
            update(critic_terms, found, game.critic, state.critic_optimizer, step + 1, reduce)
            for constraint in game.constraints:
                constraint.project(game.critic)
        draws = Draws(plan.seed, step, Stream.GENERATOR, plan.rank, device)
        if plan.privacy is not None and whole is not None:
            real = without_rows(whole, plan.batch, draws)
        else:
            real = rows(draws)
        generator_terms, found = game.generator_gradients(real, draws, noise)
        update(generator_terms, found, game.generator, state.generator_optimizer, step + 1, reduce)
        follow(state.kept, state.moving, min(plan.average, (step + 1) / (step + 10)))
        if plan.privacy is None and plan.noise.due(step, plan.steps):
            draws = Draws(plan.seed, step, Stream.LOOK, plan.rank, device)
            auc = game.auc(rows(draws), draws, noise)
            reduce([auc])
            state.noise = plan.noise.adapted(state.noise, auc.item(), plan.steps)
        state.step = step + 1
        yield Record(step + 1, critic_terms | generator_terms, noise)


def measured(
    records: Iterable[Record], ruler: Callable[[Record], Measurement], every: int, last: int
) -> Iterator[Record]:
    """Add a measurement to every ``every``-th record, and to the ``last``."""
    for record in records:
        due = record.step % every == 0 or record.step == last
        yield replace(record, measurement=ruler(record)) if due else record


def plateaued(values: Sequence[float], patience: int) -> bool:
    """Return whether the best of ``values`` is at least ``patience`` measurements old."""
    return 0 < patience < len(values) - values.index(min(values)) if values else False


@torch.no_grad()
def follow(kept: list[Tensor], moving: list[Tensor], decay: float) -> None:
    """Move the average: a <- decay a + (1 - decay) w; what is not a float is copied."""
    pairs = [(a, w) for a, w in zip(kept, moving, strict=True) if a.is_floating_point()]
    torch._foreach_lerp_([a for a, _ in pairs], [w for _, w in pairs], 1 - decay)
    for a, w in zip(kept, moving, strict=True):
        if not a.is_floating_point():
            a.copy_(w)


def _set(optimizer: torch.optim.Optimizer, **values: float) -> None:
    for group in optimizer.param_groups:
        group.update(values)
