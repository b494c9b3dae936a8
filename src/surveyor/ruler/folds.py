"""A net of slope at most 1: semi-orthogonal matrices and folds."""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from surveyor.catalog import parse
from surveyor.training.optimizers import Updates, optimizers
from surveyor.training.plan import average_weight, update_average

MEMBERS, DEPTH = 2, 4
TURN = 10.0  # the total rotation of a layer, whatever the number of steps


class Folds(nn.Module):
    """The mean of K nets h <- |W h + b|, f = w.h, with semi-orthogonal matrices and |w| = 1.

    Folds and orthogonal matrices preserve gradient norms (Anil et al. 2019). A mean of functions
    of slope 1 has slope at most 1, and the members' errors partly cancel.
    ``weights`` are (K, out, in), ``biases`` (K, 1, out).
    """

    def __init__(self, widths: list[int], members: int) -> None:
        super().__init__()
        pairs = list(zip(widths[:-1], widths[1:], strict=True))
        self.weights = nn.ParameterList(_orthogonal(members, b, a) for a, b in pairs)
        self.biases = nn.ParameterList(torch.zeros(members, 1, b) for _, b in pairs)

    def forward(self, x: Tensor) -> Tensor:
        """Return scores (n,) of points (n, d)."""
        return self.each(x).mean(0)

    def each(self, x: Tensor) -> Tensor:
        """Return every member's scores (K, n)."""
        h = x.expand(len(self.weights[0]), *x.shape)
        last = len(self.weights) - 1
        for k, (w, b) in enumerate(zip(self.weights, self.biases, strict=True)):
            h = torch.baddbmm(b, h, w.mT)
            h = h if k == last else h.abs()
        return h.squeeze(-1)

    @torch.no_grad()
    def fold_within(self, x: Tensor) -> None:
        """Place every fold at a random data point; folds outside the data have no effect."""
        h = x.expand(len(self.weights[0]), *x.shape)
        for w, b in zip(self.weights, self.biases, strict=True):
            chosen = torch.randint(0, len(x), (len(w), w.shape[1]))
            at = torch.gather(h, 1, chosen.unsqueeze(-1).expand(-1, -1, h.shape[-1]))
            b.copy_(-(w * at).sum(-1).unsqueeze(1))
            h = torch.baddbmm(b, h, w.mT).abs()

    @torch.no_grad()
    def straighten(self) -> None:
        """Make every matrix semi-orthogonal up to rounding."""
        for w in self.weights:
            u, _, v = torch.linalg.svd(w.double(), full_matrices=False)
            w.copy_(u @ v)

    @property
    def bound(self) -> float:
        """Return the largest product of spectral norms over the members."""
        total = torch.ones(len(self.weights[0]), dtype=torch.float64)
        for w in self.weights:
            total *= torch.linalg.matrix_norm(w.detach().double(), 2)
        return float(total.max())


class Folding:
    """Training of ``Folds`` on the manifold of semi-orthogonal matrices (``Muon``).

    It needs no penalty and no second derivatives. The width is 2 d, clipped to 128 ... 512.
    """

    def __init__(self, high: Tensor, low: Tensor, steps: int) -> None:
        d = high.shape[1]
        widths = [d, *[min(max(2 * d, 128), 512)] * DEPTH, 1]
        self.net, self.average = Folds(widths, MEMBERS), Folds(widths, MEMBERS)
        self.net.fold_within(torch.cat([high, low]))
        self.average.load_state_dict(self.net.state_dict())
        self.average.requires_grad_(False)
        self.steps = steps
        self.rate = min(0.05, TURN / max(steps, 1))
        muon: Updates = parse("muon:manifold=true", optimizers(), "optimizer")
        self.optimizer = muon.over(self.net.parameters(), self.rate)
        self.kept: list[Tensor] = list(self.average.parameters())
        self.moving: list[Tensor] = list(self.net.parameters())

    def step(self, high: Tensor, low: Tensor, done: int) -> None:
        """Raise the scores of ``high`` and lower those of ``low``, after ``done`` steps."""
        fall = (1 + math.cos(math.pi * done / self.steps)) / 2
        self.optimizer.param_groups[0]["lr"] = self.rate * fall
        scores = self.net.each(torch.cat([high, low]))
        # Summed over members, since each has its own loss.
        loss = (scores[:, len(high) :].mean(1) - scores[:, : len(high)].mean(1)).sum()
        gradients = torch.autograd.grad(loss, self.moving, allow_unused=True)
        for p, g in zip(self.moving, gradients, strict=True):
            p.grad = g
        self.optimizer.step()
        with torch.no_grad():
            self.net.weights[-1].div_(self.net.weights[-1].norm(dim=-1, keepdim=True))
        update_average(self.kept, self.moving, average_weight(done, 0.99))

    def made(self) -> Folds:
        """Return the averaged net, with matrices semi-orthogonal up to rounding."""
        made = copy.deepcopy(self.average)
        made.straighten()
        return made


def _orthogonal(members: int, rows: int, columns: int) -> Tensor:
    return torch.stack([nn.init.orthogonal_(torch.empty(rows, columns)) for _ in range(members)])
