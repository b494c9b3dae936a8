"""The critic's gradient, and the direction of transport."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, gradient, measuring_critic


class GradientIsTransport(Claim):
    """For a translated distribution the gradient points along the translation."""

    title = "The critic's gradient points along the optimal transport"
    statement = (
        "Where one distribution is the other moved by t, every optimal plan moves along t, and the "
        "best critic's gradient at every generated point is t / |t|. A trained critic's gradient "
        "agrees with it, in 2, 8 and 32 dimensions."
    )
    equation = "∇f*(y) = (x − y) / |x − y| for (x, y) of the optimal plan"
    source = "Gulrajani et al. 2017, proposition 1; Villani 2009"
    parts = (
        Part(
            "the mean cosine with the translation is above .99",
            lambda f, d: f[f"mean cosine, {d} dimensions"] > 0.99,
            ("2", "8", "32"),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train critics between Gaussians and the same moved by 4."""
        rng = np.random.default_rng(seed)
        figures, curves = {}, {}
        for d in (2, 8, 32):
            x = torch.tensor(rng.normal(size=(2, 8192, d)), dtype=torch.float32)
            t = torch.tensor(rng.normal(size=d), dtype=torch.float32)
            t *= 4 / t.norm()
            high, low = Points(x[0] + t), Points(x[1])
            critic = measuring_critic(
                high, low, "mlp:width=64,depth=2", "gradient-penalty:weight=30",
                count=200 if quick else 1000, batch=256, rate=2e-3, seed=seed,
            )  # fmt: skip
            at = low.x[:1000]
            slope = gradient(critic, at)
            cosine = torch.nn.functional.cosine_similarity(slope, t[None], dim=1)
            figures[f"mean cosine, {d} dimensions"] = float(cosine.mean())
            curves[f"{d}"] = cosine.numpy()
            if d == 2:
                curves |= {"at": at.numpy()[:150], "slope": slope.numpy()[:150],
                           "real": high.x.numpy()[:300]}  # fmt: skip
        return Evidence(figures, curves)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the gradients in the plane, and the cosines."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        left.plot(*c["real"].T, ".", color="#1f2d3d", ms=2, label="real")
        left.quiver(*c["at"].T, *c["slope"].T, color="#e4572e", width=0.003)
        left.set(title="the critic's gradient at generated points", aspect="equal")
        for name in ("2", "8", "32"):
            if name in c:
                right.hist(c[name], 40, alpha=0.6, label=f"{name} dimensions")
        right.set(xlabel="cosine with the translation", ylabel="points")
        right.legend()
