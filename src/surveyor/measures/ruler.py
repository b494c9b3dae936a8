"""Validation during training: exact W1, always on the same validation rows and draws."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.data import Source
from surveyor.diagnostics import slopes
from surveyor.generators import Likelihood
from surveyor.measures.seen import generated
from surveyor.measures.wasserstein import floors_of, noise, w1
from surveyor.streams import Stream
from surveyor.training import Game, Measurement, Record

LIKELY = 2_048  # validation rows whose likelihood is measured
AT_ONCE = 1_024


@dataclass(frozen=True)
class Looked:
    """The batches and distances of one measurement.

    ``value`` is W1, and ``own`` W1 between two sets of generated points, in encoded units. The
    critic's gap is measured between ``held`` and ``fake``, and on training rows between the two
    batches of ``trained``.
    """

    held: Batch
    fake: Batch
    trained: tuple[Batch, Batch]
    value: float
    own: float
    facts: dict[str, float]


@dataclass(frozen=True, eq=False)
class Ruler(ABC):
    """Measure a game on ``n`` validation rows; distances are in the user's unit."""

    game: Game
    train: Source
    held: Source
    n: int
    seed: int
    unit: float

    @cached_property
    @abstractmethod
    def floors(self) -> list[float]:
        """Return W1 between real and real for several sets, in the user's unit."""

    @abstractmethod
    def look(self, generator: nn.Module, draws: Draws) -> Looked:
        """Draw points from ``generator`` and measure them."""

    def __call__(self, generator: nn.Module, record: Record | None = None) -> Measurement:
        """Measure ``generator`` with the game's current critic."""
        game = self.game
        seen = self.look(generator, Draws(self.seed, 0, Stream.RULER))
        gaps: list[float | None] = [None, None]
        if game.objective.is_distance:
            pairs = (seen.held, seen.fake), seen.trained
            with torch.no_grad():
                scores = [
                    [game.mean_score(b.to(game.device)).mean().item() for b in p] for p in pairs
                ]
            gaps = [a - b for a, b in scores]
        at = Draws(self.seed, 1, Stream.RULER, 0, game.device)
        steep = slopes(
            game.critic, seen.held.to(game.device), seen.fake.to(game.device), at, game.unit
        )
        return Measurement(
            step=0 if record is None else record.step,
            w1=self.unit * seen.value,
            w1_floor=float(np.mean(self.floors)),
            w1_noise=noise(self.floors),
            w1_self=self.unit * seen.own,
            critic_estimate=gaps[0],
            critic_estimate_training=gaps[1],
            slope_mean=steep.mean("between"),
            slope_max=steep.max(),
            losses={} if record is None else record.losses(),
            facts=seen.facts,
            noise=0.0 if record is None else record.noise,
            log_loss=self.log_loss(generator),
        )

    @torch.no_grad()
    def log_loss(self, generator: nn.Module) -> float | None:
        """Return the mean negative log likelihood of validation rows; None without a likelihood."""
        if not isinstance(generator, Likelihood):
            return None
        n, device, total = min(LIKELY, len(self.held)), self.game.device, 0.0
        for start in range(0, n, AT_ONCE):
            rows = self.held.first(min(AT_ONCE, n - start), start).to(device)
            total -= float(self.game.log_likelihood(rows, None, generator).double().sum())
        return total / n


class RowRuler(Ruler):
    """W1 between validation and as many generated rows, in the joint space of x and condition.

    The floor is the mean over disjoint sets of training rows, against the same validation rows.
    """

    @cached_property
    def size(self) -> int:
        """Return the number of rows per side."""
        return min(self.n, len(self.held), len(self.train))

    @cached_property
    def floors(self) -> list[float]:
        """Return W1 between validation rows and sets of training rows."""
        return floors_of(self.points, self.train, self.size, self.unit)

    @cached_property
    def points(self) -> Tensor:
        """Return the validation rows as points of the ground metric, (size, d)."""
        return self.held.codec.metric_points(self.held.first(self.size))

    def look(self, generator: nn.Module, draws: Draws) -> Looked:
        """Draw twice as many points, with conditions as in training."""
        n, held, conditions = self.size, self.held.first(self.size), self.held.codec.condition
        cond = conditions.embed(conditions.draw(2 * n, draws))
        made = generated(self.game, generator, cond, 2 * n, draws)
        fake, other = made.part(0, n), made.part(n, 2 * n)
        facts = {k: v for c in self.game.constraints for k, v in c.facts(self.game.critic).items()}
        at, metric = self.held.codec.metric_points, self.held.codec.metric
        joint = at(fake)
        trained = self.train.first(n), fake
        own = w1(joint, at(other), metric)
        return Looked(held, fake, trained, w1(self.points, joint, metric), own, facts)
