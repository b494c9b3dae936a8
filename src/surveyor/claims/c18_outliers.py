"""A generator of one point among outliers."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, game_of, play

SHARES = ("0%", "20%", "30%", "40%", "49%")


class Point(nn.Module):
    """G(z) = g: a generator of one point in the plane."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([2.0, 2.0]))

    def forward(self, z: Tensor) -> Tensor:
        """Return points (n, 2)."""
        return self.place.expand(len(z), 2)


class Outliers(Claim):
    """W1 between a point and data is least at their geometric median."""

    title = "A W1 generator of a point finds the geometric median, squared error the mean"
    statement = (
        "W1 between a point g and data is E|g - x|, which is least at the geometric median. With "
        "up to 49% of the data far away the median stays with the others, while the mean, which "
        "squared error finds, is drawn away in proportion. A generator of one point trained "
        "against a penalised critic follows the median."
    )
    equation = "argmin_g W1(δ_g, p) = argmin_g E|g − x|;  argmin_g E|g − x|² = E x"
    source = "Weber 1909; Lopuhaä and Rousseeuw 1991 (breakdown at one half)"
    parts = (
        Part(
            "the generator of a point ends within .25 of the geometric median",
            lambda f, share: f[f"distance from the geometric median, {share}"] < 0.25,
            SHARES,
            "up to 40% of the data are outliers",
            SHARES[:-1],
        ),
        Part(
            "it stays with the others: at most .35 of the way that the mean, which squared error "
            "finds, is drawn away",
            lambda f, share: (
                f[f"distance from the inliers' centre, {share}"]
                < 0.35 * f[f"the mean's distance from it, {share}"]
            ),
            SHARES[1:],
            "up to 40% of the data are outliers",
            SHARES[1:-1],
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a point among 0 to 49% outliers 10 away."""
        rng = np.random.default_rng(seed)
        shares = [float(share.rstrip("%")) / 100 for share in SHARES]
        places, medians, means = [], [], []
        for share in shares:
            n = 4000
            x = rng.normal(0, 0.5, (n, 2))
            x[: round(share * n)] += np.array([10.0, 0.0])
            points = Points(torch.tensor(x, dtype=torch.float32))
            generator = Point()
            # At the usual weight of 10 the far side's slope is 1 + 10 / 20, and pulls more.
            penalty = "gradient-penalty:weight=300"
            game = game_of(points, generator, constraint=penalty, latent=1, seed=seed)
            # The best critic has a kink at the point itself; noise on both sides rounds it.
            noise = "anneal:start=0.5,end=0.5,until=2"
            count = 40 if quick else 700
            steps = play(game, points, count, 256, 3, 2e-3, 2e-2, noise=noise, hold=0.3, seed=seed)
            *_, (state, _) = steps
            kept = state.average
            places.append(next(kept.parameters()).detach().numpy().copy())
            medians.append(median(x))
            means.append(x.mean(0))
        away = [np.array(places) - np.array(medians), np.array(places), np.array(means)]
        far = [np.linalg.norm(a, axis=1).tolist() for a in away]
        named = (
            "distance from the geometric median", "distance from the inliers' centre",
            "the mean's distance from it",
        )  # fmt: skip
        return Evidence(
            {
                f"{name}, {share}": value
                for name, values in zip(named, far, strict=True)
                for share, value in zip(SHARES, values, strict=True)
            },
            {"shares": np.array(shares), "places": np.array(places),
             "medians": np.array(medians), "means": np.array(means)},
        )  # fmt: skip

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw where each goes as outliers are added."""
        axis = figure.subplots()
        c = found.curves
        axis.plot(
            c["shares"], c["means"][:, 0], "o-", color="#8a94a6", label="mean (squared error)"
        )
        axis.plot(c["shares"], c["medians"][:, 0], "--", color="#1f2d3d", label="geometric median")
        axis.plot(c["shares"], c["places"][:, 0], "o-", color="#e4572e", label="W1 generator")
        axis.set(xlabel="share of outliers, 10 away", ylabel="place towards the outliers")
        axis.legend()


def median(x: np.ndarray, rounds: int = 2000) -> np.ndarray:
    """Return the geometric median of x (n, d), by Weiszfeld's iteration."""
    y = x.mean(0)
    for _ in range(rounds):
        weight = 1 / np.maximum(np.linalg.norm(x - y, axis=1), 1e-9)
        y = (weight[:, None] * x).sum(0) / weight.sum()
    return np.asarray(y)
