"""Activations with slope at most 1, cheap to differentiate twice."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from surveyor.errors import InputError


class LeakyReLU(nn.Module):
    """x for x > 0, ``slope`` x otherwise, as a product with a mask that has no derivative.

    A piecewise linear function has second derivative 0; the built-in one propagates those zeros
    through the whole graph of a gradient penalty, this one does not.
    """

    def __init__(self, slope: float = 0.2) -> None:
        super().__init__()
        if not 0 <= slope <= 1:
            raise InputError(f"slope {slope}: give a number from 0 to 1")
        self.slope = slope

    def forward(self, x: Tensor) -> Tensor:
        """Return the activated x, same shape."""
        # The sign of x, moved to {slope, 1}: one pass and no change of type.
        mask = x.detach().sign().mul_((1 - self.slope) / 2).add_((1 + self.slope) / 2)
        return x * mask

    def extra_repr(self) -> str:
        """Show the slope."""
        return f"slope={self.slope}"


class Fourier(nn.Module):
    """x -> (x, sin x F, cos x F) with a fixed random F (d, count) of deviation ``scale``.

    A smooth net is slow to learn detail much finer than the data's spread (Tancik et al. 2020).
    |J|^2 = |1|^2 + |F|^2, since the rows of sin and cos together turn and never stretch.
    """

    frequencies: Tensor

    def __init__(self, width: int, count: int, scale: float) -> None:
        super().__init__()
        self.register_buffer("frequencies", scale * torch.randn(width, count))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, d + 2 count)."""
        phase = x @ self.frequencies
        return torch.cat([x, phase.sin(), phase.cos()], dim=1)

    def bound(self) -> float:
        """Return the largest factor by which distances grow."""
        return float((1 + torch.linalg.matrix_norm(self.frequencies.double(), 2) ** 2).sqrt())


class GroupSort(nn.Module):
    """Sort each group of ``group`` neighbouring channels (Anil et al. 2019).

    A permutation of its input, so its Jacobian is orthogonal: it keeps every gradient's norm.
    Where the channels do not divide, the last ones pass unchanged.
    """

    def __init__(self, group: int = 8) -> None:
        super().__init__()
        if group < 2:
            raise InputError(f"group {group}: sort at least 2 channels together")
        self.group = group

    def forward(self, x: Tensor) -> Tensor:
        """Return x (n, channels, ...) with channels sorted within groups."""
        whole = x.shape[1] - x.shape[1] % self.group
        if whole == 0:
            return x
        groups = torch.unflatten(x[:, :whole], 1, (-1, self.group))
        return torch.cat([groups.sort(dim=2).values.flatten(1, 2), x[:, whole:]], dim=1)

    def extra_repr(self) -> str:
        """Show the group size."""
        return f"group={self.group}"
