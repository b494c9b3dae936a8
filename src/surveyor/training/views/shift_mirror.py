"""Augmentation of pictures that does not leak into samples (Karras et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Space
from surveyor.training.views import View

REACH = 8  # a shift goes at most one in so many of a side


@dataclass(frozen=True)
class ShiftMirror(View):
    """Real and generated pictures alike are shown to the critic shifted and mirrored, some of them.

    With probability p, the ``share``, a picture (c, h, w) is shifted round by at most an eighth of
    its sides, with probability p / 2 it is mirrored. Both are elements of a group, drawn from a
    law whose Fourier transform, (1 - p) + p D(k) D(l) of shifts and 1 - p of mirrors, is above 0
    for p up to .7 (D >= -1/3). It can be undone, so two distributions that agree afterwards agree
    before: the generator gains nothing from making such pictures itself.
    """

    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 0.7:
            raise ValueError("share must lie between 0 and .7, beyond which it would leak")

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """Return pictures of the same shape, some of them moved; differentiable in x."""
        return replace(batch, x=self.moved(batch.x, draws))

    def unfit(self, space: Space) -> Iterator[str]:
        """Refuse what is no picture."""
        if len(space.shape) != 3:
            yield "--view=shift-mirror: only for pictures"

    def moved(self, x: Tensor, draws: Draws) -> Tensor:
        """Return pictures (n, c, h, w), some of them shifted or mirrored."""
        n, _, high, wide = x.shape
        u = draws.uniform(n, 4)
        shifted = (u[:, 0] < self.share).long()
        down, right = (
            shifted * ((2 * (side // REACH) + 1) * u[:, k]).long() - shifted * (side // REACH)
            for k, side in ((1, high), (2, wide))
        )
        mirrored = (u[:, 3] < self.share / 2)[:, None]
        rows = (torch.arange(high, device=x.device) - down[:, None]) % high
        columns = (torch.arange(wide, device=x.device) - right[:, None]) % wide
        columns = torch.where(mirrored, wide - 1 - columns, columns)
        which = torch.arange(n, device=x.device)[:, None, None]
        return x[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2).contiguous()
