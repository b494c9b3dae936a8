"""A critic with a proven slope of at most 1, trained to be the ruler between two data sets."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.lipschitz.certificate import certify, weighted
from surveyor.lipschitz.orthogonal import Orthogonal
from surveyor.nets import ChainCritic
from surveyor.nets.activations import LeakyReLU
from surveyor.training.loop import follow
from surveyor.training.optimizers.muon import Muon

Draw = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Budget:
    """How much a critic may cost: steps, rows a side and step, its depth and width.

    ``width`` 0 stands for max(2 d, 128), and ``rate`` 0 for 10 / steps but at most .05: it is the
    angle of a step, so that every budget turns the layers equally far.
    """

    steps: int = 2000
    batch: int = 512
    seed: int = 0
    depth: int = 4
    width: int = 0
    rate: float = 0.0

    def __post_init__(self) -> None:
        lowest = {"steps": 1, "batch": 2, "depth": 1, "width": 0, "rate": 0, "seed": 0}
        problems = [
            f"{name} {getattr(self, name)}: give at least {low}"
            for name, low in lowest.items()
            if not getattr(self, name) >= low
        ]
        if problems:
            raise InputError(*problems)


class Potential(nn.Module):
    """f(x) = scale * g((x - centre) / scale): the slope of f is that of g. (n, d) to (n,)."""

    centre: Tensor
    scale: Tensor

    def __init__(self, inner: ChainCritic, centre: Tensor, scale: float) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("centre", centre)
        self.register_buffer("scale", torch.tensor(scale))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,)."""
        scores: Tensor = self.scale * self.inner((x.flatten(1) - self.centre) / self.scale)
        return scores

    @property
    def bound(self) -> float:
        """Return the proven bound on the slope."""
        found = certify(self.inner)
        assert found is not None
        return found


def fitted(high: Draw, low: Draw, budget: Budget) -> Iterator[Potential | None]:
    """Train f to maximise E f(high) - E f(low) over functions of slope at most 1.

    Every matrix is semi-orthogonal and every activation |.|, so that gradients keep their norm;
    matrices move on that manifold (Anil et al. 2019; Muon, Jordan et al. 2024). No penalty and no
    second derivative are needed. Yields None after every step and the critic at the end: its
    ``bound`` is 1 or less, by the singular values of what is returned.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(budget.seed)
        sample = torch.cat([_tensor(high(1024)), _tensor(low(1024))])
        centre = sample.mean(0)
        scale = float((sample - centre).square().mean().sqrt()) or 1.0
        net = _net(sample.shape[1], budget)
        _fold_within((sample - centre) / scale, net)
    potential = Potential(net, centre, scale)
    average = copy.deepcopy(net).requires_grad_(False)
    rate = budget.rate or min(0.05, 10 / budget.steps)
    optimizer = Muon(manifold=True).over(net.parameters(), rate)
    kept: list[Tensor] = list(average.parameters())
    moving: list[Tensor] = list(net.parameters())
    for step in range(budget.steps):
        fall = (1 + math.cos(math.pi * step / budget.steps)) / 2
        optimizer.param_groups[0]["lr"] = rate * fall
        x, y = _tensor(high(budget.batch)), _tensor(low(budget.batch))
        scores = net((torch.cat([x, y]) - centre) / scale)
        loss = scores[len(x) :].mean() - scores[: len(x)].mean()
        gradients = torch.autograd.grad(loss, moving, allow_unused=True)
        for p, g in zip(moving, gradients, strict=True):
            p.grad = g
        optimizer.step()
        _unit_rows(net)
        follow(kept, moving, min(0.99, (step + 1) / (step + 10)))
        yield None
    potential.inner = _proven(average)
    yield potential.eval()


def fit(high: Draw, low: Draw, budget: Budget) -> Potential:
    """Return the trained critic of ``fitted``."""
    *_, last = fitted(high, low, budget)
    assert last is not None
    return last


def _net(d: int, budget: Budget) -> ChainCritic:
    width = budget.width or max(2 * d, 128)
    widths = [d, *[width] * budget.depth]
    layers: list[nn.Module] = []
    for a, b in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Linear(a, b), LeakyReLU()]
    net = ChainCritic(nn.Sequential(*layers, nn.Linear(width, 1)), 0, {}, 1.0)
    Orthogonal(activation="absolute").install(net)
    return net


@torch.no_grad()
def _fold_within(x: Tensor, net: ChainCritic) -> None:
    """Let every fold pass through a random point of the data: folds elsewhere do nothing."""
    h = x
    for layer in net.layers:
        if isinstance(layer, nn.Linear):
            chosen = torch.randint(0, len(h), (layer.out_features,))
            layer.bias.copy_(-(layer.weight * h[chosen]).sum(1))
        h = layer(h)


@torch.no_grad()
def _unit_rows(net: ChainCritic) -> None:
    last = net.layers[-1]
    assert isinstance(last, nn.Linear)
    last.weight.div_(last.weight.norm())


@torch.no_grad()
def _proven(net: ChainCritic) -> ChainCritic:
    """Make every matrix orthogonal to rounding, and take what is left of the bound off the gain."""
    for layer in weighted(net):
        u, _, v = torch.linalg.svd(layer.weight.double(), full_matrices=False)
        layer.weight.copy_(u @ v)
    bound = certify(net)
    assert bound is not None
    net.gain.div_(bound * (1 + 1e-7))
    return net.requires_grad_(False)


def _tensor(values: np.ndarray | Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32).flatten(1)
