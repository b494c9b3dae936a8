"""The ruler of training: exact W1 between held-out data and as many generated points."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.data import Source
from surveyor.diagnostics import slopes
from surveyor.diagnostics.slope import PLACES, Slopes
from surveyor.errors import InputError
from surveyor.streams import Stream
from surveyor.training import Game, Measurement, Record
from surveyor.transport import wasserstein_1_discrete

ROWS = 2048  # of both sides of the exact transport that a user is shown


@torch.no_grad()
def generated(
    game: Game, generator: nn.Module, cond: Tensor | None, n: int, draws: Draws, at_once: int = 2048
) -> Batch:
    """Return ``n`` generated points on the CPU, made in parts to bound memory.

    Raises:
        InputError: points that are no numbers.
    """
    device = next(game.critic.parameters()).device
    was = generator.training
    if was:  # threads that share a generator do not write to it
        generator.eval()
    parts = []
    for start in range(0, n, at_once):
        stop = min(n, start + at_once)
        c = None if cond is None else cond[start:stop].to(device)
        parts.append(game.generate(stop - start, c, draws, generator).to("cpu"))
    if was:
        generator.train()
    if not all(bool(p.x.isfinite().all()) for p in parts):
        raise InputError("the generator makes points that are not finite numbers; train it again")
    conds = [p.cond for p in parts if p.cond is not None]
    return Batch(torch.cat([p.x for p in parts]), torch.cat(conds) if conds else None)


@dataclass(frozen=True)
class Ruler:
    """Measures a game on the same ``n`` held-out rows and the same draws every time.

    The floor is the mean over ``repeats`` disjoint sets of n training rows against the same
    held-out rows. Distances are in the user's unit, in the joint space of x and condition.
    """

    game: Game
    train: Source
    held: Source
    n: int
    seed: int
    unit: float
    repeats: int = 3
    stream: Stream = Stream.RULER
    floors: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = min(self.n, len(self.held), len(self.train))
        object.__setattr__(self, "n", n)
        held = self.held.first(n).joint()
        sets = max(1, min(self.repeats, len(self.train) // n))
        self.floors.extend(
            self.unit * w1(held, self.train.first(n, skip=k * n).joint()) for k in range(sets)
        )

    @property
    def floor(self) -> float:
        """Return W1 between held-out and training rows, n each."""
        return float(np.mean(self.floors))

    @property
    def noise(self) -> float:
        """Return how much the floor varies between samples."""
        return noise(self.floors)

    def __call__(self, generator: nn.Module, record: Record | None = None) -> Measurement:
        """Measure ``generator`` with the game's critic as it stands."""
        game, device = self.game, next(self.game.critic.parameters()).device
        held, train = self.held.first(self.n), self.train.first(self.n)
        draws = Draws(self.seed, 0, self.stream)
        # Conditions as in training, not those of the held-out rows, which would flatter W1.
        conditions = self.held.codec.conditions
        cond = conditions.embed(conditions.draw(2 * self.n, draws))
        made = generated(game, generator, cond, 2 * self.n, draws)
        fake, other = made.part(0, self.n), made.part(self.n, 2 * self.n)
        gaps: list[float | None] = [None, None]
        if game.objective.is_distance:
            with torch.no_grad():
                on_fake, on_held, on_train = (
                    game.score(b.to(device)).mean().item() for b in (fake, held, train)
                )
            gaps = [on_held - on_fake, on_train - on_fake]
        measured = steepness(game, held, fake, Draws(self.seed, 1, self.stream, 0, device))
        facts = {k: v for c in game.constraints for k, v in c.facts(game.critic).items()}
        return Measurement(
            step=0 if record is None else record.step,
            w1=self.unit * w1(held.joint(), fake.joint()),
            w1_floor=self.floor,
            w1_noise=self.noise,
            w1_self=self.unit * w1(fake.joint(), other.joint()),
            critic_estimate=gaps[0],
            critic_estimate_training=gaps[1],
            slope_mean=measured.mean("between"),
            slope_max=measured.max(),
            losses={} if record is None else record.losses(),
            facts=facts,
            noise=0.0 if record is None else record.noise,
        )


def steepness(game: Game, held: Batch, fake: Batch, draws: Draws) -> Slopes:
    """Return the slopes of the game's critic at held-out points, at generated ones, and between."""
    device = draws.device
    return slopes(game.critic, held.to(device), fake.to(device), draws, game.unit)


def of_critic(measured: Measurement, steep: Slopes) -> dict[str, Any]:
    """Return what an evaluation says of the critic."""
    return {
        "estimate": measured.critic_estimate,
        "estimate_on_training_rows": measured.critic_estimate_training,
        "slope_mean": {place: steep.mean(place) for place in PLACES},
        "slope_max": steep.max(),
        "slope_histogram": {place: steep.histogram(place) for place in PLACES},
    }


def noise(floors: Sequence[float]) -> float:
    """Return the deviation of a floor between samples, or 1% of it where that is more.

    From two or three samples a deviation is known poorly, and may be small by chance.
    """
    seen = float(np.std(floors, ddof=1)) if len(floors) > 1 else 0.0
    return max(seen, 0.01 * float(np.mean(floors)))


def w1(a: Tensor, b: Tensor) -> float:
    """Return exact W1 between two sets of points (n, d) and (m, d)."""
    return wasserstein_1_discrete(a.numpy(), b.numpy())
