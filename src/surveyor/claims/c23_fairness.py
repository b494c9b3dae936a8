"""A group of 5%, forgotten and brought back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import Points, game_of, play, sampled
from surveyor.training.terms import Term

SHARE = 0.05


@dataclass(frozen=True)
class Unbiased(Term):
    """weight * E[p(x in the small group)]: what a bias-detecting head asks of the generator."""

    weight: float
    head: nn.Module
    name: ClassVar[str] = "bias"

    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the mean chance that generated points are of the small group."""
        chance: Tensor = self.head(made.x).sigmoid().mean()
        return self.weight * chance


class Fairness(Claim):
    """A small group is lost, and weights bring it back."""

    title = "A group of 5% is forgotten, and reweighting brings it back"
    statement = (
        "One row in twenty is of a second group, with a distribution of its own, which a generator "
        "could well forget. A critic with an auxiliary head that detects the group, meant to "
        "remove bias, drops it altogether: what cannot be told apart is simplest where one group "
        "is missing. Rows weighted by group bring it back, and a penalty by group does too."
    )
    equation = "share = P(G(z) in the group) / P(x in the group)"
    source = "Xu et al. 2018 (FairGAN); Kenfack et al. 2021 (representation fairness of GANs)"
    parts = (
        Part(
            "a group of 5% is forgotten: less than half of its share is generated",
            lambda f, way: f[f"share over 5%, {way}"] < 0.5,
            ("plain", "bias-detecting head"),
            "a head that detects the group is to remove bias",
            ("bias-detecting head",),
        ),
        Part(
            "reweighting brings it back to four fifths of its share or more",
            lambda f, _: f["share over 5%, head and weights"] > 0.8,
        ),
    )
    findings = (
        Part(
            "without such a head four fifths of its share and more are kept",
            lambda f, way: f[f"share over 5%, {way}"] > 0.8,
            ("plain", "penalty by group"),
        ),
        Part(
            "weighted half and half without the head, it is generated more than three times as "
            "often as it occurs",
            lambda f, _: f["share over 5%, weighted"] > 3,
        ),
    )
    headline = "share over 5%, bias-detecting head"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train plainly, with the head, with weights, and with a penalty by group."""
        rng = np.random.default_rng(seed)
        group = torch.tensor(rng.random(8192) < SHARE)
        turned = torch.where(group, -3.0, 1.0)[:, None]
        x = torch.tensor(0.4 * rng.normal(size=(8192, 2)), dtype=torch.float32)
        x = x + turned * torch.tensor([1.0, 0.5])
        plain = Points(x, group=group.long())
        weighted = replace(plain, weight=torch.where(group, 0.5 / SHARE, 0.5 / (1 - SHARE)))
        head = _head(plain, 60 if quick else 400, seed)
        ways = {
            "plain": (plain, "gradient-penalty", ()),
            "bias-detecting head": (plain, "gradient-penalty", (Unbiased(3.0, head),)),
            "head and weights": (weighted, "gradient-penalty", (Unbiased(3.0, head),)),
            "weighted": (weighted, "gradient-penalty", ()),
            "penalty by group": (plain, "gradient-penalty:groups=true", ()),
        }
        count = 40 if quick else 1000
        shares, curves = {}, {}
        for name, (points, constraint, terms) in ways.items():
            game = replace(game_of(points, constraint=constraint, latent=4, seed=seed), terms=terms)
            *_, (state, _) = play(game, points, count, 256, 2, 1e-3, 5e-4, hold=0.5, seed=seed)
            made = sampled(game, state.average, 4000, seed=seed)
            shares[name] = _share(made)
            curves[name] = made[:600].numpy()
        return Evidence({f"share over 5%, {k}": v for k, v in shares.items()}, curves)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the samples of each."""
        axes = figure.subplots(1, len(found.curves), sharex=True, sharey=True)
        for axis, (name, made) in zip(axes, found.curves.items(), strict=True):
            axis.plot(*made.T, ".", ms=2, color="#e4572e")
            axis.set_title(name, fontsize=8)
            axis.set(xlim=(-5, 3), ylim=(-3, 3))


def _share(made: Tensor) -> float:
    """Return the share of samples nearer to the small group's centre, over 5%."""
    centres = torch.tensor([[1.0, 0.5], [-3.0, -1.5]])
    return float((torch.cdist(made, centres).argmin(1) == 1).float().mean()) / SHARE


def _head(points: Points, count: int, seed: int) -> nn.Module:
    """Return a classifier of the group."""
    torch.manual_seed(seed)
    net = nn.Sequential(nn.Linear(2, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))
    moves = torch.optim.Adam(net.parameters(), 5e-3)
    assert points.group is not None
    target = points.group.float()
    for _ in range(count):
        loss = nn.functional.binary_cross_entropy_with_logits(net(points.x), target)
        parameters = list(net.parameters())
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            p.grad = g
        moves.step()
    return net.requires_grad_(False)
