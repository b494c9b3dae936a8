"""A committee of critics, each with its own features."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gradient, measuring_critic

FEATURES, FITS, ROWS = 8, 3, 2048


class CommitteeOfFeatures(Claim):
    """A committee on subsets of the features: less variance, an outlier feature tamed."""

    title = "A committee of critics on feature subsets: a steadier signal, an outlier feature tamed"
    statement = (
        "Seven of eight features differ between two sets; the eighth does not, and has rare values "
        "thirty times as large. A committee's members each see half of the features, those that do "
        "not see the eighth are not disturbed by it, and the mean of their gradients varies less "
        "from one training set to the next."
    )
    equation = "f = (1/K) Σ f_k(V_k x);  variance of ∇f over training sets / |mean ∇f|²"
    source = "Durugkar, Gemp and Mahadevan 2017; the library's committee"
    parts = (
        Part(
            "a steadier signal: the gradient varies less from one training set to the next",
            lambda f, _: (
                f["variance of the gradient, committee"] < f["variance of the gradient, one critic"]
            ),
        ),
        Part(
            "the outlier feature is tamed: its share of the gradient is less than half",
            lambda f, _: (
                f["share of the outlier feature, committee"]
                < f["share of the outlier feature, one critic"] / 2
            ),
        ),
    )
    headline = "variance of the gradient, committee"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a critic and a committee several times on disjoint parts of the data."""
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2, FITS * ROWS, FEATURES))
        rare = rng.random((2, FITS * ROWS)) < 0.05
        x[:, :, 0] = np.where(rare, 30 * x[:, :, 0], x[:, :, 0])
        x[0, :, 1:] += 0.5
        sets = torch.tensor(x, dtype=torch.float32)
        at = torch.tensor(rng.normal(size=(200, FEATURES)), dtype=torch.float32)
        spreads, shares = [], []
        nets = {
            "one": "mlp",
            "committee": "committee:of=mlp,members=4,see=columns",
        }
        for net in nets.values():
            gradients = []
            for k in range(2 if quick else FITS):
                part = slice(k * ROWS, (k + 1) * ROWS)
                high, low = (Points(s[part]) for s in sets)
                critic = measuring_critic(
                    high, low, net, count=20 if quick else 150, batch=128, rate=2e-3,
                    seed=seed,
                )  # fmt: skip
                slope = gradient(critic, at)
                gradients.append(slope / slope.norm(dim=1, keepdim=True).mean())
            stack = torch.stack(gradients)
            spreads.append(float(stack.var(0).sum(1).mean() / stack.mean(0).square().sum(1).mean()))
            shares.append(float(stack[..., 0].square().mean() / stack.square().sum(2).mean()))
        return Evidence(
            {
                "variance of the gradient, one critic": spreads[0],
                "variance of the gradient, committee": spreads[1],
                "share of the outlier feature, one critic": shares[0],
                "share of the outlier feature, committee": shares[1],
            },
            {"spreads": np.array(spreads), "shares": np.array(shares)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both figures."""
        left, right = figure.subplots(1, 2)
        names = ["one critic", "committee"]
        left.bar(names, found.curves["spreads"], color="#2a7f9e")
        left.set(title="variance of the gradient, relative")
        right.bar(names, found.curves["shares"], color="#e4572e")
        right.set(title="share of the outlier feature")
