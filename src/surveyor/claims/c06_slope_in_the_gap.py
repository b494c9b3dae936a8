"""The gradient penalty, and the slope between two distributions."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence, Part
from surveyor.diagnostics import slopes
from surveyor.training.lab import Points, measuring_critic


class SlopeInTheGap(Claim):
    """Under the penalty the slope is 1 between the distributions."""

    title = "The gradient penalty makes the slope 1 in the gap between distributions"
    statement = (
        "The best critic has slope 1 almost everywhere on the lines that optimal transport "
        "follows. A penalty at points between real and generated samples brings a trained "
        "critic's slope to 1 there, two-sided and one-sided alike."
    )
    equation = "|∇f(x_t)| = 1 at x_t = t x + (1 − t) y for (x, y) of the optimal plan"
    source = "Gulrajani et al. 2017, proposition 1; Petzka, Fischer and Lukovnicov 2018"
    parts = (
        Part(
            "the mean slope between is from .95 to 1.15, and its deviation below .1",
            lambda f, side: (
                0.95 < f[f"mean slope between, {side}"] < 1.15
                and f[f"deviation of the slope, {side}"] < 0.1
            ),
            ("two-sided", "one-sided"),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train both kinds between two clouds 6 apart in the plane."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.normal(size=(2, 2048, 2)), dtype=torch.float32)
        high, low = Points(x[0] + torch.tensor([6.0, 0.0])), Points(x[1])
        curves: dict[str, np.ndarray] = {}
        means, spreads = [], []
        for side in ("two", "one"):
            critic = measuring_critic(
                high, low, constraint=f"gradient-penalty:weight=30,side={side}",
                count=300 if quick else 1000, rate=3e-3, seed=seed,
            )  # fmt: skip
            around = slopes(critic, Batch(high.x), Batch(low.x), Draws(seed))
            means.append(around.mean("between"))
            spreads.append(float(around.at["between"].std()))
            curves[side] = around.at["between"].numpy()
        return Evidence(
            {
                "mean slope between, two-sided": means[0],
                "mean slope between, one-sided": means[1],
                "deviation of the slope, two-sided": spreads[0],
                "deviation of the slope, one-sided": spreads[1],
            },
            curves,
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the slopes."""
        axis = figure.subplots()
        bins = np.linspace(0.5, 1.5, 60).tolist()
        axis.hist(found.curves["two"], bins, color="#2a7f9e", alpha=0.7, label="two-sided")
        axis.hist(found.curves["one"], bins, color="#e4572e", alpha=0.7, label="one-sided")
        axis.axvline(1, color="#8a94a6", ls="--")
        axis.set(xlabel="slope at points between", ylabel="points")
        axis.legend()
