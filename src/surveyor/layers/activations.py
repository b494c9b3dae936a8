"""Activations with slope at most 1, and random features."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.errors import InputError


class LeakyReLU(nn.Module):
    """x for x > 0, ``slope`` x otherwise."""

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        if not 0 <= slope <= 1:
            raise InputError(f"slope {slope}: give a number from 0 to 1")
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated x, same shape."""
        return functional.leaky_relu(x, self.slope)

    def extra_repr(self) -> str:
        """Show the slope."""
        return f"slope={self.slope}"


class Absolute(nn.Module):
    """|x|. Its slope is +1 or -1, so it preserves gradient norms."""

    def forward(self, x: Tensor) -> Tensor:
        """Return |x|, same shape."""
        return x.abs()


MANY = 1000  # random lengths drawn for each frequency


class Fourier(nn.Module):
    """x -> (x, sin x F, cos x F), with fixed random frequencies F (d, count).

    A net is slow to learn detail much finer than the data's spread (Tancik et al. 2020). F is a
    stratified sample of a Gaussian of standard deviation ``scale``: orthogonal directions, d at a
    time, with lengths at the quantiles of a Gaussian's length (Yu et al. 2016), so that every seed
    has high frequencies. |J|^2 = 1 + |F|^2, since cos^2 + sin^2 = 1.
    """

    frequencies: Tensor

    def __init__(self, width: int, count: int, scale: float) -> None:
        super().__init__()
        blocks = [torch.linalg.qr(torch.randn(width, width)).Q for _ in range(-(-count // width))]
        lengths = torch.randn(width, MANY * count).norm(dim=0).sort().values[MANY // 2 :: MANY]
        directions = torch.cat(blocks, dim=1)[:, :count]
        self.register_buffer("frequencies", scale * directions * lengths[torch.randperm(count)])

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, d + 2 count)."""
        phase = x @ self.frequencies
        return torch.cat([x, phase.sin(), phase.cos()], dim=1)

    def bound(self) -> float:
        """Return the Lipschitz constant."""
        return float((1 + torch.linalg.matrix_norm(self.frequencies.double(), 2) ** 2).sqrt())


class GroupSort(nn.Module):
    """Sort each group of ``group`` neighbouring channels (Anil et al. 2019).

    It permutes its input, so its Jacobian is orthogonal and preserves gradient norms. If ``group``
    does not divide the number of channels, the remaining ones pass unchanged.
    """

    def __init__(self, group: int = 8) -> None:
        super().__init__()
        if group < 2:
            raise InputError(f"group {group}: sort at least 2 channels together")
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """Return x (n, channels, ...) with channels sorted within groups."""
        return self.sorted(x)[0]

    def sorted(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sorted x and the index of the channel that each value came from."""
        whole = x.shape[1] - x.shape[1] % self.group
        groups = torch.unflatten(x[:, :whole], 1, (-1, self.group)).sort(dim=2)
        first = torch.arange(0, whole, self.group, device=x.device)
        order = groups.indices + first.view(1, -1, 1, *[1] * (x.ndim - 2))
        rest = torch.arange(whole, x.shape[1], device=x.device).view(1, -1, *[1] * (x.ndim - 2))
        rest = rest.expand(len(x), -1, *x.shape[2:])
        values = torch.cat([groups.values.flatten(1, 2), x[:, whole:]], dim=1)
        return values, torch.cat([order.flatten(1, 2), rest], dim=1)

    def extra_repr(self) -> str:
        """Show the group size."""
        return f"group={self.group}"
