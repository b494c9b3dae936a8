"""Scaled data, and the slope that they ask for."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gap, measuring_critic


class Units(Claim):
    """Data scaled by s ask for the slope 1/s; then the critic speaks in the user's unit."""

    title = "Data scaled by s ask for the target 1/s"
    statement = (
        "Lengths in metres or in millimetres are the same data. Scaled by s to a spread of 1 and "
        "with a critic held to slope 1/s the same game is played in every unit, and the critic's "
        "gap is W1 in the user's. With the target left at 1 the gap is wrong by the factor s; left "
        "unscaled, distances of 100 overrun the penalty, whose part is W1 / 2w."
    )
    equation = "f(x) = g(s x), |∇g| = 1/s  ⇒  |∇f| = 1, E f(x) − E f(y) = W1"
    source = "Gulrajani et al. 2017 (the target of 1); the library's unit, docs/decisions.md"
    parts = (
        Part(
            "scaled, with target 1/s, the gap is the same part of W1 in every unit: 1 to 1.2",
            lambda f, _: (
                f["scaled, target 1/s: least estimate over W1"] > 1.0
                and f["scaled, target 1/s: largest"] < 1.2
                and f["scaled, target 1/s: largest"]
                - f["scaled, target 1/s: least estimate over W1"]
                < 0.02
            ),
        ),
        Part(
            "with the target left at 1, or data unscaled, it is more than twice W1 in some unit",
            lambda f, way: f[f"{way}: largest"] > 2,
            ("scaled, target 1", "unscaled"),
        ),
    )
    distance = 3.0

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Measure two Gaussians 3 units apart, written in units of 1/100 to 100."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.normal(size=(2, 4096, 2)), dtype=torch.float32)
        high, low = x[0] + torch.tensor([self.distance, 0.0]), x[1]
        units = np.array([0.1, 10.0] if quick else [0.01, 0.1, 1.0, 10.0, 100.0])
        found = []
        for c in units.tolist():
            scaled, raw = (Points(high), Points(low)), (Points(c * high), Points(c * low))
            row = []
            for pair, unit, target in ((scaled, c, c), (scaled, 1.0, 1.0), (raw, 1.0, 1.0)):
                critic = measuring_critic(
                    *pair, constraint=f"gradient-penalty:target={target}", unit=unit,
                    count=200 if quick else 800, rate=2e-3, seed=seed,
                )  # fmt: skip
                row.append(gap(critic, *pair) / (c * self.distance))
            found.append(row)
        ratios = np.array(found)
        return Evidence(
            {
                "scaled, target 1/s: least estimate over W1": float(ratios[:, 0].min()),
                "scaled, target 1/s: largest": float(ratios[:, 0].max()),
                "scaled, target 1: largest": float(ratios[:, 1].max()),
                "unscaled: largest": float(ratios[:, 2].max()),
            },
            {"units": units, "ratios": ratios},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the estimates against the unit."""
        axis = figure.subplots()
        c = found.curves
        for k, (label, colour) in enumerate(
            (("scaled, target 1/s", "#2a7f9e"), ("scaled, target 1", "#e4572e"),
             ("unscaled, target 1", "#1f2d3d"))
        ):  # fmt: skip
            axis.loglog(c["units"], c["ratios"][:, k], "o-", color=colour, label=label)
        axis.axhline(1, color="#8a94a6", ls="--")
        axis.set(xlabel="size of the user's unit, 1/s", ylabel="estimate / W1")
        axis.legend()
