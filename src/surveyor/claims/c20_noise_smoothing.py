"""Noise on both sides: gradients on disjoint supports, and the score of diffusion models."""

from __future__ import annotations

import torch
from matplotlib.figure import Figure

from surveyor.claims import Claim, Evidence, Part
from surveyor.generators import Latent
from surveyor.objectives import objectives
from surveyor.training.lab import Fixed, Points, critic_of, gradient, train_critic

CENTRES = torch.tensor([[-2.0, 0.0], [2.0, 0.0]])
PLACE = torch.tensor([[0.0, 2.0]])


class NoiseSmoothing(Claim):
    """Noise on both sides makes supports meet; the gradient is a difference of scores."""

    title = "Noise on real and generated points gives gradients, and they are diffusion's scores"
    statement = (
        "Two points are real, one is generated: the supports are disjoint, and the original "
        "discriminator is certain wherever it looks. With Gaussian noise of deviation σ on both "
        "sides its optimum is the log of the ratio of two smooth densities, whose gradient is the "
        "difference of their scores, the very functions that diffusion models learn."
    )
    equation = "D* = p_σ / (p_σ + q_σ), ∇ logit D* = ∇ log p_σ − ∇ log q_σ"
    source = "Arjovsky and Bottou 2017, section 3; Sønderby et al. 2017; Song and Ermon 2019"
    parts = (
        Part(
            "without noise the discriminator is certain at the generated point, with it, it is not",
            lambda f, _: (
                f["D at the generated point without noise"]
                < 0.01
                < f["D at the generated point with noise"]
            ),
        ),
        Part(
            "under noise its gradient is the difference of scores: cosine above .97, size to .2",
            lambda f, _: (
                f["mean cosine with the difference of scores"] > 0.97
                and 0.8 < f["mean size over that of the difference"] < 1.2
            ),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Train a discriminator with and without noise, and compare with the scores."""
        high, low = Points(CENTRES.repeat(512, 1)), Points(PLACE.repeat(1024, 1))
        count = 200 if quick else 2000
        fields, grid = {}, _grid()
        deviation = 1.0
        for noise in (0.0, deviation):
            net = critic_of("mlp:width=64,depth=2,slope=0.2", high, seed)
            same, minimax = torch.nn.Identity(), objectives()["minimax"]()
            game = Fixed(same, net, minimax, (), Latent(1), lambda raw, _: raw, low=low)
            train_critic(game, high, count, 512, 2e-3, seed=seed, noise=noise)
            fields[noise] = gradient(net, grid), float(net(PLACE).detach().sigmoid().mean())
        truth = _score(grid, CENTRES, deviation) - _score(grid, PLACE, deviation)
        density = _density(grid)
        cosine = torch.nn.functional.cosine_similarity(fields[deviation][0], truth, dim=1)
        size = fields[deviation][0].norm(dim=1) / truth.norm(dim=1)
        return Evidence(
            {
                "mean cosine with the difference of scores": float((cosine * density).sum()),
                "mean size over that of the difference": float((size * density).sum()),
                "D at the generated point without noise": fields[0.0][1],
                "D at the generated point with noise": fields[deviation][1],
            },
            {"grid": grid.numpy(), "found": fields[deviation][0].numpy(), "truth": truth.numpy()},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both fields."""
        axes = figure.subplots(1, 2, sharex=True, sharey=True)
        c = found.curves
        for axis, name, title in zip(
            axes, ("found", "truth"), ("discriminator under noise", "difference of scores"),
            strict=True,
        ):  # fmt: skip
            axis.quiver(*c["grid"].T, *c[name].T, color="#2a7f9e", scale=60)
            axis.plot(*CENTRES.numpy().T, "o", color="#1f2d3d")
            axis.plot(*PLACE.numpy().T, "o", color="#e4572e")
            axis.set(title=title, aspect="equal")


def _grid() -> torch.Tensor:
    line = torch.linspace(-3.5, 3.5, 15)
    return torch.stack([a.flatten() for a in torch.meshgrid(line, line, indexing="ij")], 1)


def _logs(x: torch.Tensor, centres: torch.Tensor, deviation: float) -> torch.Tensor:
    return -torch.cdist(x, centres).square() / (2 * deviation**2)


def _score(x: torch.Tensor, centres: torch.Tensor, deviation: float) -> torch.Tensor:
    """Return the gradient of the log density of a mixture of Gaussians."""
    share = _logs(x, centres, deviation).softmax(1)
    return (share @ centres - x) / deviation**2


def _density(x: torch.Tensor) -> torch.Tensor:
    """Return weights by the density of all noisy points, where a discriminator has seen any."""
    own = _logs(x, torch.cat([CENTRES, PLACE]), 1.0).exp().sum(1)
    return own / own.sum()
