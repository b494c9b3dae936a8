"""The critic's activation under a gradient penalty."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence, Part
from surveyor.diagnostics import slopes
from surveyor.layers.activations import GroupSort, LeakyReLU
from surveyor.training.lab import Points, gap, measuring_critic

KINDS = {
    "ReLU": lambda: LeakyReLU(0.0),
    "LeakyReLU .01": lambda: LeakyReLU(0.01),
    "LeakyReLU .2": lambda: LeakyReLU(0.2),
    "GroupSort of 2": lambda: GroupSort(2),
}


WIDTH, DEPTH = 32, 6


class Activations(Claim):
    """A slope below zero keeps the gradient alive."""

    title = "LeakyReLU serves a penalised critic better than ReLU"
    statement = (
        "A unit of ReLU that is off passes no gradient, and under a penalty the slope itself is "
        "trained. LeakyReLU, or GroupSort, which keeps every gradient's norm, should then estimate "
        "W1 better in the same number of steps. Between a point and the sphere around it in 16 "
        "dimensions the distance is 1, which six layers of 32 units come near in 300 steps, no "
        "more: a task on which activations differ."
    )
    equation = "|∇f| = |W₁ᵀ D₁ … Wₙᵀ| with D = diag(0 or 1), diag(α or 1), or a permutation"
    source = "Anil, Lucas and Grosse 2019; Gulrajani et al. 2017, appendix"
    parts = (
        Part(
            "with ReLU the estimate is lower than with each of the others",
            lambda f, other: f["estimate over W1, ReLU"] < f[f"estimate over W1, {other}"],
            tuple(KINDS)[1:],
        ),
    )
    findings = (
        Part(
            "with ReLU it is higher than with each of the others",
            lambda f, other: f["estimate over W1, ReLU"] > f[f"estimate over W1, {other}"],
            tuple(KINDS)[1:],
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a critic of each kind, alike but for its activation."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.normal(size=(4096, 16)), dtype=torch.float32)
        high, low = Points(x / x.norm(dim=1, keepdim=True)), Points(torch.zeros(4096, 16))
        values, steep = [], []
        for make in KINDS.values():
            torch.manual_seed(seed)
            net = _net(make)
            critic = measuring_critic(
                high, low, net, "gradient-penalty:weight=30", count=100 if quick else 300,
                batch=128, rate=2e-3, seed=seed,
            )  # fmt: skip
            values.append(gap(critic, high, low))
            around = slopes(critic, Batch(high.x[:1000]), Batch(low.x[:1000]), Draws(seed))
            steep.append(around.mean("between"))
        return Evidence(
            {f"estimate over W1, {name}": v for name, v in zip(KINDS, values, strict=True)},
            {"values": np.array(values), "steep": np.array(steep)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw each kind's estimate."""
        axis = figure.subplots()
        at = np.arange(len(KINDS))
        axis.bar(at - 0.2, found.curves["values"], 0.38, color="#e4572e", label="estimate / W1")
        axis.bar(at + 0.2, found.curves["steep"], 0.38, color="#2a7f9e", label="mean slope between")
        axis.axhline(1, color="#8a94a6", ls="--")
        axis.set_xticks(at, list(KINDS))
        axis.set(ylim=(0.6, 1.05))
        axis.legend(loc="upper left", ncols=2)


def _net(make: object) -> nn.Module:
    assert callable(make)
    layers: list[nn.Module] = [nn.Linear(16, WIDTH), make()]
    for _ in range(DEPTH - 1):
        layers += [nn.Linear(WIDTH, WIDTH), make()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 1), nn.Flatten(0))
