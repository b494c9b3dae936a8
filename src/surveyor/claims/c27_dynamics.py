"""The dynamics of the game: a spiral becomes a node where the eigenvalues say."""

from __future__ import annotations

from typing import cast

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.batch import Batch
from surveyor.claims import Claim, Evidence, Part
from surveyor.diagnostics.dynamics import Dynamics, dynamics, losses
from surveyor.training import Game
from surveyor.training.lab import Points, game_of, play

STEP = 0.2


class Line(nn.Module):
    """f(x) = c x: the critic of the Dirac-GAN."""

    def __init__(self, slope: float) -> None:
        super().__init__()
        self.slope = nn.Parameter(torch.tensor([slope]))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,)."""
        return (x * self.slope).flatten()


class Place(nn.Module):
    """G(z) = g: a generator of one point."""

    def __init__(self, place: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.tensor([place]))

    def forward(self, z: Tensor) -> Tensor:
        """Return points (n, 1)."""
        return self.place.expand(len(z), 1)


class Affine(nn.Module):
    """G(z) = m + s z."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.Parameter(torch.zeros(1))
        self.spread = nn.Parameter(torch.ones(1))

    def forward(self, z: Tensor) -> Tensor:
        """Return points (n, 1)."""
        return self.mean + self.spread * z


class Parabola(nn.Module):
    """f(x) = a x + b x²."""

    def __init__(self) -> None:
        super().__init__()
        self.a = nn.Parameter(torch.zeros(1))
        self.b = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,)."""
        return (self.a * x + self.b * x * x).flatten()


class GameDynamics(Claim):
    """R1 turns the spiral into a node at the predicted weight."""

    title = "A penalty turns the game's spiral into a node, where the eigenvalues say"
    statement = (
        "A generator of one point against a linear critic circles for ever. With R1 of weight "
        "γ / 2 it spirals in, and from γ = 2 on it comes in without turning; under alternating "
        "steps of size h from γ = 2 - h on, with modulus² 1 - h γ before. A two-sided penalty "
        "with target 1 has no stable point there."
    )
    equation = "λ = −γ/2 ± √(γ²/4 − 1);  alternating: |μ|² = 1 − hγ, node from γ = 2 − h"
    source = "Mescheder, Geiger and Nowozin 2018; Nagarajan and Kolter 2017"
    parts = (
        Part(
            "the eigenvalues are the formula's",
            lambda f, _: f["largest error of the eigenvalues"] < 1e-6,
        ),
        Part(
            "the node begins at γ = 2, under alternating steps at 2 - h",
            lambda f, _: (
                abs(f["node begins at"] - 2) < 1e-6
                and abs(f["alternating, node begins at"] - (2 - STEP)) < 1e-6
            ),
        ),
        Part(
            "steps and decay are what the eigenvalues say",
            lambda f, _: (
                f["largest error of the modulus"] < 1e-9
                and f["largest error of a simulated step"] < 1e-6
                and f["small game, error of the decay"] < 1e-6
            ),
        ),
        Part(
            "under a two-sided penalty with target 1 the game does not settle",
            lambda f, _: f["two-sided: distance after 400 steps"] > 0.1,
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Compare eigenvalues with formula and simulation, on the Dirac-GAN and a small game."""
        gammas = np.linspace(0.0, 4.0, 9 if quick else 41)
        roots = np.sqrt((gammas**2 / 4 - 1).astype(complex))
        found = np.array([_sorted(dirac(g).values) for g in gammas])
        truth = np.array(
            [
                _sorted(np.array([-g / 2 + r, -g / 2 - r]))
                for g, r in zip(gammas, roots, strict=True)
            ]
        )
        h = STEP
        moduli = [abs(dirac(g).steps(h, h)[1][0]) ** 2 - (1 - h * g) for g in (0.5, 1.0, 1.5)]
        stepped = max(
            float(np.abs(simulated(g, h) - dirac(g).steps(h, h)[0]).max()) for g in (0.5, 1.9, 2.5)
        )
        paths = {f"path {g:g}": path(g, h, "target=0,points=real") for g in (0.3, 2.0)}
        paths["two-sided"] = path(1.0, h, "target=1,side=two,points=real")
        small = affine_game(seed, quick)
        return Evidence(
            {
                "largest error of the eigenvalues": float(np.abs(found - truth).max()),
                "node begins at": threshold(lambda g: np.abs(dirac(g).values.imag).max()),
                "alternating, node begins at": threshold(
                    lambda g: np.abs(dirac(g).steps(h, h)[1].imag).max()
                ),
                "largest error of the modulus": float(np.abs(moduli).max()),
                "largest error of a simulated step": stepped,
                "small game, error of the decay": small,
                "two-sided: distance after 400 steps": float(
                    np.abs(paths["two-sided"][-40:]).max()
                ),
            },
            {"gammas": gammas, "found": found, **paths},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the eigenvalues against γ, and paths of the game."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        left.plot(c["gammas"], c["found"].real, color="#2a7f9e", label="real part")
        left.plot(c["gammas"], c["found"].imag, color="#e4572e", lw=1, label="imaginary part")
        left.axvline(2, color="#8a94a6", ls="--")
        left.set(xlabel="γ", title="eigenvalues")
        handles, labels = left.get_legend_handles_labels()
        left.legend(handles[::2], labels[::2])
        colours = {"path 0.3": "#2a7f9e", "path 2": "#1f2d3d", "two-sided": "#e4572e"}
        for name, colour in colours.items():
            label = name.replace("path", "R1, γ =")
            right.plot(c[name][:, 1], c[name][:, 0], color=colour, lw=1, label=label)
        right.set(xlabel="generator's place", ylabel="critic's slope", title="alternating steps")
        right.legend()


def _sorted(values: np.ndarray) -> np.ndarray:
    return np.asarray(values[np.lexsort((values.real, values.imag))])


def game(penalty: str, slope: float = 0.0, place: float = 0.0) -> Game:
    """Return the Dirac-GAN: a point generated at ``place``, the real one at 0."""
    points = Points(torch.zeros(8, 1))
    texts = f"gradient-penalty:{penalty}"
    return game_of(points, Place(place), Line(slope), texts, latent=1)


def dirac(gamma: float) -> Dynamics:
    """Return its dynamics at the equilibrium, under R1."""
    own = game(f"target=0,points=real,weight={gamma / 2}")
    for net in (own.critic, own.generator):
        net.double()
    parts = losses(own, Batch(torch.zeros(4, 1, dtype=torch.float64)), torch.zeros(4, 1))
    return dynamics(*parts, own.critic, own.generator)


def moved(own: Game, count: int, h: float) -> np.ndarray:
    """Return (critic, generator) before and after each of ``count`` steps of the library's loop."""
    critic, generator = cast(Line, own.critic), cast(Place, own.generator)
    seen = [(critic.slope.item(), generator.place.item())]
    points = Points(torch.zeros(8, 1))
    for _ in play(own, points, count, 4, 1, h, h, "sgd"):
        seen.append((critic.slope.item(), generator.place.item()))
    return np.array(seen)


def simulated(gamma: float, h: float) -> np.ndarray:
    """Return the map of one step, from two starts."""
    penalty = f"target=0,points=real,weight={gamma / 2}"
    return np.stack([moved(game(penalty, *start), 1, h)[1] for start in ((1.0, 0.0), (0.0, 1.0))]).T


def path(gamma: float, h: float, how: str, count: int = 400) -> np.ndarray:
    """Return where a game goes from (0, 1)."""
    return moved(game(f"{how},weight={gamma / 2}", 0.0, 1.0), count, h)


def threshold(turning: object) -> float:
    """Return the weight at which eigenvalues stop turning, by bisection."""
    assert callable(turning)
    low, high = 1.0, 3.0
    while high - low > 1e-8:
        middle = (low + high) / 2
        low, high = (middle, high) if turning(middle) > 1e-9 else (low, middle)
    return (low + high) / 2


def affine_game(seed: int, quick: bool) -> float:
    """Return how far the slowest decay of a game of four parameters is from what J says of it."""
    rng = torch.Generator().manual_seed(seed)
    z = torch.randn(64, 1, generator=rng, dtype=torch.float64)
    z = (z - z.mean()) / z.std(correction=0)
    real = Batch(0.5 + 1.5 * z)
    penalty = "gradient-penalty:target=0,points=real,weight=1"
    own = game_of(Points(real.x.float()), Affine(), Parabola(), penalty, latent=1)
    own.critic.double()
    own.generator.double()
    with torch.no_grad():
        affine = cast(Affine, own.generator)
        affine.mean.fill_(0.5)
        affine.spread.fill_(1.5)
    parts = losses(own, real, z)
    rate = 0.05
    _, multipliers = dynamics(*parts, own.critic, own.generator).steps(rate, rate)
    nets = [list(own.critic.parameters()), list(own.generator.parameters())]
    state = np.array([p.item() for net in nets for p in net])
    columns = []
    for k in range(len(state)):
        start = state.copy()
        start[k] += 1e-6
        with torch.no_grad():
            for p, value in zip([p for net in nets for p in net], start, strict=True):
                p.fill_(value)
        for net, loss in zip(nets, parts, strict=True):
            for p, g in zip(net, torch.autograd.grad(loss(), net), strict=True):
                p.data.sub_(rate * g)
        after = np.array([p.item() for net in nets for p in net])
        columns.append((after - state) / 1e-6)
    return float(np.abs(np.abs(np.linalg.eigvals(np.stack(columns).T)).max() - abs(multipliers[0])))
