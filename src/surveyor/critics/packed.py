"""A critic that scores several samples jointly (PacGAN, Lin et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from surveyor.critics import Critic
from surveyor.critics.conv import Conv
from surveyor.data import Space
from surveyor.errors import InputError


@dataclass(frozen=True)
class Packed(Critic):
    """f(x_1 ... x_m) of ``members`` samples: packs of a generator that drops modes are too alike.

    Every sample has its pack's score, so the mean over samples is the mean over packs. The slope
    in one sample is then m |grad f|. If it is at most 1 and equal in all samples, |grad f| in the
    whole pack is at most 1 / sqrt m, and the gap is at most W1 between packs over sqrt m, which is
    in the unit of W1 between samples. Scores of single rows (``surveyor score``) depend on their
    neighbours.
    """

    of: Critic = field(default_factory=Conv)
    members: int = 2

    def __post_init__(self) -> None:
        if self.members < 2:
            raise InputError(f"packed: {self.members} members; give at least 2")

    @property
    def together(self) -> int:
        """Return the number of samples in a pack."""
        return self.members * self.of.together

    @property
    def takes_pictures(self) -> bool:
        """Return whether the inner critic takes pictures as conditions."""
        return self.of.takes_pictures

    def build(self, space: Space) -> nn.Module:
        """Return the packed critic."""
        shape = (self.members * space.shape[0], *space.shape[1:])
        cond_shape = (
            (self.members * space.cond_shape[0], *space.cond_shape[1:]) if space.cond_shape else ()
        )
        cond = self.members * space.cond
        inner = self.of.build(replace(space, shape=shape, cond=cond, cond_shape=cond_shape))
        return PackedCritic(inner, self.members)


class PackedCritic(nn.Module):
    """(x, cond) -> scores (n,) or (members, n), equal within each pack of consecutive samples."""

    def __init__(self, inner: nn.Module, members: int) -> None:
        super().__init__()
        self.inner, self.members = inner, members

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores; the first samples fill up the last pack."""
        n, m = len(x), self.members
        index = torch.arange(-(-n // m) * m, device=x.device) % n
        packs = [
            part[index].reshape(-1, m * part.shape[1], *part.shape[2:])
            for part in ((x,) if cond is None else (x, cond))
        ]
        scores: Tensor = self.inner(*packs)
        return scores.repeat_interleave(m, dim=-1)[..., :n]
