"""The plan of a training run (steps, rates, schedules) and its changing state."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.training.game import Game
from surveyor.training.noise import Noise
from surveyor.training.optimizers import Updates
from surveyor.training.privacy import Privacy
from surveyor.training.schedules import Schedule
from surveyor.training.schedules.cosine import Cosine


@dataclass(frozen=True)
class Plan:
    """Steps, batch size, learning rates and their schedule.

    ``ema_decay`` is the decay of the generator's moving average. The first ``warm`` steps train the
    generator without a critic: by likelihood if it has one, otherwise on the task's terms, at
    ``warm_rate`` falling to 0 along a cosine. The game follows, with rates by ``schedule``. With
    ``privacy``, training rows are used only through clipped sums with noise. ``graph`` allows
    rounds to be captured as graphs of the device (``training/graph.py``).
    """

    steps: int
    batch: int
    critic_steps: int
    generator_rate: float
    critic_rate: float
    optimizer: Updates
    schedule: Schedule = field(default_factory=Cosine)
    ema_decay: float = 0.999
    warm: int = 0
    warm_rate: float = 2e-3
    noise: Noise = field(default_factory=Noise)
    seed: int = 0
    rank: int = 0
    graph: bool = True
    privacy: Privacy | None = None

    @property
    def updates(self) -> int:
        """Return the number of updates that use training rows."""
        warm = min(self.warm, self.steps)
        return warm + (self.steps - warm) * self.critic_steps

    def rates(self, step: int) -> tuple[float, float]:
        """Return the learning rates of critic and generator at a step of the game."""
        done = (step - self.warm) / max(self.steps - self.warm, 1)
        critic, generator = self.schedule.critic(done), self.schedule.generator(done)
        return self.critic_rate * critic, self.generator_rate * generator


class Rows(Protocol):
    """What training draws from: a ``Source``, or points in memory."""

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows."""


@dataclass
class State:
    """What changes during training; ``noise`` is the level of an adaptive noise.

    ``settle`` waits for the device; it raises Diverged if a number of the steps until now was not
    finite. The weights are then those before that step.
    """

    step: int
    average: nn.Module
    critic_optimizer: torch.optim.Optimizer
    generator_optimizer: torch.optim.Optimizer
    average_tensors: list[Tensor]
    generator_tensors: list[Tensor]
    noise: float = 1.0
    settle: Callable[[], None] = field(default=lambda: None)

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

    def set_rates(self, critic: float | None, generator: float, progress: float) -> None:
        """Set the learning rates of a step; a ``critic`` of None leaves the critic's unchanged."""
        if critic is not None:
            _set(self.critic_optimizer, lr=critic, progress=progress)
        _set(self.generator_optimizer, lr=generator, progress=progress)

    def update_average(self, weight: float | Tensor) -> None:
        """Move the average towards the generator's weights."""
        update_average(self.average_tensors, self.generator_tensors, weight)


def average_weight(step: int, decay: float) -> float:
    """Return 1 - ``decay``, the weight of new weights; more at first, to forget the start."""
    return 1 - min(decay, (step + 1) / (step + 10))


@torch.no_grad()
def update_average(average: list[Tensor], current: list[Tensor], weight: float | Tensor) -> None:
    """Update the average, a <- a + weight (w - a); integer tensors are copied."""
    pairs = [(a, w) for a, w in zip(average, current, strict=True) if a.is_floating_point()]
    kept, moved = [a for a, _ in pairs], [w for _, w in pairs]
    if kept and kept[0].is_cuda:  # where a graph needs the weight as a tensor, which lerp refuses
        apart = torch._foreach_sub(moved, kept)
        torch._foreach_mul_(apart, weight)
        torch._foreach_add_(kept, apart)
    else:
        torch._foreach_lerp_(kept, moved, weight)  # type: ignore[arg-type]
    for a, w in zip(average, current, strict=True):
        if not a.is_floating_point():
            a.copy_(w)


def _set(optimizer: torch.optim.Optimizer, lr: float, progress: float) -> None:
    for group in optimizer.param_groups:
        for name, value in (("lr", lr), ("progress", progress)):
            kept = group.get(name)
            group[name] = kept.fill_(value) if isinstance(kept, Tensor) else value
