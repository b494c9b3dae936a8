"""Whitening, and directions that a critic does not see."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.data.whiten import fit_whitening
from surveyor.training.lab import Points, game_of, gradient, play, sampled


class WhiteningBalances(Claim):
    """Whitened, a narrow direction counts as much as a wide one."""

    title = "Whitening balances the critic's gradient, and learning with it"
    statement = (
        "In data of deviations 3 and .03 along two oblique directions W1 is nearly all in the "
        "first, and so is the critic's gradient. Whitened, both directions are of deviation 1; the "
        "gradient is shared evenly, and the narrow direction is learned in the same time."
    )
    equation = "x′ = (x − m) Σ^(−1/2): Cov x′ = 1"
    source = "LeCun et al. 1998 (inputs of equal variance); the library's --whiten"
    parts = (
        Part(
            "the narrow direction has less than .3 of the gradient, whitened from .3 to .7",
            lambda f, _: (
                f["share of the gradient in the narrow direction, as they are"]
                < 0.3
                < f["share of the gradient in the narrow direction, whitened"]
                < 0.7
            ),
        ),
        Part(
            "whitened, W1 along it ends at less than half of what it is else",
            lambda f, _: (
                f["W1 along it in deviations, whitened"]
                < f["W1 along it in deviations, as they are"] / 2
            ),
        ),
    )
    headline = "W1 along it in deviations, whitened"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play the same game on the data as they are and whitened."""
        rng = np.random.default_rng(seed)
        turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
        mixed = np.where(rng.random((4096, 2)) < 0.5, -1, 1) + 0.3 * rng.normal(size=(4096, 2))
        mixed /= mixed.std(0)
        x = (mixed * np.array([3.0, 0.03])) @ turn
        white = fit_whitening(x - x.mean(0))
        versions = {"as they are": x - x.mean(0), "whitened": white.apply(x - x.mean(0))}
        shares, errors, curves = [], [], {}
        for name, data in versions.items():
            points = Points(torch.tensor(data, dtype=torch.float32))
            game = game_of(points, latent=4, seed=seed)
            steps = play(
                game, points, 60 if quick else 800, 128, 2, 1e-3, 1e-3, hold=0.5, seed=seed
            )
            *_, (state, _) = steps
            made = sampled(game, state.average, 2000, seed=seed)
            slope = gradient(game.critic, made)
            # The narrow direction, in either space
            narrow = turn[1] if name == "as they are" else _unit(white.apply(turn[1:])[0])
            wide = turn[0] if name == "as they are" else _unit(white.apply(turn[:1])[0])
            power = [float(((slope.numpy() @ v) ** 2).mean()) for v in (narrow, wide)]
            shares.append(power[0] / sum(power))
            back = made.numpy() if name == "as they are" else white.undo(made.numpy())
            own, real = (v @ turn[1] / 0.03 for v in (back, x - x.mean(0)))
            errors.append(float(np.abs(np.sort(own) - np.sort(real[:2000])).mean()))
            curves[name] = np.stack([back @ turn[0] / 3, own], 1)[:800]
        curves["real"] = (mixed - mixed.mean(0))[:800]
        return Evidence(
            {
                "share of the gradient in the narrow direction, as they are": shares[0],
                "share of the gradient in the narrow direction, whitened": shares[1],
                "W1 along it in deviations, as they are": errors[0],
                "W1 along it in deviations, whitened": errors[1],
            },
            curves,
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the samples, both directions in their own deviation."""
        axes = figure.subplots(1, 3, sharex=True, sharey=True)
        for axis, name in zip(axes, ("real", "as they are", "whitened"), strict=True):
            colour = "#1f2d3d" if name == "real" else "#e4572e"
            axis.plot(*found.curves[name].T, ".", ms=2, color=colour)
            axis.set(title=name, xlim=(-4, 4), ylim=(-4, 4))
        axes[0].set(xlabel="wide direction", ylabel="narrow direction")


def _unit(v: np.ndarray) -> np.ndarray:
    return np.asarray(v / np.linalg.norm(v))
