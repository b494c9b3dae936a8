"""Two intervals that do not touch: a ramp, and a divergence that says nothing."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gap, gradient, measuring_critic


class DisjointIntervals(Claim):
    """W1 and its gradient stay useful however far apart; Jensen-Shannon saturates."""

    title = "Between disjoint intervals W1 keeps its gradient, Jensen-Shannon loses it"
    statement = (
        "Between uniform distributions on [0, 1] and [d, d + 1] the best critic of slope 1 is a "
        "ramp, its gap is d, and it pulls the generated points with slope 1 whatever d. The "
        "original GAN's discriminator separates them perfectly: its estimate of the Jensen-Shannon "
        "divergence stays at log 2, and the gradient it hands back, through log(1 - D), vanishes."
    )
    equation = "W1 = d, |f′| = 1;  JS = log 2 for every d > 1, d/dx log(1 − D(x)) → 0"
    source = "Arjovsky and Bottou 2017, theorem 2.4; Arjovsky et al. 2017, example 1"
    parts = (
        Part(
            "W1 keeps its gradient: slope above .9 at generated points, a gap within a tenth of d",
            lambda f, _: (
                f["least mean slope at generated points"] > 0.9
                and f["largest error of its gap"] < 0.1
            ),
        ),
        Part(
            "Jensen-Shannon loses it: an estimate above .97 log 2, and a gradient below .05",
            lambda f, _: (
                f["least Jensen-Shannon estimate over log 2"] > 0.97
                and f["largest gradient through log(1 - D)"] < 0.05
            ),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a critic and a discriminator at each distance."""
        rng = np.random.default_rng(seed)
        count = 300 if quick else 1200
        distances = [2.0, 6.0] if quick else [1.5, 2.0, 3.0, 4.0, 6.0, 8.0]
        x = torch.tensor(rng.random((4096, 1)), dtype=torch.float32)
        values, slopes, divergences, pulls, ramps = [], [], [], [], []
        grid = torch.linspace(-1, 10, 200)[:, None]
        for d in distances:
            high, low = Points(x), Points(x + d)
            same = {"critic": "mlp:width=32,depth=2", "count": count, "rate": 3e-3, "seed": seed}
            critic = measuring_critic(high, low, constraint="gradient-penalty:weight=100", **same)  # type: ignore[arg-type]
            values.append(gap(critic, high, low))
            slopes.append(gradient(critic, low.x).abs().mean().item())
            told = measuring_critic(high, low, constraint="none", objective="minimax", **same)  # type: ignore[arg-type]
            with torch.no_grad():
                entropy = _softplus(-told(high.x)).mean() + _softplus(told(low.x)).mean()
                ramps.append(critic(grid).numpy())
            divergences.append(np.log(2) - entropy.item() / 2)
            # d/dx log(1 - D(x)) = -D(x) f'(x), D the logistic function of f
            score = told(low.x).detach()
            pulls.append((score.sigmoid() * gradient(told, low.x).abs().squeeze(1)).mean().item())
        gaps = np.array(values) / np.array(distances)
        return Evidence(
            {
                "least mean slope at generated points": min(slopes),
                "largest error of its gap": float(np.abs(gaps - 1).max()),
                "least Jensen-Shannon estimate over log 2": min(divergences) / np.log(2),
                "largest gradient through log(1 - D)": max(pulls),
            },
            {
                "distances": np.array(distances), "values": np.array(values),
                "divergences": np.array(divergences), "slopes": np.array(slopes),
                "pulls": np.array(pulls), "grid": grid.squeeze(1).numpy(), "ramp": ramps[-1],
            },
        )  # fmt: skip

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the ramp, both values and both gradients."""
        c = found.curves
        one, two, three = figure.subplots(1, 3)
        one.plot(c["grid"], c["ramp"], color="#2a7f9e")
        d = float(c["distances"][-1])
        for start, colour in ((0.0, "#1f2d3d"), (d, "#e4572e")):
            one.axvspan(start, start + 1, color=colour, alpha=0.2)
        one.set(title=f"the critic at d = {d:g}", xlabel="x", ylabel="f")
        two.plot(c["distances"], c["values"], "o-", color="#2a7f9e", label="critic's gap")
        two.plot(c["distances"], c["divergences"], "o-", color="#e4572e", label="Jensen-Shannon")
        two.set(title="value", xlabel="d")
        three.plot(c["distances"], c["slopes"], "o-", color="#2a7f9e", label="critic")
        three.plot(c["distances"], c["pulls"], "o-", color="#e4572e", label="log(1 - D)")
        three.set(title="gradient at generated points", xlabel="d")
        for axis in (two, three):
            axis.legend()


def _softplus(x: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.softplus(x)
