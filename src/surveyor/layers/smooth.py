"""Logits of ordered codes that vary smoothly with rank."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from surveyor.layers.grouped import RowGradients

FADE = 8  # frequencies above this are damped
FLAT = 0.3  # deviation of the cosines' weights at the start


class SmoothLogits(RowGradients):
    """h (n, width) -> logits (n, codes): cosines of the codes' ranks, and a level per code.

    logit_c(h) = level_c + sum_j w_j(h) cos(pi j r_c) F / (F + j), j = 1, ..., ``waves``, with r_c
    the share of rows below code c and w linear: the code's frequency, tilted smoothly. Codes
    ``apart`` (spikes, missing values) have a term of their own. Fewer weights than codes leave less
    to learn by heart.
    """

    def __init__(
        self, width: int, size: int, waves: int, apart: Sequence[int], ranks: Tensor | None
    ) -> None:
        super().__init__()
        j = torch.arange(1, waves + 1).unsqueeze(1)
        smooth = torch.zeros(waves, size)
        if ranks is not None:
            smooth = torch.cos(torch.pi * j * ranks.nan_to_num()) * (FADE / (FADE + j))
            smooth[:, ~ranks.isfinite()] = 0.0
        self.basis: Tensor
        self.register_buffer("basis", torch.cat([smooth, torch.eye(size)[list(apart)]]), False)
        self.weight = nn.Parameter(torch.empty(width, waves + len(apart)))
        nn.init.normal_(self.weight, std=FLAT * width**-0.5)
        self.bias = nn.Parameter(torch.zeros(size))  # the levels

    def forward(self, h: Tensor) -> Tensor:
        """Return logits."""
        return torch.addmm(self.bias, h @ self.weight, self.basis)

    def squares(self, a: Tensor, d: Tensor) -> Tensor:
        """Return |a|^2 |basis d|^2 + |d|^2."""
        return a.square().sum(1) * (d @ self.basis.T).square().sum(1) + d.square().sum(1)

    def weighted(self, scale: Tensor, a: Tensor, d: Tensor) -> list[Tensor]:
        """Return the sums for weight and levels."""
        d = scale.unsqueeze(1) * d
        return [a.T @ (d @ self.basis.T), d.sum(0)]
