"""Federated training, where one client has what no other has."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.claims import Claim, Evidence, Part
from surveyor.federated import ByOddsOfClients
from surveyor.training.game import Game
from surveyor.training.gradients import Apart, Gradients
from surveyor.training.lab import BITS, SEEING, Points, game_of, play, sampled
from surveyor.training.plan import Plan

CLIENTS, SMALL, ROUNDS, LOCAL = 5, 0.01, 225, 4
CENTRES = 2.0 * np.array([[np.cos(a), np.sin(a)] for a in 2 * np.pi * np.arange(CLIENTS) / CLIENTS])
GATHERED, LOST = 0.98, 0.8  # of the samples in the clouds; below the second, nothing is learnt
BACK = 0.05  # five times its rows; weighted alike it could have a fifth
AVERAGED = ("averaged by rows", "averaged alike")
ADDED = ("odds added by rows", "odds added alike")
R1 = "gradient-penalty:points=real,target=0,weight=1"
BLUR = 1.0, 0.05, 0.5  # instance noise at first and at last, and the share in which it falls


def _gathered(found: Mapping[str, float], way: str) -> float:
    return found[f"share at any client's cloud, {way}"]


def _smallest(found: Mapping[str, float], way: str) -> float:
    return found[f"share of the smallest client, {way}"]


class Federated(Claim):
    """Averaged critics forget the smallest client; their odds, added up, bring it back."""

    title = "Averaging forgets the smallest client, adding up odds brings it back"
    statement = (
        "Five clients hold one cloud each, and one of them 1% of all rows. Nets that are trained "
        "at each client for some steps and averaged do not learn the clouds, whether clients count "
        "by their rows or alike. Where every client keeps a critic f_k, trained on its own rows "
        "under the minimax objective with R1, and the generator follows the logarithm of their "
        "odds added up, all samples lie in the clouds; weighted alike, the smallest client's has "
        "its part."
    )
    equation = "F = log Σ_k a_k exp f_k,  f_k → log p_k / g,  so F → log (Σ_k a_k p_k) / g"
    source = (
        "McMahan et al. 2017 (federated averaging); Zhang et al. 2021 (Universal Aggregation); "
        "Rasouli, Sun and Rajagopal 2020 (FedGAN)"
    )
    parts = (
        Part(
            "averaged, the nets have not learnt the clouds: fewer than four fifths of their "
            "samples lie at any",
            lambda f, way: _gathered(f, way) < LOST,
            AVERAGED,
        ),
        Part(
            "with odds added up, 98% or more of the samples lie in the clouds",
            lambda f, way: _gathered(f, way) >= GATHERED,
            ADDED,
        ),
        Part(
            "with odds added alike, the smallest client's cloud has 5% or more of them",
            lambda f, way: _smallest(f, way) >= BACK,
            ADDED[1:],
        ),
    )
    findings = (
        Part(
            "by rows the smallest client has less than a quarter of its 1%",
            lambda f, way: _smallest(f, way) < SMALL / 4,
            (AVERAGED[0], ADDED[0]),
        ),
    )
    headline = "share of the smallest client, odds added alike"

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Simulate each way in one process, with as many steps of the generator."""
        rng = np.random.default_rng(seed)
        sizes = np.array([SMALL] + [(1 - SMALL) / (CLIENTS - 1)] * (CLIENTS - 1))
        rows = tuple(
            Points(torch.tensor(c + 0.2 * rng.normal(size=(int(8000 * s), 2)), dtype=torch.float32))
            for c, s in zip(CENTRES, sizes, strict=True)
        )
        rounds = 4 if quick else ROUNDS
        shares, close, curves = {}, {}, {}
        for way in (*AVERAGED, *ADDED):
            weights = np.full(CLIENTS, 1 / CLIENTS) if way.endswith("alike") else sizes
            trained = _averaged if way in AVERAGED else _added
            made = trained(rows, weights, rounds, seed)
            away = np.linalg.norm(made[:, None] - CENTRES[None], axis=2)
            near = away.argmin(1)[away.min(1) < 0.8]
            shares[f"share of the smallest client, {way}"] = float((near == 0).sum() / len(made))
            close[f"share at any client's cloud, {way}"] = len(near) / len(made)
            curves[way] = made[:600]
        return Evidence(shares | close, curves)

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the samples of each way."""
        axes = figure.subplots(1, 4, sharex=True, sharey=True)
        for axis, way in zip(axes, (*AVERAGED, *ADDED), strict=True):
            axis.plot(*found.curves[way].T, ".", ms=2, color="#e4572e")
            axis.plot(*CENTRES[:1].T, "o", ms=16, mfc="none", color="#1f2d3d")
            axis.set_title(way, fontsize=8)
            axis.set(xlim=(-3.5, 3.5), ylim=(-3.5, 3.5), aspect="equal")


@dataclass(frozen=True)
class _Clients(Apart):
    """Clients' rows, with the share of each."""

    rows: Sequence[Points]
    shares: np.ndarray

    def gradients(self, plan: Plan) -> Gradients:
        """Return the gradients under critics of the clients' own."""
        return ByOddsOfClients(self.rows, self.shares, plan, conditions=_nothing)

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows of the largest client."""
        return self.rows[-1].draw(n, draws)


def _game(rows: Sequence[Points], critic: str, seed: int) -> Game:
    return game_of(
        rows[-1], critic=critic, constraint=R1, objective="minimax", latent=BITS, seed=seed
    )


def _nothing(n: int, draws: Draws) -> Batch:
    return Batch(torch.zeros(n, 1))


def _added(rows: Sequence[Points], weights: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Return samples of a generator under local critics, whose odds are added up."""
    shares = ",".join(f"{a:.9g}" for a in weights)
    critic = f"odds:of=({SEEING}),shares=({shares})"
    game = _game(rows, critic, seed)
    clients, count = _Clients(rows, weights), rounds * LOCAL
    start, end, until = BLUR
    noise = f"anneal:start={start},end={end},until={until}"
    for _ in play(game, clients, count, 64, 2, 2e-3, 1e-3, noise=noise, hold=0.5, seed=seed):
        pass
    return sampled(game, game.generator, 20_000, seed=seed).numpy()


def _averaged(rows: Sequence[Points], weights: np.ndarray, rounds: int, seed: int) -> np.ndarray:
    """Return samples after ``rounds`` of local steps and an average."""
    whole = _game(rows, SEEING, seed)
    games = [copy.deepcopy(whole) for _ in rows]
    for k in range(rounds):
        for j, (game, own) in enumerate(zip(games, rows, strict=True)):
            game.generator.load_state_dict(whole.generator.state_dict())
            game.critic.load_state_dict(whole.critic.state_dict())
            rate = 1e-3 * min(1.0, 2 * (1 - k / rounds))
            noise, own_seed = _blur(k / rounds), seed + 1000 * k + j
            for _ in play(game, own, LOCAL, 64, 2, 2e-3, rate, noise=noise, seed=own_seed):
                pass
        _average(whole.generator, [g.generator for g in games], weights)
        _average(whole.critic, [g.critic for g in games], weights)
    return sampled(whole, whole.generator, 20_000, seed=seed).numpy()


def _blur(progress: float) -> str:
    """Return the noise of a round, as it falls over the whole."""
    start, end, until = BLUR
    if progress >= until:
        return "none"
    level = start * (end / start) ** (progress / until)
    return f"anneal:start={level},end={level},until=1"


@torch.no_grad()
def _average(into: nn.Module, nets: Sequence[nn.Module], weights: np.ndarray) -> None:
    for p, *own in zip(into.parameters(), *(net.parameters() for net in nets), strict=True):
        p.copy_(sum(float(w) * q for w, q in zip(weights, own, strict=True)))
