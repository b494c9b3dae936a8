"""Muon: matrices are updated by orthogonalised momentum, everything else by Adam."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.training.optimizers import Updates

# Quintic iteration that brings singular values near 1 in a few rounds (Jordan et al. 2024).
A, B, C = 3.4445, -4.7750, 2.0315
ADAM = (0.9, 0.99, 1e-8)


@dataclass(frozen=True)
class Muon(Updates):
    """W <- W - rate * orthogonalised(momentum), for every matrix or stack (Jordan et al. 2024).

    With ``manifold``, matrices that are semi-orthogonal stay so: the momentum is projected to the
    tangent space, G - sym(G W') W, and a step ends with W <- 1.5 W - 0.5 W W' W, a first-order
    retraction. Vectors, single rows and convolution kernels are updated by Adam.
    """

    momentum: float = 0.95
    rounds: int = 3
    manifold: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.momentum < 1:
            raise InputError(f"muon: momentum {self.momentum}: give a number from 0 to below 1")
        if not 1 <= self.rounds <= 1000:
            raise InputError(f"muon: rounds {self.rounds}: give 1 to 1000")

    def over(self, parameters: Iterable[nn.Parameter], rate: float) -> torch.optim.Optimizer:
        """Return the optimizer."""
        return _Muon(list(parameters), rate, self)


class _Muon(torch.optim.Optimizer):
    def __init__(self, parameters: list[nn.Parameter], rate: float, how: Muon) -> None:
        super().__init__(parameters, {"lr": rate})
        self.how = how

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        for group in self.param_groups:
            matrices = [p for p in group["params"] if _is_matrix(p)]
            others = [p for p in group["params"] if not _is_matrix(p)]
            for p in matrices:
                self._turn(p, group["lr"])
            self._adam(others, group["lr"])

    def _turn(self, p: nn.Parameter, rate: float) -> None:
        if p.grad is None:
            return
        wide = p.shape[-2] <= p.shape[-1]
        w, g = (p, p.grad) if wide else (p.mT, p.grad.mT)
        state = self.state[p]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(p)
        kept = state["momentum"] if wide else state["momentum"].mT
        kept.mul_(self.how.momentum).add_(g)
        if self.how.manifold:
            kept.sub_(_normal_part(kept, w))
        w.sub_(_orthogonalised(kept, self.how.rounds), alpha=rate)
        if self.how.manifold:
            w.copy_(1.5 * w - 0.5 * (w @ w.mT) @ w)

    def _adam(self, parameters: list[nn.Parameter], rate: float) -> None:
        first, second, eps = ADAM
        moving: list[Tensor] = [p for p in parameters if p.grad is not None]
        if not moving:
            return
        for p in moving:
            state = self.state[p]
            if "mean" not in state:
                state["count"] = torch.zeros(())
                state["mean"], state["square"] = torch.zeros_like(p), torch.zeros_like(p)
            state["count"] += 1
        gradients = [p.grad for p in moving if p.grad is not None]
        means = [self.state[p]["mean"] for p in moving]
        squares = [self.state[p]["square"] for p in moving]
        count = float(self.state[moving[0]]["count"])
        torch._foreach_lerp_(means, gradients, 1 - first)
        torch._foreach_mul_(squares, second)
        torch._foreach_addcmul_(squares, gradients, gradients, 1 - second)
        roots = torch._foreach_sqrt(squares)
        torch._foreach_div_(roots, (1 - second**count) ** 0.5)
        torch._foreach_add_(roots, eps)
        torch._foreach_addcdiv_(moving, means, roots, -rate / (1 - first**count))


def _is_matrix(p: Tensor) -> bool:
    """Return whether ``p`` is a matrix or a stack of them, not a kernel, which has four axes."""
    return p.ndim in (2, 3) and min(p.shape[-2:]) > 1


def _normal_part(g: Tensor, w: Tensor) -> Tensor:
    across = g @ w.mT
    normal: Tensor = 0.5 * (across + across.mT) @ w
    return normal


def _orthogonalised(g: Tensor, rounds: int) -> Tensor:
    x: Tensor = g / (g.norm(dim=(-2, -1), keepdim=True) + 1e-12)
    for _ in range(rounds):
        gram = x @ x.mT
        x = A * x + (B * gram + C * gram @ gram) @ x
    return x
