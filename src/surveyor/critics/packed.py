"""A critic that judges several samples at once (Lin et al. 2018, PacGAN)."""

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
    """f(x_1 ... x_m), ``members`` samples side by side: a generator that drops modes is found out
    by samples that are too much alike.

    Every sample of a pack has the pack's score, so the mean over samples is the mean over packs.
    A sample's slope is then m |grad f| in it; held to 1, |grad f| in the whole pack is at most
    1 / sqrt m where all are alike, and the gap is at most W1 between packs over sqrt m, which is in
    the unit of W1 between samples. Scores of single rows (``surveyor score``) depend on their
    neighbours.
    """

    of: Critic = field(default_factory=Conv)
    members: int = 2

    def __post_init__(self) -> None:
        if self.members < 2:
            raise InputError(f"packed: {self.members} members; give at least 2")

    @property
    def together(self) -> int:
        """Return the samples of a pack."""
        return self.members * self.of.together

    @property
    def answers(self) -> bool:
        """Return whether the critic of the packs answers pictures."""
        return self.of.answers

    def build(self, space: Space) -> nn.Module:
        """Return the critic of packs."""
        shape = (self.members * space.shape[0], *space.shape[1:])
        given = (self.members * space.given[0], *space.given[1:]) if space.given else ()
        cond = self.members * space.cond
        inner = self.of.build(replace(space, shape=shape, cond=cond, given=given))
        return PackedCritic(inner, self.members)


class PackedCritic(nn.Module):
    """(x, cond) -> scores (n,) or (members, n), equal within each pack of consecutive samples."""

    def __init__(self, inner: nn.Module, members: int) -> None:
        super().__init__()
        self.inner, self.members = inner, members

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores; the last pack is filled up with the first samples."""
        n, m = len(x), self.members
        index = torch.arange(-(-n // m) * m, device=x.device) % n
        packs = [
            part[index].reshape(-1, m * part.shape[1], *part.shape[2:])
            for part in ((x,) if cond is None else (x, cond))
        ]
        scores: Tensor = self.inner(*packs)
        return scores.repeat_interleave(m, dim=-1)[..., :n]
