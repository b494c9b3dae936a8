"""The critic's estimate over training, beside exact W1."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.data.toy import eight_gaussians
from surveyor.training.lab import BITS, SEEING, Points, game_of, gap, play, sampled, train_critic
from surveyor.training.loop import plateaued
from surveyor.transport import wasserstein_1_discrete


class EstimateTracks(Claim):
    """The estimate falls as samples improve, and its plateau is a stopping rule."""

    title = "The critic's estimate falls as samples improve, and stops where they do"
    statement = (
        "The gap of a penalised critic on held-out rows follows the exact W1 of the samples over "
        "training, and where it has not fallen for a while the samples have stopped to improve: "
        "stopping there costs little. The critic has Fourier features, is trained alone first and "
        "takes five steps for each of the generator's."
    )
    equation = "corr(log gap, log W1) over training;  W1 at the plateau / least W1"
    source = "Arjovsky, Chintala and Bottou 2017, figures 3 and 4"
    parts = (
        Part(
            "the logarithms of the gap and of W1 have a correlation above .9 over training",
            lambda f, _: f["correlation of the logarithms"] > 0.9,
        ),
        Part(
            "where the gap has not fallen for a while, W1 is within one and a half times its least",
            lambda f, _: f["W1 at the plateau over the least"] < 1.5,
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play eight Gaussians and measure every 10 steps."""
        rng = np.random.default_rng(seed)
        x = torch.tensor(eight_gaussians(6000, rng), dtype=torch.float32)
        points, held = Points(x[1000:]), Points(x[:1000])
        game = game_of(points, critic=SEEING, latent=BITS, seed=seed)
        count, every = (60, 10) if quick else (700, 10)
        train_critic(game, points, 100 if quick else 300, 128, 2e-3, seed=seed)
        gaps, exact = [], []
        steps = play(game, points, count, 128, 5, 2e-3, 1e-3, seed=seed)
        for k, (_, record) in enumerate(steps):
            if record.step % every and k:
                continue
            made = sampled(game, game.generator, 1000, seed=seed)
            gaps.append(gap(game.critic, held, Points(made)))
            exact.append(wasserstein_1_discrete(held.x.numpy(), made.numpy()))
        kept = np.maximum(np.array(gaps), 1e-3)
        correlation = np.corrcoef(np.log(kept), np.log(np.array(exact)))[0, 1]
        flat = [k for k in range(2, len(kept)) if plateaued(kept[: k + 1].tolist(), 6)]
        stop = flat[0] if flat else len(kept) - 1
        best = min(exact)
        return Evidence(
            {
                "correlation of the logarithms": float(correlation),
                "W1 at the plateau over the least": exact[stop] / best,
                "share of training done at the plateau": stop / (len(kept) - 1),
                "W1 at the start over the least": exact[0] / best,
            },
            {"gaps": kept, "exact": np.array(exact), "stop": np.array([stop]),
             "steps": every * np.arange(len(kept))},
        )  # fmt: skip

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both over the steps."""
        axis = figure.subplots()
        c = found.curves
        axis.semilogy(c["steps"], c["exact"], color="#e4572e", label="W1, exact")
        axis.semilogy(c["steps"], c["gaps"], color="#2a7f9e", label="the critic's estimate")
        axis.axvline(c["steps"][int(c["stop"][0])], color="#8a94a6", ls="--", label="plateau")
        axis.set(xlabel="step")
        axis.legend()
