"""Logits of ordered codes that vary smoothly with rank."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

FADE = 8  # frequencies above this are damped
FLAT = 0.3  # deviation of the cosines' weights at the start


class SmoothLogits(nn.Module):
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
        self.waves = nn.Linear(width, waves + len(apart), bias=False)
        nn.init.normal_(self.waves.weight, std=FLAT * width**-0.5)
        self.level = nn.Linear(1, size, bias=False)  # a layer, so that each row has a gradient

    @property
    def bias(self) -> Tensor:
        """Return the levels, (codes,)."""
        return self.level.weight[:, 0]

    def forward(self, h: Tensor) -> Tensor:
        """Return logits."""
        logits: Tensor = self.waves(h) @ self.basis + self.level(torch.ones_like(h[:, :1]))
        return logits
