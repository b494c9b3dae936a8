"""A game that solves a differential equation."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

from surveyor.claims import Claim, Evidence, Part

FREQUENCY = 3


class WeakForms(Claim):
    """A trial function against a test function solves a Poisson problem."""

    title = "A generator as trial and a critic as test function solve a Poisson problem"
    statement = (
        "u solves -u'' = f where no test function finds a residual in the weak form. Let one net "
        "be u and another the test function v, held by its H1 norm as a critic by its slope: the "
        "inner maximum is half the squared dual norm of the residual, and the game is that of a "
        "Wasserstein GAN in another norm. Its solution is compared with the exact one, and with "
        "the minimiser of Ritz's energy by the same net in as many steps."
    )
    equation = "min_u max_v ∫ u′v′ − f v − ½ ∫ v′²;  Ritz: min_u ½ ∫ u′² − f u"
    source = "Zang, Bao, Ye and Zhou 2020 (weak adversarial networks); E and Yu 2018 (deep Ritz)"
    parts = (
        Part(
            "the solution is within 3% of the exact one, and so is that of Ritz's energy",
            lambda f, way: f[f"relative L2 error, {way}"] < 0.03,
            ("game", "Ritz"),
        ),
    )

    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Solve -u'' = f on (0, 1), u = 0 at both ends, by both."""
        count = 200 if quick else 2500
        exact = {"game": _game(count, seed), "Ritz": _ritz(count, seed)}
        x = torch.linspace(0, 1, 401)[:, None]
        with torch.no_grad():
            found = {k: _bounded(net, x).numpy() for k, net in exact.items()}
        truth = _solution(x).numpy()
        size = float(np.sqrt((truth**2).mean()))
        errors = {k: float(np.sqrt(((v - truth) ** 2).mean())) / size for k, v in found.items()}
        return Evidence(
            {
                "relative L2 error, game": errors["game"],
                "relative L2 error, Ritz": errors["Ritz"],
            },
            {"x": x.squeeze(1).numpy(), "truth": truth, **found},
        )

    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the solutions and their errors."""
        left, right = figure.subplots(1, 2)
        c = found.curves
        left.plot(c["x"], c["truth"], color="#8a94a6", lw=4, label="exact")
        for name, colour in (("game", "#e4572e"), ("Ritz", "#2a7f9e")):
            left.plot(c["x"], c[name], color=colour, lw=1, label=name)
            right.plot(c["x"], c[name] - c["truth"], color=colour, label=name)
        left.set(title="u", xlabel="x")
        right.set(title="error", xlabel="x")
        left.legend()


def _solution(x: Tensor) -> Tensor:
    return (FREQUENCY * torch.pi * x).sin().squeeze(1) + 2 * (x * (1 - x)).squeeze(1)


def _force(x: Tensor) -> Tensor:
    return (FREQUENCY * torch.pi) ** 2 * (FREQUENCY * torch.pi * x).sin().squeeze(1) + 4


class Smooth(nn.Module):
    """A net of smooth units, whose second derivatives are not all zero."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        first = nn.Linear(1, 64)
        nn.init.uniform_(first.weight, -8, 8)
        nn.init.uniform_(first.bias, -8, 8)
        self.layers = nn.Sequential(
            first, nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return values (n,)."""
        value: Tensor = self.layers(x).squeeze(1)
        return value


def _bounded(net: nn.Module, x: Tensor) -> Tensor:
    """Return x (1 - x) net(x): zero at both ends."""
    value: Tensor = (x * (1 - x)).squeeze(1) * net(x)
    return value


def _with_slope(net: nn.Module, x: Tensor) -> tuple[Tensor, Tensor]:
    value = _bounded(net, x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    return value, slope.squeeze(1)


def _points(step: int, count: int = 256) -> Tensor:
    """Return one point a cell, at random: a sum over them is close to the integral."""
    rng = torch.Generator().manual_seed(step)
    x = (torch.arange(count) + torch.rand(count, generator=rng)) / count
    return x[:, None].requires_grad_(True)


def _move(moves: torch.optim.Optimizer, net: nn.Module, loss: Tensor, share: float) -> None:
    parameters = list(net.parameters())
    for p, g in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
        p.grad = g
    for group in moves.param_groups:
        group["lr"] = 2e-3 * (1 - share)
    moves.step()


def _game(count: int, seed: int) -> nn.Module:
    trial, test = Smooth(seed), Smooth(seed + 1)
    moves = [torch.optim.Adam(net.parameters(), 2e-3, (0.5, 0.9)) for net in (trial, test)]
    for step in range(count):
        for k in range(3):
            x = _points(4 * step + k)
            _, du = _with_slope(trial, x)
            v, dv = _with_slope(test, x)
            residual = (du.detach() * dv - _force(x.detach()) * v).mean()
            _move(moves[1], test, dv.square().mean() / 2 - residual, step / count)
        x = _points(4 * step + 3)
        _, du = _with_slope(trial, x)
        v, dv = _with_slope(test, x)
        loss = (du * dv.detach() - _force(x.detach()) * v.detach()).mean()
        _move(moves[0], trial, loss, step / count)
    return trial


def _ritz(count: int, seed: int) -> nn.Module:
    trial = Smooth(seed)
    moves = torch.optim.Adam(trial.parameters(), 2e-3, (0.5, 0.9))
    for step in range(count):
        x = _points(step)
        u, du = _with_slope(trial, x)
        _move(moves, trial, (du.square() / 2 - _force(x.detach()) * u).mean(), step / count)
    return trial
