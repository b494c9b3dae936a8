"""Weight clipping: what the limit does to the estimate, and where the weights go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gap, measuring_critic


class Clipping(Claim):
    """A small limit underestimates, a large one overestimates, and the weights gather at it."""

    title = "Weight clipping: the estimate is the limit's, not the distance's"
    statement = (
        "A critic whose weights are clipped to [-c, c] underestimates W1 where c is small and "
        "overestimates it where c is large, by orders of magnitude either way: its slope grows "
        "like c to the power of its layers. Training drives the weights to the limit itself. A "
        "gradient penalty finds the distance without either."
    )
    equation = "|f|_L ≤ ∏ √(n_in n_out) c^layers;  share of weights with |w| = c → 1"
    source = "Arjovsky, Chintala and Bottou 2017; Gulrajani et al. 2017, section 3 and figure 1"
    parts = (
        Part(
            "under a limit of .003 the estimate is less than a tenth of W1",
            lambda f, _: f["estimate over W1, least limit"] < 0.1,
        ),
        Part(
            "under one of .3 it is more than ten times W1",
            lambda f, _: f["estimate over W1, largest limit"] > 10,
        ),
        Part(
            "more than half of the weights end at a limit of .01",
            lambda f, _: f["share of weights at a limit of .01"] > 0.5,
        ),
        Part(
            "a gradient penalty finds from .9 to 1.15 of W1",
            lambda f, _: 0.9 < f["estimate over W1, gradient penalty"] < 1.15,
        ),
    )
    distance = 2.0
    headline = "estimate over W1, largest limit"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train critics under limits from .003 to .3 between two Gaussians 2 apart."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.normal(size=(4096, 2)), dtype=torch.float32)
        high, low = Points(x + torch.tensor([self.distance, 0.0])), Points(x)
        count, net = (300 if quick else 1000), "mlp:width=32,depth=3"
        limits = [0.01, 0.3] if quick else [0.003, 0.01, 0.03, 0.1, 0.3]
        found, shares, weights = [], [], np.zeros(0)
        for limit in limits:
            critic = measuring_critic(
                high, low, net, f"clip:limit={limit}", count=count, rate=1e-3,
                optimizer="rmsprop", seed=seed,
            )  # fmt: skip
            found.append(gap(critic, high, low))
            w = np.concatenate([p.detach().numpy().ravel() for p in _weights(critic)])
            shares.append(float((np.abs(w) > 0.999 * limit).mean()))
            weights = w / limit if limit == 0.01 else weights
        penalised = measuring_critic(high, low, net, "gradient-penalty", count=count, seed=seed)
        ratios = np.array(found) / self.distance
        return Evidence(
            {
                "estimate over W1, least limit": float(ratios[0]),
                "estimate over W1, largest limit": float(ratios[-1]),
                "share of weights at a limit of .01": shares[limits.index(0.01)],
                "estimate over W1, gradient penalty": gap(penalised, high, low) / self.distance,
            },
            {"limits": np.array(limits), "ratios": ratios, "weights": weights},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the estimate against the limit, and the weights."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        left.loglog(
            c["limits"], np.maximum(c["ratios"], 1e-9), "o-", color="#e4572e", label="clipping"
        )
        left.axhline(
            found.figures["estimate over W1, gradient penalty"],
            color="#2a7f9e",
            label="gradient penalty",
        )
        left.axhline(1, color="#8a94a6", ls="--", label="W1")
        left.set(xlabel="limit c", ylabel="estimate / W1")
        left.legend()
        right.hist(c["weights"], 60, color="#e4572e")
        right.set(xlabel="weight / c at c = .01", ylabel="weights")


def _weights(critic: nn.Module) -> Iterator[nn.Parameter]:
    return (p for p in critic.parameters() if p.ndim > 1)
