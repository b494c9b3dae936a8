"""Augmentation of pictures that does not leak into samples (Karras et al. 2020)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Space
from surveyor.training.views import View

REACH = 8  # a shift is at most a side divided by this


@dataclass(frozen=True)
class ShiftMirror(View):
    """Show the critic some pictures shifted or mirrored, real and generated alike.

    With probability p, the ``share``, a picture (c, h, w) is shifted cyclically by at most an
    eighth of its sides; with probability p / 2 it is mirrored. Both are group actions, and the
    Fourier transforms of their laws, (1 - p) + p D(k) D(l) for shifts and 1 - p for mirrors, are
    above 0 for p up to .7 (D >= -1/3). So the augmentation is invertible on distributions: two that
    agree afterwards agreed before, and the generator gains nothing by imitating it.
    """

    share: float = 0.2

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 0.7:
            raise ValueError("share must lie between 0 and .7, beyond which it would leak")

    def __call__(self, batch: Batch, draws: Draws) -> Batch:
        """Return the batch with some pictures shifted or mirrored; differentiable in x."""
        return replace(batch, x=self.moved(batch.x, draws))

    def unfit(self, space: Space) -> Iterator[str]:
        """Refuse data other than pictures."""
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
