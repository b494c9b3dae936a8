"""A committee of critics, each with its own features."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence
from surveyor.training.lab import Points, measuring_critic

FEATURES, FITS = 8, 4


class CommitteeOfFeatures(Claim):
    """A committee on subsets of the features: less variance, an outlier feature tamed."""

    title = "A committee of critics on feature subsets: a steadier signal, an outlier feature tamed"
    statement = (
        "Eight features move alike; one of them has rare values a hundred times as large. One "
        "critic of all features gives that one most of its slope. A committee whose members each "
        "see half of the features gives it to the members that see it alone, and its mean gradient "
        "varies less from one training to the next."
    )
    equation = "f = (1/K) Σ f_k(V_k x);  variance of ∇f over trainings / |mean ∇f|²"
    source = "Durugkar, Gemp and Mahadevan 2017; the library's committee"
    condition = "the outlier feature is tamed, and the variance is less, not always half."
    seeds = 5

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a critic and a committee several times on halves of the data."""
        rng = np.random.default_rng(seed)
        x = rng.normal(size=(2, 8192, FEATURES))
        rare = rng.random((2, 8192)) < 0.01
        x[:, :, 0] = np.where(rare, 100 * x[:, :, 0], x[:, :, 0])
        x[0] += 1.0
        sets = torch.tensor(x, dtype=torch.float32)
        at = torch.tensor(rng.normal(size=(200, FEATURES)), dtype=torch.float32)
        spreads, shares = [], []
        nets = {
            "one": "mlp:width=64,depth=2",
            "committee": "committee:net=mlp,members=4,see=columns",
        }
        for net in nets.values():
            gradients = []
            for k in range(2 if quick else FITS):
                part = slice(k * 2048, (k + 1) * 2048)
                high, low = (Points(s[part]) for s in sets)
                critic = measuring_critic(
                    high, low, net, count=30 if quick else 400, batch=128, rate=2e-3,
                    seed=seed + 100 * k,
                )  # fmt: skip
                where = at.clone().requires_grad_(True)
                scores = critic(where).view(-1, len(at)).mean(0)
                (slope,) = torch.autograd.grad(scores.sum(), where)
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

    def holds(self, found: Evidence) -> bool:
        """Half the variance, and a share that is closer to an eighth."""
        one, committee, share, tamed = found.figures.values()
        return committee < one / 2 and abs(tamed - 1 / 8) < abs(share - 1 / 8)

    def under(self, found: Evidence) -> bool:
        """Less variance, and a share that is closer to an eighth."""
        one, committee, share, tamed = found.figures.values()
        return committee < one and abs(tamed - 1 / 8) < abs(share - 1 / 8)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both figures."""
        left, right = figure.subplots(1, 2)
        names = ["one critic", "committee"]
        left.bar(names, found.curves["spreads"], color="#2a7f9e")
        left.set(title="variance of the gradient, relative")
        right.bar(names, found.curves["shares"], color="#e4572e")
        right.axhline(1 / FEATURES, color="#8a94a6", ls="--")
        right.set(title="share of the outlier feature")
