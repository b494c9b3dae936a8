"""A critic with a proven slope of at most 1, trained to be the ruler between two data sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.lipschitz.certificate import TOLERANCE
from surveyor.training.loop import follow
from surveyor.training.optimizers.muon import Muon

Draw = Callable[[int], np.ndarray]


@dataclass(frozen=True)
class Budget:
    """How much a critic may cost: steps, rows a side and step, its members, depth and width.

    ``width`` 0 stands for max(2 d, 128), and ``rate`` 0 for 10 / steps but at most .05: it is the
    angle of a step, so that every budget turns the layers equally far.
    """

    steps: int = 2000
    batch: int = 512
    seed: int = 0
    members: int = 2
    depth: int = 4
    width: int = 0
    rate: float = 0.0

    def __post_init__(self) -> None:
        lowest = {
            "steps": 1, "batch": 2, "members": 1, "depth": 1, "width": 0, "rate": 0, "seed": 0,
        }  # fmt: skip
        problems = [
            f"{name} {getattr(self, name)}: give at least {low}"
            for name, low in lowest.items()
            if not getattr(self, name) >= low
        ]
        if problems:
            raise InputError(*problems)


class Folds(nn.Module):
    """The mean of K nets h <- |W h + b|, f = w.h, all matrices semi-orthogonal, |w| = 1.

    A fold keeps the norm of a gradient, and so does an orthogonal matrix (Anil et al. 2019). The
    mean of functions of slope 1 has slope at most 1, and the members' errors partly cancel.
    ``weights`` are (K, out, in), ``biases`` (K, 1, out).
    """

    def __init__(self, widths: list[int], members: int) -> None:
        super().__init__()
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.weights = nn.ParameterList(_orthogonal(members, b, a) for a, b in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, b) for _, b in pairs)

    def forward(self, x: Tensor) -> Tensor:
        """Return every member's scores (K, n) of points (n, d)."""
        h = x.expand(len(self.weights[0]), *x.shape)
        last = len(self.weights) - 1
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(b, h, w.mT)
            h = h if k == last else h.abs()
        return h.squeeze(-1)

    @torch.no_grad()
    def fold_within(self, x: Tensor) -> None:
        """Let every fold pass through a random point of the data: folds elsewhere do nothing."""
        h = x.expand(len(self.weights[0]), *x.shape)
        for w, b in zip(self.weights, self.biases, strict=True):
            chosen = torch.randint(0, len(x), (len(w), w.shape[1]))
            at = torch.gather(h, 1, chosen.unsqueeze(-1).expand(-1, -1, h.shape[-1]))
            b.copy_(-(w * at).sum(-1).unsqueeze(1))
            h = torch.baddbmm(b, h, w.mT).abs()

    @torch.no_grad()
    def straighten(self) -> None:
        """Make every matrix orthogonal to rounding."""
        for w in self.weights:
            u, _, v = torch.linalg.svd(w.double(), full_matrices=False)
            w.copy_(u @ v)

    def bound(self) -> float:
        """Return the largest member's product of singular values, and what float32 may add."""
        total = torch.ones(len(self.weights[0]), dtype=torch.float64)
        for w in self.weights:
            total *= torch.linalg.matrix_norm(w.detach().double(), 2)
        return float(total.max()) * (1 + TOLERANCE)


class Potential(nn.Module):
    """f(x) = scale * g((x - centre) / scale) / bound(g), of slope at most 1. (n, d) to (n,)."""

    centre: Tensor
    scale: Tensor
    gain: Tensor
    bound = 1.0

    def __init__(self, inner: Folds, centre: Tensor, scale: float) -> None:
        super().__init__()
        self.inner = inner
        self.register_buffer("centre", centre)
        self.register_buffer("scale", torch.tensor(scale))
        self.register_buffer("gain", torch.tensor(scale / inner.bound()))

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,)."""
        scores: Tensor = self.inner((x.flatten(1) - self.centre) / self.scale).mean(0)
        return self.gain * scores


def fitted(high: Draw, low: Draw, budget: Budget) -> Iterator[Potential | None]:
    """Train f to maximise E f(high) - E f(low) over functions of slope at most 1.

    Matrices move on the manifold of semi-orthogonal ones (Muon, Jordan et al. 2024). No penalty
    and no second derivative are needed. Yields None after every step and the critic at the end:
    its slope is at most 1 by the singular values of what is returned.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(budget.seed)
        sample = torch.cat([_tensor(high(1024)), _tensor(low(1024))])
        centre = sample.mean(0)
        scale = float((sample - centre).square().mean().sqrt()) or 1.0
        d = sample.shape[1]
        width = budget.width or max(2 * d, 128)
        widths = [d, *[width] * budget.depth, 1]
        net, average = Folds(widths, budget.members), Folds(widths, budget.members)
        net.fold_within((sample - centre) / scale)
    average.load_state_dict(net.state_dict())
    average.requires_grad_(False)
    rate = budget.rate or min(0.05, 10 / budget.steps)
    optimizer = Muon(manifold=True).over(net.parameters(), rate)
    kept: list[Tensor] = list(average.parameters())
    moving: list[Tensor] = list(net.parameters())
    for step in range(budget.steps):
        fall = (1 + math.cos(math.pi * step / budget.steps)) / 2
        optimizer.param_groups[0]["lr"] = rate * fall
        x, y = _tensor(high(budget.batch)), _tensor(low(budget.batch))
        scores = net((torch.cat([x, y]) - centre) / scale)
        # The sum over members: each has its own loss.
        loss = (scores[:, len(x) :].mean(1) - scores[:, : len(x)].mean(1)).sum()
        gradients = torch.autograd.grad(loss, moving, allow_unused=True)
        for p, g in zip(moving, gradients, strict=True):
            p.grad = g
        optimizer.step()
        with torch.no_grad():
            net.weights[-1].div_(net.weights[-1].norm(dim=-1, keepdim=True))
        follow(kept, moving, min(0.99, (step + 1) / (step + 10)))
        yield None
    average.straighten()
    yield Potential(average, centre, scale).eval()


def fit(high: Draw, low: Draw, budget: Budget) -> Potential:
    """Return the trained critic of ``fitted``."""
    *_, last = fitted(high, low, budget)
    assert last is not None
    return last


def _orthogonal(members: int, rows: int, columns: int) -> Tensor:
    return torch.stack([nn.init.orthogonal_(torch.empty(rows, columns)) for _ in range(members)])


def _tensor(values: np.ndarray | Tensor) -> Tensor:
    return torch.as_tensor(values, dtype=torch.float32).flatten(1)
