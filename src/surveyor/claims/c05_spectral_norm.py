"""How much slope is left under a product of layer norms."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence, Part
from surveyor.diagnostics import slopes
from surveyor.lipschitz import certify
from surveyor.training.lab import Points, gap, measuring_critic

ORTHOGONAL = "estimate over W1, orthogonal and GroupSort"
KINDS = {
    "spectral norm, ReLU": ("mlp:width=64,depth=3,slope=0", "spectral"),
    "spectral norm, LeakyReLU": ("mlp:width=64,depth=3", "spectral"),
    "orthogonal, GroupSort": ("mlp:width=64,depth=3", "orthogonal"),
    "gradient penalty": ("mlp:width=64,depth=3", "gradient-penalty"),
}


class SpectralNorm(Claim):
    """A product of norms bounds the slope loosely; orthogonal layers with GroupSort reach it."""

    title = "Spectral normalisation bounds the slope loosely; orthogonal layers close the gap"
    statement = (
        "With every layer's spectral norm at 1 the critic's slope is at most 1, but the bound is "
        "loose: activations lose slope and each layer stretches another direction, so the "
        "estimate falls short of W1. Orthogonal layers keep every direction, and GroupSort loses "
        "none: slope and estimate then reach what the bound allows. Between a point and the sphere "
        "around it the best critic is |x|, which no linear map is near."
    )
    equation = "|f|_L ≤ ∏ ‖W_k‖₂ = 1;  E f(x) − E f(y) ≤ W1"
    source = "Miyato et al. 2018; Anil, Lucas and Grosse 2019"
    parts = (
        Part(
            "spectral normalisation bounds the slope: the product of norms is at most 1.15",
            lambda f, _: f["bound, spectral norm"] < 1.15,
        ),
        Part(
            "the bound is loose: the estimate is less than .7 of W1",
            lambda f, case: f[f"estimate over W1, spectral norm and {case}"] < 0.7,
            ("ReLU", "LeakyReLU"),
        ),
        Part(
            "orthogonal layers with GroupSort close the gap: their estimate is more than .97 of W1",
            lambda f, _: f[ORTHOGONAL] > 0.97,
        ),
    )
    findings = (
        Part(
            "orthogonal layers with GroupSort close more than half of the gap",
            lambda f, case: (
                f[ORTHOGONAL] > (1 + f[f"estimate over W1, spectral norm and {case}"]) / 2
            ),
            ("ReLU", "LeakyReLU"),
        ),
    )
    headline = ORTHOGONAL

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train each kind between a point and the sphere of radius 3 around it, in 8 dimensions."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(rng.normal(size=(4096, 8)), dtype=torch.float32)
        high, low = Points(3.0 * x / x.norm(dim=1, keepdim=True)), Points(torch.zeros(4096, 8))
        reached, steep, bounds = [], [], []
        for net, constraint in KINDS.values():
            critic = measuring_critic(
                high, low, net, constraint, count=100 if quick else 1000, rate=3e-3, seed=seed
            )
            reached.append(gap(critic, high, low) / 3.0)
            around = slopes(critic, Batch(high.x[:1000]), Batch(low.x[:1000]), Draws(seed))
            steep.append(around.mean("between"))
            bounds.append(certify(critic) or np.nan)
        return Evidence(
            {
                "estimate over W1, spectral norm and ReLU": reached[0],
                "estimate over W1, spectral norm and LeakyReLU": reached[1],
                ORTHOGONAL: reached[2],
                "bound, spectral norm": bounds[1],
                "bound, orthogonal": bounds[2],
                "bound over slope, gradient penalty": bounds[3] / steep[3],
            },
            {"reached": np.array(reached), "steep": np.array(steep)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw estimate and slope of each kind."""
        axis = figure.subplots()
        at = np.arange(len(KINDS))
        axis.bar(at - 0.2, found.curves["reached"], 0.38, color="#e4572e", label="estimate / W1")
        axis.bar(at + 0.2, found.curves["steep"], 0.38, color="#2a7f9e", label="mean slope between")
        axis.axhline(1, color="#8a94a6", ls="--")
        axis.set_xticks(at, list(KINDS))
        axis.legend()
