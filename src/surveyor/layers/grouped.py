"""Linear layers of many small nets at once, with the gradients of single rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

AT_ONCE = 8  # groups in one product: fewer and larger products, of which half a block is wasted


class RowGradients(nn.Module, ABC):
    """A layer whose gradients of single rows are known without being materialised.

    ``a`` is its input and ``d`` the gradient in its output, in the shapes of ``forward``.
    """

    @abstractmethod
    def squares(self, a: Tensor, d: Tensor) -> Tensor:
        """Return the squared norm of every row's gradient in the parameters, (n,)."""

    @abstractmethod
    def weighted(self, scale: Tensor, a: Tensor, d: Tensor) -> list[Tensor]:
        """Return the sum over rows of ``scale`` (n,) times gradient, a tensor per parameter."""


class Grouped(RowGradients):
    """h (groups, n, inputs) -> (groups, n, outputs): a linear layer for each group."""

    def __init__(self, groups: int, inputs: int, outputs: int, slope: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(groups, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(groups, 1, outputs))
        limit = (3 / (inputs * (1 + slope**2))) ** 0.5  # as in ``layers.initial``
        nn.init.uniform_(self.weight, -limit, limit)

    def forward(self, h: Tensor) -> Tensor:
        """Return outputs."""
        return torch.baddbmm(self.bias, h, self.weight)

    def squares(self, a: Tensor, d: Tensor) -> Tensor:
        """Return sum_k |d_k|^2 (|a_k|^2 + 1)."""
        return (d.square().sum(2) * (a.square().sum(2) + 1)).sum(0)

    def weighted(self, scale: Tensor, a: Tensor, d: Tensor) -> list[Tensor]:
        """Return the sums for weight and bias."""
        d = scale.unsqueeze(1) * d
        return [a.transpose(1, 2) @ d, d.sum(1, keepdim=True)]


class Earlier(RowGradients):
    """x (n, inputs) -> (groups, n, outputs); group k sees the first ``seen[k]`` entries of x.

    ``seen`` does not decrease.
    """

    def __init__(self, seen: Sequence[int], outputs: int, slope: float) -> None:
        super().__init__()
        self.seen, inputs = list(seen), max(seen)
        self.weight = nn.Parameter(torch.zeros(len(seen), outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(len(seen), outputs))
        for weight, own in zip(self.weight.detach(), seen, strict=True):
            limit = (3 / (max(own, 1) * (1 + slope**2))) ** 0.5
            nn.init.uniform_(weight[:, :own], -limit, limit)
        mask = torch.arange(inputs) < torch.tensor(self.seen).unsqueeze(1)
        self.mask: Tensor
        self.register_buffer("mask", mask.float().unsqueeze(1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return outputs."""
        parts = []
        ends = [*self.seen[AT_ONCE - 1 : -1 : AT_ONCE], self.seen[-1]]
        weights = torch.split(self.weight * self.mask, AT_ONCE)
        for end, weight in zip(ends, weights, strict=True):
            own = weight[:, :, :end].flatten(0, 1)
            parts.append(functional.linear(x[:, :end], own).view(len(x), *weight.shape[:2]))
        return (torch.cat(parts, dim=1) + self.bias).transpose(0, 1)

    def squares(self, a: Tensor, d: Tensor) -> Tensor:
        """Return sum_k |d_k|^2 (|a seen by k|^2 + 1)."""
        given = functional.pad(a.square().cumsum(1), (1, 0))[:, self.seen]
        return (d.square().sum(2).T * (given + 1)).sum(1)

    def weighted(self, scale: Tensor, a: Tensor, d: Tensor) -> list[Tensor]:
        """Return the sums for weight and bias."""
        d = scale.unsqueeze(1) * d
        return [(d.transpose(1, 2) @ a) * self.mask, d.sum(1)]
