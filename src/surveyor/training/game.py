"""The game: two nets, an objective, constraints, and the noise that both see."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, Scores, joined
from surveyor.catalog import text_of
from surveyor.lipschitz import Constraint
from surveyor.nets import ChainCritic, Latent
from surveyor.objectives import Objective

Head = Callable[[Tensor, Draws], Tensor]
Terms = dict[str, Tensor]


@dataclass(frozen=True)
class Noise:
    """Gaussian noise on real and fake points alike, from ``start`` to ``end``, then none.

    It smooths both distributions, so that their supports meet (Arjovsky and Bottou 2017). The
    deviation falls geometrically over the first ``until`` of training.
    """

    start: float = 0.0
    end: float = 0.01
    until: float = 0.5

    def at(self, progress: float) -> float:
        """Return the deviation at ``progress`` in [0, 1]."""
        if self.start == 0 or progress >= self.until:
            return 0.0
        return float(self.start * (self.end / self.start) ** (progress / self.until))


@dataclass(frozen=True)
class Game:
    """Generator against critic; its losses are pure functions of parameters, batch and draws.

    ``unit`` is the slope the critic is held to (1/s for data scaled by s): losses that are
    distances are divided by it, so that optimizers see the same game in every unit. ``precision``
    is that of the products in the losses; weights, sums and everything measured are float32.
    """

    generator: nn.Module
    critic: nn.Module
    objective: Objective
    constraints: tuple[Constraint, ...]
    latent: Latent
    head: Head
    unit: float = 1.0
    precision: torch.dtype = torch.float32

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        """Return ``n`` generated points under their conditions."""
        net = self.generator if generator is None else generator
        z = self.latent.draw(n, draws)
        raw = net(z) if cond is None else net(z, cond)
        return Batch(self.head(raw.float(), draws), cond)

    def score(self, batch: Batch) -> Tensor:
        """Return the critic's scores, (..., n)."""
        scores: Tensor = (
            self.critic(batch.x) if batch.cond is None else self.critic(batch.x, batch.cond)
        )
        return (scores.squeeze(-1) if scores.shape == (len(batch), 1) else scores).float()

    def _traced(self, batch: Batch, step: int) -> tuple[Tensor, Tensor | None]:
        wanted = any(c.where_scored(step) for c in self.constraints)
        if wanted and isinstance(self.critic, ChainCritic):
            traced = self.critic.traced(batch.x, batch.cond)
            if traced is not None:
                return traced[0].float(), traced[1]
        return self.score(batch), None

    def critic_loss(self, real: Batch, draws: Draws, noise: float = 0.0) -> Terms:
        """Return the terms whose sum the critic minimises."""
        with self._products(real.x.device):
            return self._critic_loss(real, draws, noise)

    def generator_loss(self, real: Batch, draws: Draws, noise: float = 0.0) -> Terms:
        """Return the terms whose sum the generator minimises."""
        with self._products(real.x.device):
            return self._generator_loss(real, draws, noise)

    def _products(self, device: torch.device) -> AbstractContextManager[object]:
        if self.precision == torch.float32:
            return nullcontext()
        # The cache would keep a weight that was first seen without a gradient, and lose its own.
        return torch.autocast(device.type, self.precision, cache_enabled=False)

    def _critic_loss(self, real: Batch, draws: Draws, noise: float) -> Terms:
        with torch.no_grad():
            fake = self.generate(len(real), real.cond, draws)
        fake = Batch(fake.x, real.cond, real.weight, real.group)
        real, fake = _noisy(real, noise, draws), _noisy(fake, noise, draws)
        scored, slope = self._traced(joined([real, fake]), draws.step)
        on_real, on_fake = torch.split(scored, len(real), dim=-1)
        scores = Scores(on_real, on_fake, real.weight, fake.weight, real.group)
        terms = {"critic objective": self.objective.critic(scores) / self.unit}
        for constraint in self.constraints:
            penalty = constraint.penalty(self.critic, real, fake, draws, slope)
            if penalty is not None:
                terms[text_of(constraint).partition(":")[0]] = penalty / self.unit
        return terms

    def _generator_loss(self, real: Batch, draws: Draws, noise: float) -> Terms:
        made = self.generate(len(real), real.cond, draws)
        fake = _noisy(Batch(made.x, real.cond, real.weight, real.group), noise, draws)
        on_fake = self.score(fake)
        if self.objective.pairs:
            with torch.no_grad():
                on_real = self.score(_noisy(real, noise, draws))
        else:
            on_real = on_fake
        scores = Scores(on_real, on_fake, real.weight, fake.weight, real.group)
        return {"generator objective": self.objective.generator(scores) / self.unit}


def _noisy(batch: Batch, deviation: float, draws: Draws) -> Batch:
    if deviation == 0:
        return batch
    x = batch.x + deviation * draws.normal(*batch.x.shape)
    return Batch(x, batch.cond, batch.weight, batch.group)
