"""A critic of slope exactly 1: the maximum of many cones, whose peaks are trained."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.ruler.cones import far

COUNT = 2048
RATE, LAST_RATE = 0.05, 0.001  # per coordinate and step, relative to the spread of the data
HEAT, LAST_HEAT = 0.5, 0.002  # relative to the usual difference between the two highest cones
AT_ONCE = 128  # rows at a time, so that their distances to all peaks stay in cache
SMALL = 1e-9  # smaller softmax entries become 0, since denormal numbers are many times slower
MOMENTUM, SECOND, AVERAGE = 0.9, 0.99, 0.99


class Peaks(nn.Module):
    """f(x) = max_k (c_k - |x - a_k|), a maximum of functions of slope 1, hence of slope 1.

    Every function of slope at most 1 is a limit of such maxima (McShane 1934).
    """

    a: Tensor
    c: Tensor
    bound = 1.0

    def __init__(self, a: Tensor, c: Tensor) -> None:
        super().__init__()
        self.register_buffer("a", a.double())
        self.register_buffer("c", c.double())

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,) of points (n, d)."""
        highest: Tensor = (self.c - far(x.double(), self.a)).amax(1)
        return highest


class Climbing:
    """Training of ``Peaks`` with handwritten gradients; peaks start at points of the high side.

    Training uses the soft maximum heat * logsumexp(. / heat), also of slope at most 1, and cools
    it: at first many peaks learn from a point, finally one. Adam's steps, with one step size for
    all coordinates of a peak, are averaged.
    """

    def __init__(self, high: Tensor, low: Tensor, steps: int) -> None:
        a = _distinct(high)
        a = a[torch.randperm(len(a))[:COUNT]]
        self.values = [a, torch.zeros(len(a))]
        self.average = [v.clone() for v in self.values]
        self.first, self.second = ([torch.zeros_like(v) for v in self.values] for _ in range(2))
        two = torch.cdist(low[:COUNT], a).topk(min(2, len(a)), largest=False).values
        apart = float((two[:, -1] - two[:, 0]).mean())
        both = _distinct(torch.cat([high[:COUNT], low[:COUNT]]))
        near = torch.cdist(both, both).fill_diagonal_(torch.inf).amin(1).median()
        usual = float(near) / both.shape[1] ** 0.5 if len(both) > 1 else 1.0
        self.heat = apart or usual
        self.rate = min(RATE, usual)
        self.steps = steps

    @torch.no_grad()
    def step(self, high: Tensor, low: Tensor, done: int) -> None:
        """Raise the scores of ``high`` and lower those of ``low``, after ``done`` steps."""
        along = done / self.steps
        fall = (1 + math.cos(math.pi * along)) / 2
        heat = self.heat * HEAT * (LAST_HEAT / HEAT) ** along
        rate = self.rate * (LAST_RATE / RATE) ** along * fall
        found = _gradients(high, low, self.values[0], self.values[1], heat)
        for k, (value, g) in enumerate(zip(self.values, found, strict=True)):
            size = g.square().mean(1, keepdim=True).expand_as(g) if g.ndim == 2 else g.square()
            m, v = self.first[k].lerp_(g, 1 - MOMENTUM), self.second[k].lerp_(size, 1 - SECOND)
            m, v = m / (1 - MOMENTUM ** (done + 1)), v / (1 - SECOND ** (done + 1))
            value.sub_(rate * m / (v.sqrt() + 1e-12))
            self.average[k].lerp_(value, 1 - min(AVERAGE, (done + 1) / (done + 11)))

    def made(self) -> Peaks:
        """Return the averaged peaks."""
        return Peaks(*self.average)


def _gradients(high: Tensor, low: Tensor, a: Tensor, c: Tensor, heat: float) -> list[Tensor]:
    """Return the gradient of mean f(low) - mean f(high) in a and c, with f the soft maximum."""
    on_a, on_c, pulls = torch.zeros_like(a.T), torch.zeros_like(c), torch.zeros_like(c)
    for side, sign in ((low, 1), (high, -1)):
        for x in torch.split(side, AT_ONCE):
            distance = far(x, a).clamp_(min=1e-7)
            share = torch.softmax((c - distance).div_(heat), 1)
            share = functional.threshold(share, SMALL, 0.0, inplace=True).mul_(sign / len(side))
            on_c += share.sum(0)
            pull = share.div_(distance)
            pulls += pull.sum(0)
            on_a.addmm_(x.T, pull)
    return [on_a.T - pulls.unsqueeze(1) * a, on_c]


def _distinct(x: Tensor) -> Tensor:
    found: Tensor = x.unique(dim=0)  # type: ignore[no-untyped-call]
    return found
