"""Data on a curve: gradients across it, and along it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence, Part
from surveyor.lipschitz import TermPenalty
from surveyor.training import Game
from surveyor.training.lab import SEEING, Points, game_of, gradient, play, sampled

SECTORS = 36


@dataclass(frozen=True)
class Tangential(TermPenalty):
    """weight * E max(0, |t . grad f| - 1)² between, t along the circle through each point.

    What lies across is held by a tenth of that weight.
    """

    weight: float = 10.0

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the penalty."""
        x = torch.lerp(fake.x, real.x, draws.uniform(len(real), 1)).detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        along, across = _parts(slope, x)
        excess = [(g.abs() - 1).clamp(min=0).square().mean() for g in (along, across)]
        return self.weight * (excess[0] + 0.1 * excess[1])


class Manifold(Claim):
    """The critic's gradient points to the curve, and says little about where along it."""

    title = "On a curve the critic's gradient points across it; knowing the curve buys coverage"
    statement = (
        "Data lie on a circle, three quarters of them on its upper half. At the end of training "
        "nearly all of the critic's gradient at samples is across the curve, whatever is missing "
        "along it: it is the small rest that must even out the density. A penalty that knows the "
        "curve, looser across it than along it, should buy coverage; one at real points, near the "
        "curve, need not."
    )
    equation = "∇f = (t·∇f) t + (n·∇f) n;  share across = E (n·∇f)² / E |∇f|²"
    source = "Khayatkhoei, Elgammal and Singh 2018 (disconnected manifolds); Pope et al. 2021"
    parts = (
        Part(
            "more than .85 of the gradient at samples is across the curve",
            lambda f, _: f["share of the gradient across"] > 0.85,
        ),
        Part(
            "a penalty that knows the curve covers more of it",
            lambda f, _: f["coverage, tangential"] > f["coverage, usual"],
        ),
    )
    findings = (
        Part(
            "it covers no less",
            lambda f, _: f["coverage, tangential"] >= f["coverage, usual"],
        ),
    )
    headline = "coverage, tangential"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play the circle under three penalties, and look at gradients early and late."""
        rng = np.random.default_rng(seed)
        angle = np.pi * rng.random(8192) + np.pi * (rng.random(8192) < 0.25)
        x = np.stack([np.cos(angle), np.sin(angle)], 1)
        points = Points(torch.tensor(x, dtype=torch.float32))
        count = 60 if quick else 1000
        across = 0.0
        covered, away, curves = {}, {}, {"real": x[:600]}
        for name, constraint in (
            ("usual", "gradient-penalty"),
            ("at real points", "gradient-penalty:points=real"),
            ("tangential", Tangential()),
        ):
            if isinstance(constraint, str):
                game = game_of(points, critic=SEEING, constraint=constraint, latent=4, seed=seed)
            else:
                game = replace(
                    game_of(points, critic=SEEING, constraint="none", latent=4, seed=seed),
                    constraints=(constraint,),
                )
            *_, (state, _) = play(game, points, count, 128, 1, 2e-3, 1e-3, hold=0.5, seed=seed)
            if name == "usual":
                across = _across(game, seed)
            made = sampled(game, state.average, 4000, seed=seed).numpy()
            covered[name] = _coverage(made, angle)
            away[name] = float(np.abs(np.linalg.norm(made, axis=1) - 1).mean())
            curves[name] = made[:600]
        return Evidence(
            {"share of the gradient across": across}
            | {f"coverage, {k}": v for k, v in covered.items()}
            | {f"distance from the curve, {k}": v for k, v in away.items()},
            curves,
        )  # fmt: skip

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the samples under each penalty."""
        names = ("real", "usual", "at real points", "tangential")
        for axis, name in zip(figure.subplots(1, 4, sharex=True, sharey=True), names, strict=True):
            colour = "#1f2d3d" if name == "real" else "#e4572e"
            axis.plot(*found.curves[name].T, ".", ms=2, color=colour)
            axis.set_title(name, fontsize=8)
            axis.set(xlim=(-1.6, 1.6), ylim=(-1.6, 1.6), aspect="equal")


def _parts(slope: Tensor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return the parts of gradients along the circle through x and across it, (n,)."""
    normal = x.detach() / x.detach().norm(dim=1, keepdim=True).clamp_min(1e-6)
    along = torch.stack([-normal[:, 1], normal[:, 0]], 1)
    return (slope * along).sum(1), (slope * normal).sum(1)


def _across(game: Game, seed: int) -> float:
    at = sampled(game, game.generator, 2000, seed=seed)
    parts = _parts(gradient(game.critic, at), at)
    along, across = (part.square().mean() for part in parts)
    return float(across / (along + across))


def _coverage(made: np.ndarray, angle: np.ndarray) -> float:
    """Return the share of sectors with a quarter to four times the samples they should have."""
    own = np.mod(np.arctan2(made[:, 1], made[:, 0]), 2 * np.pi)
    near = np.abs(np.linalg.norm(made, axis=1) - 1) < 0.15
    edges = np.linspace(0, 2 * np.pi, SECTORS + 1)
    counts = np.histogram(own[near], edges)[0] / len(made)
    wanted = np.histogram(np.mod(angle, 2 * np.pi), edges)[0] / len(angle)
    return float(((counts > wanted / 4) & (counts < 4 * wanted)).mean())
