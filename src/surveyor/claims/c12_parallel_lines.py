"""Modes that the original GAN drops."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.data.toy import grid, grid_modes
from surveyor.training.lab import BITS, Points, game_of, play, sampled

GAMES = {
    "GAN": ("none", "minimax"),
    "GAN, R1": ("gradient-penalty:target=0,points=real,weight=0.1", "minimax"),
    "WGAN, gradient penalty": ("gradient-penalty", "wasserstein"),
}
LINES = 8
LEAST = {"lines": LINES - 1, "grid": 22}


class ParallelLines(Claim):
    """The original GAN drops modes, the WGAN covers them; so does the original under R1."""

    title = (
        "Parallel lines and a grid: the original GAN drops modes, the WGAN covers them, and it is "
        "the distance that does it"
    )
    statement = (
        "Data lie on eight parallel lines, or on a grid of twenty-five small clouds. Where the "
        "supports do not meet, the original GAN's discriminator is sure of itself, and its "
        "generator, trained as is usual on -log D, moves where it happens to be pushed. The "
        "gradient of a 1-Lipschitz critic reaches every mode that has too little mass. If that is "
        "owed to the distance, the original GAN drops modes under a penalty too: R1, the squared "
        "gradient at real points. All have the same nets, with Fourier features in the critic: a "
        "critic that sees little moves a generator little."
    )
    equation = "covered = modes with at least a quarter of their share of samples near them"
    source = (
        "Arjovsky and Bottou 2017; Gulrajani et al. 2017, figure 1; Mescheder, Geiger and Nowozin "
        "2018 (R1); Kodali et al. 2017 (the penalty, not the distance)"
    )
    parts = (
        Part(
            "the original GAN, without a penalty, drops more than one line, or three of the grid",
            lambda f, data: f[f"{data}: modes covered, GAN"] < LEAST[data],
            tuple(LEAST),
            "the modes are those of the grid",
            ("grid",),
        ),
        Part(
            "the WGAN under a gradient penalty drops no more than that",
            lambda f, data: f[f"{data}: modes covered, WGAN, gradient penalty"] >= LEAST[data],
            tuple(LEAST),
        ),
        Part(
            "it is the distance that does it: under R1 the original GAN still drops more",
            lambda f, data: f[f"{data}: modes covered, GAN, R1"] < LEAST[data],
            tuple(LEAST),
        ),
    )
    findings = (
        Part(
            "on the grid R1 alone wins back more than half of the modes that the WGAN has and the "
            "original GAN lacks",
            lambda f, data: (
                2 * f[f"{data}: modes covered, GAN, R1"]
                > f[f"{data}: modes covered, GAN"]
                + f[f"{data}: modes covered, WGAN, gradient penalty"]
            ),
            ("grid",),
        ),
    )
    headline = "grid: modes covered, WGAN, gradient penalty"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play each game on each set, with the same nets and rates."""
        rng = np.random.default_rng(seed)
        count = 30 if quick else 800
        sets = {
            "lines": (_lines(8192, rng), np.arange(LINES)[:, None] - (LINES - 1) / 2, 0.15),
            "grid": (grid(8192, rng), grid_modes(), 0.3),
        }
        covered: dict[str, float] = {}
        curves: dict[str, np.ndarray] = {}
        for data, (x, modes, near) in sets.items():
            points = Points(torch.tensor(x, dtype=torch.float32))
            for name, (constraint, objective) in GAMES.items():
                game = game_of(
                    points, "mlp:width=128,depth=3", "mlp:width=128,depth=3,fourier=16", constraint,
                    objective, BITS, seed,
                )  # fmt: skip
                *_, (state, _) = play(game, points, count, 128, 1, 2e-3, 1e-3, hold=0.5, seed=seed)
                made = sampled(game, state.average, 2000, seed=seed).numpy()
                covered[f"{data}: modes covered, {name}"] = _covered(made, modes, near)
                curves[f"{data}, {name}"] = made[:600]
            curves[f"{data}, real"] = x[:600]
        return Evidence(covered, curves)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the lines and the grid, real and generated."""
        axes = figure.subplots(2, 4, sharex="row", sharey="row")
        for row, data, (wide, high) in zip(axes, LEAST, ((6, 3), (6, 6)), strict=True):
            for axis, name in zip(row, ("real", *GAMES), strict=True):
                colour = "#1f2d3d" if name == "real" else "#e4572e"
                axis.plot(*found.curves[f"{data}, {name}"].T, ".", ms=2, color=colour)
                axis.set(xlim=(-wide, wide), ylim=(-high, high))
                if data == "lines":
                    axis.set_title(name, fontsize=8)
            row[0].set_ylabel(data)


def _lines(n: int, rng: np.random.Generator) -> np.ndarray:
    across = rng.integers(0, LINES, n) - (LINES - 1) / 2
    return np.stack([across + 0.02 * rng.normal(size=n), rng.uniform(-1, 1, n)], axis=1)


def _covered(made: np.ndarray, modes: np.ndarray, near: float) -> float:
    """Return the modes with a quarter of their share; lines are known by their first coordinate."""
    at = made[:, : modes.shape[1]]
    away = np.linalg.norm(at[:, None] - modes[None], axis=2)
    close = away.argmin(1)[away.min(1) < near]
    counts = np.bincount(close, minlength=len(modes))
    return float((counts > len(made) / len(modes) / 4).sum())
