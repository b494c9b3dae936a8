"""Conditions: where the constraint is needed, and where one weight does not serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.catalog import parse
from surveyor.claims import Claim, Evidence, Part
from surveyor.generators import Latent
from surveyor.lipschitz import NormPenalty
from surveyor.lipschitz import constraints as known
from surveyor.objectives import objectives
from surveyor.training.lab import Fixed, Points, critic_of, measuring_critic, train_critic

DISTANCES = (0.2, 5.0)


@dataclass(frozen=True)
class ByClass(NormPenalty):
    """A penalty with a weight for each of two classes, in proportion to their distance."""

    of: NormPenalty

    def penalised(self, real: Batch, fake: Batch, draws: Draws) -> list[Batch]:
        """Return the points of the penalty, each weighted by its class."""
        assert real.cond is not None
        by = real.cond @ torch.tensor(DISTANCES) / float(np.mean(DISTANCES))
        return [replace(b, weight=by) for b in self.of.penalised(real, fake, draws)]

    def cost(self, squares: Sequence[Tensor], weights: Sequence[Tensor | None]) -> Tensor:
        """Return E[w cost]; the weights are multipliers, so they are not divided by."""
        terms = [
            self.of.cost([s], [w]) * (1 if w is None else w.mean())
            for s, w in zip(squares, weights, strict=True)
        ]
        return torch.stack(terms).sum()


class Conditions(Claim):
    """The slope in x for each condition is what counts; classes differ in what they need."""

    title = (
        "With conditions the slope is held in x alone, and one weight does not serve every class"
    )
    statement = (
        "A conditional critic's gap is the mean of W1 over conditions when its slope in x is 1 for "
        "each fixed condition, however steep it is in the condition. A penalty on its gradient in "
        "the condition as well makes it smooth there, and the gap smaller. Classes .2 and 5 apart "
        "under one weight w have slopes 1 + .1 / w and 1 + 2.5 / w; multipliers in proportion to "
        "the distance make them equal."
    )
    equation = (
        "E_c [W1(p_c, q_c)] = max E f(x, c) − E f(y, c) over |∇ₓ f| ≤ 1;  s_c = 1 + W1_c / 2w"
    )
    source = (
        "Gulrajani et al. 2017; the library's condition-penalty; augmented Lagrangian multipliers"
    )
    parts = (
        Part(
            "held in x alone, the gap is the mean of W1 within a tenth",
            lambda f, _: 0.9 < f["gap over mean W1, held in x"] < 1.1,
        ),
        Part(
            "held in the condition too, it is less than .95 of that",
            lambda f, _: (
                f["gap over mean W1, held in the condition too"]
                < 0.95 * f["gap over mean W1, held in x"]
            ),
        ),
        Part(
            "under one weight the far class is steeper by more than .5",
            lambda f, _: (
                f["slope of the far class, one weight"]
                > f["slope of the near class, one weight"] + 0.5
            ),
        ),
        Part(
            "multipliers in proportion to the distance make both alike within a fifth",
            lambda f, _: (
                abs(
                    f["slope of the near class, multipliers"]
                    / f["slope of the far class, multipliers"]
                    - 1
                )
                < 0.2
            ),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Measure means that jump from condition to condition, then two classes."""
        rng = np.random.default_rng(seed)
        count = 100 if quick else 1200
        place = rng.integers(0, 4, (4096, 1))
        c = torch.tensor(place / 1.5 - 1, dtype=torch.float32)
        noise = torch.tensor(rng.normal(size=(2, 4096, 1)) * 0.2, dtype=torch.float32)
        jump = torch.tensor(1 - 2 * (place % 2), dtype=torch.float32)  # real means; generated at 0
        high, low = Points(jump + noise[0], c), Points(noise[1], c)
        gaps, curves = {}, {}
        for name, constraints in (
            ("in x", ["gradient-penalty:weight=30"]),
            ("in x and condition", ["gradient-penalty:weight=30", "condition-penalty:weight=10"]),
        ):
            critic = measuring_critic(
                high, low, constraint=constraints, count=count, rate=2e-3, seed=seed
            )
            with torch.no_grad():
                told = critic(high.x, high.cond).mean() - critic(low.x, low.cond).mean()
                line = torch.linspace(-1, 1, 200)[:, None]
                curves[name] = (critic(line * 0 + 1, line) - critic(line * 0 - 1, line)).numpy()
            gaps[name] = float(told)
        penalty = parse("gradient-penalty:weight=2", known(), "constraint")
        assert isinstance(penalty, NormPenalty)
        kinds = {"one weight": penalty, "multipliers": ByClass(penalty)}
        classes = {name: _slopes(kind, count, seed) for name, kind in kinds.items()}
        return Evidence(
            {
                "gap over mean W1, held in x": gaps["in x"],
                "gap over mean W1, held in the condition too": gaps["in x and condition"],
                "slope of the near class, one weight": classes["one weight"][0],
                "slope of the far class, one weight": classes["one weight"][1],
                "slope of the near class, multipliers": classes["multipliers"][0],
                "slope of the far class, multipliers": classes["multipliers"][1],
            },
            curves | {"line": np.linspace(-1, 1, 200), "slopes": np.array(list(classes.values()))},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw f(1, c) - f(-1, c), and the slopes."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        for name, colour in (("in x", "#2a7f9e"), ("in x and condition", "#e4572e")):
            left.plot(c["line"], c[name], color=colour, label=f"held {name}")
        left.set(xlabel="condition", ylabel="f(1, c) - f(-1, c)")
        left.legend()
        at = np.arange(2)
        for k, name in enumerate(("near class", "far class")):
            right.bar(at + 0.4 * k - 0.2, c["slopes"][:, k], 0.38, label=name)
        right.set_xticks(at, ["one weight", "multipliers"])
        right.axhline(1, color="#8a94a6", ls="--")
        right.set(ylabel="slope in the class")
        right.legend()


def _slopes(penalty: NormPenalty, count: int, seed: int) -> tuple[float, float]:
    """Return the mean slope between, for the class .2 apart and that 5 apart."""
    label = torch.arange(2048) % 2
    cond = torch.eye(2)[label]
    noise = 0.05 * Draws(seed, 1).normal(2, 2048, 1)
    apart = torch.tensor(DISTANCES)[label][:, None]
    high, low = Points(noise[0] + apart, cond), Points(noise[1], cond)
    critic = critic_of("mlp:width=64,depth=2", high, seed)
    objective = objectives()["wasserstein"]()
    game = Tied(nn.Identity(), critic, objective, (penalty,), Latent(1), _same, low=low)
    train_critic(game, high, count, rate=2e-3, seed=seed)
    with torch.no_grad():
        rise = critic(apart, cond) - critic(0 * apart, cond)
    slope = rise / apart.squeeze(1)
    return float(slope[label == 0].mean()), float(slope[label == 1].mean())


@dataclass(frozen=True)
class Tied(Fixed):
    """Generated points of the class that is asked for."""

    def generate(
        self, n: int, cond: Tensor | None, draws: Draws, generator: nn.Module | None = None
    ) -> Batch:
        """Return points of the given conditions."""
        assert cond is not None
        return Batch(0.05 * draws.normal(n, 1), cond)


def _same(raw: Tensor, draws: Draws) -> Tensor:
    return raw
