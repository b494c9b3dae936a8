"""One distance by three roads: quantiles, network simplex, and a trained critic."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gap, measuring_critic
from surveyor.transport import wasserstein_1_discrete, wasserstein_1_line


class ThreeRulers(Claim):
    """Quantile functions, network simplex and a trained critic agree."""

    title = "Quantiles, network simplex and a trained critic agree on W1"
    statement = (
        "On the line W1 of two samples is the area between their quantile functions. The same "
        "number is the cost of the cheapest matching (the primal problem), and the largest gap of "
        "a function of slope 1 (the dual problem). Network simplex solves the first; for the "
        "second a critic of orthogonal layers and GroupSort, whose slope is at most 1 by proof, "
        "is trained on the samples and on nothing else."
    )
    equation = (
        "∫|F⁻¹(u) − G⁻¹(u)| du = min over plans E|x − y| = max over |f′| ≤ 1 of E f(x) − E f(y)"
    )
    source = "Villani 2009, theorem 5.10 and remark 6.5; Santambrogio 2015, chapter 2"
    parts = (
        Part(
            "quantiles and network simplex agree to rounding",
            lambda f, _: f["largest difference, simplex"] < 1e-6,
        ),
        Part(
            "a trained critic of proven slope finds the same within 1%, and no more",
            lambda f, _: (
                f["largest difference, trained critic"] < 0.01
                and f["largest excess of the critic"] < 1e-4
            ),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Measure pairs of samples in each of the three ways."""
        rng = np.random.default_rng(seed)
        n = 200 if quick else 500
        mixed = np.where(rng.random(n) < 0.5, rng.normal(-2, 0.5, n), rng.normal(3, 1, n))
        pairs = {
            "normal, moved": (rng.normal(0, 1, n), rng.normal(1, 1, n)),
            "normal, wider": (rng.normal(0, 1, n), rng.normal(0, 2, n)),
            "normal, two hills": (rng.normal(0, 1, n), mixed),
            "uniform, exponential": (rng.random(n), rng.exponential(1, n)),
        }
        pairs = dict(list(pairs.items())[:1]) if quick else pairs
        line, plan, dual = [], [], []
        for a, b in pairs.values():
            line.append(wasserstein_1_line(a, b))
            plan.append(wasserstein_1_discrete(a[:, None], b[:, None]))
            high, low = (Points(torch.tensor(s[:, None], dtype=torch.float32)) for s in (a, b))
            critic = measuring_critic(
                high, low, "mlp:width=32,depth=2", "orthogonal", count=100 if quick else 1500,
                rate=1e-2, seed=seed,
            )  # fmt: skip
            dual.append(gap(critic, high, low))
        exact = np.array(line)
        return Evidence(
            {
                "largest difference, simplex": float(np.abs(np.array(plan) / exact - 1).max()),
                "largest difference, trained critic": float(
                    np.abs(np.array(dual) / exact - 1).max()
                ),
                "largest excess of the critic": float((np.array(dual) / exact - 1).max()),
            },
            {"line": exact, "plan": np.array(plan), "dual": np.array(dual)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the three side by side."""
        axis = figure.subplots()
        c = found.curves
        at = np.arange(len(c["line"]))
        for k, (name, label) in enumerate(
            (("line", "quantiles"), ("plan", "network simplex"), ("dual", "trained critic"))
        ):
            colour = ("#1f2d3d", "#2a7f9e", "#e4572e")[k]
            axis.bar(at + 0.25 * (k - 1), c[name], 0.22, color=colour, label=label)
        axis.set(ylabel="W1", xticks=at, xlabel="pair of samples")
        axis.legend()
