"""BatchNorm in a penalised critic, and the optimizers of the game."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.claims import Claim, Evidence, Part
from surveyor.data.toy import ring
from surveyor.training.lab import BITS, Points, game_of, play, sampled
from surveyor.transport import wasserstein_1_discrete

OPTIMIZERS = {
    "RMSProp": "rmsprop",
    "Adam, no momentum": "adam:beta1=0,beta2=0.9",
    "Adam, momentum .5": "adam:beta1=0.5,beta2=0.9",
    "Adam, momentum .9": "adam:beta1=0.9,beta2=0.9",
}


class BatchNormBreaksThePenalty(Claim):
    """With BatchNorm a score depends on its neighbours, and so does its gradient."""

    title = "BatchNorm in a penalised critic breaks the gradient of a sample"
    statement = (
        "The penalty asks for the gradient of each score in its own sample. With BatchNorm a score "
        "depends on the whole batch, and what automatic differentiation returns for the sum of "
        "scores is another vector. Without it both agree to rounding. In the game a step "
        "that remembers the last ones overshoots: Adam without momentum comes closer than with .9."
    )
    equation = "∂(Σⱼ fⱼ)/∂xᵢ = ∂fᵢ/∂xᵢ only where fⱼ does not depend on xᵢ for j ≠ i"
    source = "Gulrajani et al. 2017, section 4; Arjovsky et al. 2017, section 4 (momentum)"
    parts = (
        Part(
            "without BatchNorm the gradient of the sum is a sample's own, to rounding",
            lambda f, _: f["difference of gradients, plain"] < 1e-5,
        ),
        Part(
            "with it they differ by more than a tenth",
            lambda f, _: f["difference of gradients, BatchNorm"] > 0.1,
        ),
        Part(
            "in the game Adam with momentum .9 leaves more than twice the distance of none",
            lambda f, _: f["W1, Adam, momentum .9"] > 2 * f["W1, Adam, no momentum"],
        ),
    )
    headline = "difference of gradients, BatchNorm"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Compare both gradients, then play the ring under each optimizer."""
        torch.manual_seed(seed)
        sample = torch.randn(32, 4)
        plain, normed = (_critic(n) for n in (False, True))
        differences = [_difference(net, sample) for net in (plain, normed)]
        rng = np.random.default_rng(seed)
        x = ring(8192, rng)
        points = Points(torch.tensor(x, dtype=torch.float32))
        distances = []
        count = 40 if quick else 600
        for optimizer in OPTIMIZERS.values():
            game = game_of(points, latent=BITS, seed=seed)
            for state, _ in play(
                game, points, count, 128, 1, 4e-3, 2e-3, optimizer, hold=0.5, seed=seed
            ):
                average = state.average
            made = sampled(game, average, 1000, seed=seed).numpy()
            distances.append(wasserstein_1_discrete(x[:1000], made))
        named = {f"W1, {k}": d for k, d in zip(OPTIMIZERS, distances, strict=True)}
        return Evidence(
            {
                "difference of gradients, plain": differences[0],
                "difference of gradients, BatchNorm": differences[1],
                **named,
            },
            {"differences": np.array(differences), "distances": np.array(distances)},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw both differences, and W1 under each optimizer."""
        left, right = figure.subplots(1, 2)
        left.bar(["plain", "BatchNorm"], found.curves["differences"], color="#e4572e")
        left.set(ylabel="relative difference", title="gradient of the sum, and of the sample")
        right.barh(list(OPTIMIZERS), found.curves["distances"], color="#2a7f9e")
        right.set(xlabel="W1 after training")


def _critic(norm: bool) -> nn.Module:
    layers: list[nn.Module] = [nn.Linear(4, 32)]
    if norm:
        layers.append(nn.BatchNorm1d(32))
    return nn.Sequential(*layers, nn.LeakyReLU(0.2), nn.Linear(32, 1), nn.Flatten(0))


def _difference(net: nn.Module, x: Tensor) -> float:
    """Return how far d sum f / dx_i is from d f_i / dx_i, relative to the latter."""
    at = x.clone().requires_grad_(True)
    scores = net(at)
    (whole,) = torch.autograd.grad(scores.sum(), at, retain_graph=True)
    own = torch.stack(
        [torch.autograd.grad(s, at, retain_graph=True)[0][i] for i, s in enumerate(scores)]
    )
    return float((whole - own).norm() / own.norm())
