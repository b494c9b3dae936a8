"""The weight of the penalty, and its two sides."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.claims import Claim, Evidence, Part
from surveyor.data.toy import ring, ring_modes
from surveyor.diagnostics import slopes
from surveyor.lipschitz import constraints
from surveyor.training import Game
from surveyor.training.lab import BITS, Points, game_of, gap, measuring_critic, play, sampled
from surveyor.transport import wasserstein_1_discrete

SEGMENT = 15  # generator steps between two changes of the adapted weight
SMALL, USUAL, LARGE, ADAPTED = ".01", "10", "10,000", "adapted"


class PenaltyWeight(Claim):
    """Too small a weight lets the slope grow, too large a one flattens the critic."""

    title = "The penalty's weight: too small the slope grows, too large the critic lags"
    statement = (
        "With a small weight the slope grows beyond any meaning; with a large one the critic "
        "spends its steps on the slope and misses modes. A weight that is adapted to keep the "
        "excess of the slope near .1 finds its way from the small one. On a line the two-sided "
        "penalty has a trap that the one-sided one has not: a critic that starts with the wrong "
        "sign would have to pass slope 0, which is penalised, and stays."
    )
    equation = (
        "slope s maximises W1 s − w (s − 1)²: s = 1 + W1 / 2w;  wrong sign stable if w > W1 / 2"
    )
    source = "Gulrajani et al. 2017; Petzka et al. 2018 (one-sided); Wei et al. 2018"
    parts = (
        Part(
            "under a weight of .01 the slope grows to more than three times that under 10",
            lambda f, _: (
                f[f"largest slope, weight {SMALL}"] > 3 * f[f"largest slope, weight {USUAL}"]
            ),
        ),
        Part(
            "under 10,000 the critic lags: fewer modes are covered, and samples end farther away",
            lambda f, _: (
                f[f"modes of 8, weight {LARGE}"] < f[f"modes of 8, weight {USUAL}"]
                and f[f"W1, weight {LARGE}"] > f[f"W1, weight {USUAL}"]
            ),
        ),
        Part(
            "a weight that is adapted at least halves the slope that it starts with",
            lambda f, _: (
                f[f"largest slope, weight {ADAPTED}"] < 0.5 * f[f"largest slope, weight {SMALL}"]
            ),
        ),
        Part(
            "a critic that starts with the wrong sign keeps it under two sides, and not under one",
            lambda f, _: (
                f["gap from a wrong start, two-sided"] < 0 < f["gap from a wrong start, one-sided"]
            ),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play the ring under three weights and an adapted one, and try the trap."""
        rng = np.random.default_rng(seed)
        points = Points(torch.tensor(ring(8192, rng), dtype=torch.float32))
        count = 45 if quick else 600
        weights = {SMALL: 0.01, USUAL: 10.0, LARGE: 1e4, ADAPTED: 0.01}
        steep, covered, distances = [], [], []
        for name, weight in weights.items():
            made, largest, path = _played(points, weight, name == ADAPTED, count, seed)
            steep.append(largest)
            away = torch.cdist(made, torch.tensor(ring_modes(), dtype=torch.float32))
            near = away.argmin(1)[away.min(1).values < 0.1]
            covered.append(int((torch.bincount(near, minlength=8) > 60).sum()))
            distances.append(wasserstein_1_discrete(points.x[:1000].numpy(), made[:1000].numpy()))
        return Evidence(
            {f"largest slope, weight {k}": s for k, s in zip(weights, steep, strict=True)}
            | {f"modes of 8, weight {k}": float(c) for k, c in zip(weights, covered, strict=True)}
            | {f"W1, weight {k}": d for k, d in zip(weights, distances, strict=True)}
            | {f"gap from a wrong start, {side}-sided": _trapped(side) for side in ("one", "two")},
            {"path": np.array(path), "steep": np.array(steep), "distances": np.array(distances)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the slope and W1 of each, and how the weight adapts."""
        axes = figure.subplots(1, 3)
        shown = (SMALL, USUAL, "10⁴", ADAPTED)
        axes[0].bar(shown, found.curves["steep"], color="#e4572e")
        axes[0].set(title="largest slope", yscale="log", xlabel="weight")
        axes[1].bar(shown, found.curves["distances"], color="#2a7f9e")
        axes[1].set(title="W1 after training", xlabel="weight")
        axes[2].semilogy(found.curves["path"], color="#1f2d3d")
        axes[2].set(title="the adapted weight", xlabel="training")


def _played(
    points: Points, weight: float, adapt: bool, count: int, seed: int
) -> tuple[Tensor, float, list[float]]:
    """Return samples, the critic's largest slope, and the weights that were used."""
    game = game_of(points, constraint=f"gradient-penalty:weight={weight}", latent=BITS, seed=seed)
    state, path = None, [weight]
    for _ in range(count // SEGMENT):
        going = play(game, points, count, 128, 1, 4e-3, 2e-3, hold=0.5, seed=seed, state=state)
        *_, (state, _) = islice(going, SEGMENT)
        if adapt and state.step < count:
            path.append(_adapted(game, path[-1], points, seed))
            penalty = f"gradient-penalty:weight={path[-1]},target=1"
            game = replace(game, constraints=(parse(penalty, constraints(), "constraint"),))
    assert state is not None
    made = sampled(game, state.average, 2000, seed=seed)
    around = slopes(game.critic, Batch(points.x[:2000]), Batch(made), Draws(seed))
    return made, around.max(), path


def _adapted(game: Game, weight: float, points: Points, seed: int) -> float:
    """Return a larger weight where the slope is above 1.1 on average, else a smaller one."""
    made = sampled(game, game.generator, 512, seed=seed)
    mean = slopes(game.critic, Batch(points.x[:512]), Batch(made), Draws(seed)).mean("between")
    return float(np.clip(weight * np.exp(2 * (mean - 1.1)), 1e-3, 1e3))


def _trapped(side: str) -> float:
    """Return the gap between points 1 and 0 of f(x) = c x that starts at c = -.1."""
    line = nn.Linear(1, 1, bias=False)
    nn.init.constant_(line.weight, -0.1)
    critic = nn.Sequential(line, nn.Flatten(0))
    high, low = Points(torch.ones(64, 1)), Points(torch.zeros(64, 1))
    penalty = f"gradient-penalty:side={side}"
    measuring_critic(high, low, critic, penalty, count=1000, batch=32, rate=5e-3)
    return gap(critic, high, low)
