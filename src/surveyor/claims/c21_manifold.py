"""Data on a curve: gradients across it, and along it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence
from surveyor.lipschitz import Constraint
from surveyor.training import Game
from surveyor.training.lab import Points, game_of, play, sampled

SECTORS = 36


@dataclass(frozen=True)
class Tangential(Constraint):
    """weight * E max(0, |t . grad f| - 1)² between, t along the circle through each point.

    What lies across is held by a tenth of that weight.
    """

    weight: float = 10.0
    beyond: ClassVar[bool] = True

    def term(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the penalty."""
        x = torch.lerp(fake.x, real.x, draws.uniform(len(real), 1)).detach().requires_grad_(True)
        (slope,) = torch.autograd.grad(critic(x).sum(), x, create_graph=True)
        along, across = _parts(slope, x)
        excess = [(g.abs() - 1).clamp(min=0).square().mean() for g in (along, across)]
        return self.weight * (excess[0] + 0.1 * excess[1])


class Manifold(Claim):
    """The critic's gradient points to the curve, and says little about where along it."""

    title = (
        "On a curve the critic's gradient points across it, and coverage must come from along it"
    )
    statement = (
        "Data lie on a circle, three quarters of them on its upper half. While samples are off "
        "the curve nearly all of the critic's gradient is across it, towards the nearest data, "
        "whatever is missing along it. Later, on the curve, the part along it must even out the "
        "density. Penalties that know the curve, at real points alone or looser across than "
        "along, should buy coverage."
    )
    equation = "∇f = (t·∇f) t + (n·∇f) n;  share across = E (n·∇f)² / E |∇f|²"
    source = "Khayatkhoei, Elgammal and Singh 2018 (disconnected manifolds); Pope et al. 2021"
    condition = (
        "early on most of the gradient is across; but the usual penalty covers the circle too, and "
        "neither of the others covers more of it."
    )
    seeds = 5

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Play the circle under three penalties, and look at gradients early and late."""
        rng = np.random.default_rng(seed)
        angle = np.pi * rng.random(8192) + np.pi * (rng.random(8192) < 0.25)
        x = np.stack([np.cos(angle), np.sin(angle)], 1)
        points = Points(torch.tensor(x, dtype=torch.float32))
        count = 60 if quick else 1500
        shares: dict[str, float] = {}
        covered, away, curves = {}, {}, {"real": x[:600]}
        for name, constraint in (
            ("usual", "gradient-penalty"),
            ("at real points", "gradient-penalty:points=real"),
            ("tangential", Tangential()),
        ):
            text = constraint if isinstance(constraint, str) else "none"
            game = game_of(points, constraint=text, latent=4, seed=seed)
            if not isinstance(constraint, str):
                object.__setattr__(game, "constraints", (constraint,))
            for state, record in play(game, points, count, 128, 2, 1e-3, 5e-4, hold=0.5, seed=seed):
                kept = state
                if name == "usual" and record.step in (count // 30, count):
                    shares["late" if record.step == count else "early"] = _across(game, seed)
            made = sampled(game, kept.average, 4000, seed=seed).numpy()
            covered[name] = _coverage(made, angle)
            away[name] = float(np.abs(np.linalg.norm(made, axis=1) - 1).mean())
            curves[name] = made[:600]
        return Evidence(
            {"share of the gradient across, early": shares["early"],
             "share of the gradient across, late": shares["late"]}
            | {f"coverage, {k}": v for k, v in covered.items()}
            | {f"distance from the curve, {k}": v for k, v in away.items()},
            curves,
        )  # fmt: skip

    def holds(self, found: Evidence) -> bool:
        """Mostly across early, less late, and one of the others covers more by .05."""
        f = found.figures
        others = max(f["coverage, at real points"], f["coverage, tangential"])
        falls = f["share of the gradient across, late"] < f["share of the gradient across, early"]
        early = f["share of the gradient across, early"] > 0.6
        return early and falls and others > f["coverage, usual"] + 0.05

    def under(self, found: Evidence) -> bool:
        """Mostly across early; the usual penalty covers .9, and no other more by .05."""
        f = found.figures
        others = max(f["coverage, at real points"], f["coverage, tangential"])
        early = f["share of the gradient across, early"] > 0.6
        return early and f["coverage, usual"] > 0.9 and others <= f["coverage, usual"] + 0.05

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
    at = sampled(game, game.generator, 2000, seed=seed).requires_grad_(True)
    (slope,) = torch.autograd.grad(game.critic(at).sum(), at)
    along, across = (part.square().mean() for part in _parts(slope, at))
    return float(across / (along + across))


def _coverage(made: np.ndarray, angle: np.ndarray) -> float:
    """Return the share of sectors with a quarter to four times the samples they should have."""
    own = np.mod(np.arctan2(made[:, 1], made[:, 0]), 2 * np.pi)
    near = np.abs(np.linalg.norm(made, axis=1) - 1) < 0.15
    edges = np.linspace(0, 2 * np.pi, SECTORS + 1)
    counts = np.histogram(own[near], edges)[0] / len(made)
    wanted = np.histogram(np.mod(angle, 2 * np.pi), edges)[0] / len(angle)
    return float(((counts > wanted / 4) & (counts < 4 * wanted)).mean())
