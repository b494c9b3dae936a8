"""Two point masses, and two Gaussians: distances that can be written down."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gap, measuring_critic
from surveyor.transport import wasserstein_1_gaussians, wasserstein_1_line


class PointMasses(Claim):
    """A critic held to slope 1 says how far apart two points are."""

    title = (
        "Between two points the critic's value follows their distance, between Gaussians W1 "
        "follows means and deviations"
    )
    statement = (
        "Between two point masses a and b the largest gap of a function of slope 1 is |a - b|, and "
        "a critic under a gradient penalty of weight w finds |a - b| (1 + |a - b| / 2w): its slope "
        "s is where |a - b| s - w (s - 1)² is largest. Between Gaussians W1 follows the difference "
        "of means, and of deviations."
    )
    equation = "W1(δa, δb) = |a − b|;  W1(N(m, s²), N(m′, s′²)) = E|m − m′ + (s − s′) Z|"
    source = "Kantorovich and Rubinstein 1958; Arjovsky, Chintala and Bottou 2017, example 1"
    parts = (
        Part(
            "a penalised critic's gap between points is |a - b| (1 + |a - b| / 2w), within 3%",
            lambda f, _: f["largest error of the critic's value"] < 0.03,
        ),
        Part(
            "W1 of samples of Gaussians is the formula's, within 3%",
            lambda f, _: f["largest error of W1 between Gaussians"] < 0.03,
        ),
    )
    weight = 10.0

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train critics between points at growing distances, and measure Gaussians."""
        distances = np.array([0.5, 2.0] if quick else [0.25, 0.5, 1.0, 2.0, 4.0, 8.0])
        found = []
        for d in distances:
            high, low = (Points(torch.full((64, 2), v)) for v in (float(d) / 2**0.5, 0.0))
            critic = measuring_critic(
                high, low, "mlp:width=32,depth=2",
                f"gradient-penalty:weight={self.weight},side=two",
                count=300 if quick else 1500, batch=64, rate=3e-3, seed=seed,
            )  # fmt: skip
            found.append(gap(critic, high, low))
        z = np.random.default_rng(seed).normal(size=(2, 20_000 if quick else 200_000))
        cases = [(1.0, 1.0), (3.0, 1.0), (0.0, 3.0), (1.0, 3.0), (2.0, 0.2)]
        exact = np.array([wasserstein_1_gaussians(0.0, 1.0, m, s) for m, s in cases])
        samples = np.array([wasserstein_1_line(z[0], m + s * z[1]) for m, s in cases])
        expected = distances * (1 + distances / (2 * self.weight))
        return Evidence(
            {
                "largest error of the critic's value": float(
                    np.abs(np.array(found) / expected - 1).max()
                ),
                "largest error of W1 between Gaussians": float(np.abs(samples / exact - 1).max()),
            },
            {
                "distances": distances, "found": np.array(found), "expected": expected,
                "exact": exact, "samples": samples,
            },
        )  # fmt: skip

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both against the truth."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        left.plot(c["distances"], c["distances"], color="#8a94a6", ls="--", label="|a - b|")
        left.plot(
            c["distances"], c["expected"], color="#e4572e", lw=1, label="with the penalty's part"
        )
        left.plot(c["distances"], c["found"], "o", color="#e4572e", label="the critic's gap")
        left.set(xlabel="|a - b|", ylabel="value", title="two points")
        right.plot(c["exact"], c["exact"], color="#8a94a6", ls="--", label="formula")
        right.plot(c["exact"], c["samples"], "o", color="#2a7f9e", label="from samples")
        right.set(xlabel="W1 by formula", ylabel="W1", title="Gaussians on the line")
        for axis in (left, right):
            axis.legend()
