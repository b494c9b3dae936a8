"""Federated training, where one client has what no other has."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from surveyor.claims import Claim, Evidence, Part
from surveyor.training.lab import BITS, Points, game_of, play, sampled

CLIENTS, SMALL, ROUNDS = 5, 0.01, 150
CENTRES = 2.0 * np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(CLIENTS) / CLIENTS])
GATHERED = 0.8  # of the samples, or the nets have not learnt and nothing is said
BACK = 0.05  # five times its rows; averaged alike it could have a fifth
WAYS = ("averaged by rows", "averaged alike", "local critics, averaged alike")


class Federated(Claim):
    """Averaging by rows forgets a client with 1% of them; reweighting brings it back."""

    title = "Federated averaging forgets the smallest client, reweighting brings it back"
    statement = (
        "Five clients hold one cloud each, and one of them 1% of all rows. Nets are trained at "
        "each client for some steps and averaged. Averaged by rows, as is usual, the smallest "
        "client's cloud is hardly generated. Averaged alike it comes back; so it does where each "
        "client keeps a critic of its own and only the generator is averaged."
    )
    equation = "w ← Σ_k a_k w_k,  a_k = n_k / n  or  a_k = 1 / K"
    source = "McMahan et al. 2017 (federated averaging); Rasouli, Sun and Rajagopal 2020 (FedGAN)"
    parts = (
        Part(
            "averaged by rows, samples are gathered in the clouds, and the smallest client's has "
            "less than a quarter of its share",
            lambda f, way: (
                f[f"share at any client's cloud, {way}"] > GATHERED
                and f[f"share of the smallest client, {way}"] < SMALL / 4
            ),
            WAYS[:1],
        ),
        Part(
            "averaged alike, with one critic or one a client, they are gathered, and its cloud has "
            "5% or more of them",
            lambda f, way: (
                f[f"share at any client's cloud, {way}"] > GATHERED
                and f[f"share of the smallest client, {way}"] > BACK
            ),
            WAYS[1:],
        ),
    )
    findings = (
        Part(
            "an averaged net has not learnt the clouds: fewer than four fifths of its samples lie "
            "at any",
            lambda f, way: f[f"share at any client's cloud, {way}"] < GATHERED,
            WAYS[:2],
        ),
    )
    headline = "share of the smallest client, averaged alike"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Simulate each way in one process."""
        rng = np.random.default_rng(seed)
        sizes = np.array([1 - (CLIENTS - 1) * 0.2475] + [0.2475] * (CLIENTS - 1))
        sizes[0] = SMALL
        rows = [
            Points(torch.tensor(c + 0.2 * rng.normal(size=(int(8000 * s), 2)), dtype=torch.float32))
            for c, s in zip(CENTRES, sizes / sizes.sum(), strict=True)
        ]
        shares, close, curves = {}, {}, {}
        for way in WAYS:
            even = way != WAYS[0]
            weights = np.full(CLIENTS, 1 / CLIENTS) if even else sizes / sizes.sum()
            made = _federated(rows, weights, way == WAYS[2], 4 if quick else ROUNDS, seed)
            away = np.linalg.norm(made[:, None] - CENTRES[None], axis=2)
            near = away.argmin(1)[away.min(1) < 0.8]
            shares[f"share of the smallest client, {way}"] = float((near == 0).sum() / len(made))
            close[f"share at any client's cloud, {way}"] = len(near) / len(made)
            curves[way] = made[:600]
        return Evidence(shares | close, curves)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the samples of each way."""
        for axis, way in zip(figure.subplots(1, 3, sharex=True, sharey=True), WAYS, strict=True):
            axis.plot(*found.curves[way].T, ".", ms=2, color="#e4572e")
            axis.plot(*CENTRES[:1].T, "o", ms=16, mfc="none", color="#1f2d3d")
            axis.set_title(way, fontsize=8)
            axis.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal")


def _federated(
    rows: Sequence[Points], weights: np.ndarray, local: bool, rounds: int, seed: int
) -> np.ndarray:
    """Return samples after ``rounds`` of four local steps and an average."""
    whole = game_of(rows[1], latent=BITS, seed=seed)
    games = [copy.deepcopy(whole) for _ in rows]
    for k in range(rounds):
        for j, (game, own) in enumerate(zip(games, rows, strict=True)):
            game.generator.load_state_dict(whole.generator.state_dict())
            if not local:
                game.critic.load_state_dict(whole.critic.state_dict())
            rate = 1e-3 * min(1.0, 2 * (1 - k / rounds))
            for _ in play(game, own, 4, 64, 2, 2e-3, rate, seed=seed + 1000 * k + j):
                pass
        _average(whole.generator, [g.generator for g in games], weights)
        _average(whole.critic, [g.critic for g in games], weights)
    return sampled(whole, whole.generator, 20_000, seed=seed).numpy()


@torch.no_grad()
def _average(into: nn.Module, nets: Sequence[nn.Module], weights: np.ndarray) -> None:
    for p, *own in zip(into.parameters(), *(net.parameters() for net in nets), strict=True):
        p.copy_(sum(float(w) * q for w, q in zip(weights, own, strict=True)))
