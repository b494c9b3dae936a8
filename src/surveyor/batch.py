"""Types shared by all packages: a batch, its scores, and the random draws of one step."""

from __future__ import annotations

import copy
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from surveyor.streams import Stream


@dataclass(frozen=True)
class Batch:
    """Points in the critic's space.

    Shapes: ``x`` (n, ...), ``cond`` (n, c) or pictures (n, ...), ``weight`` (n,), ``group`` (n,)
    integers.
    """

    x: Tensor
    cond: Tensor | None = None
    weight: Tensor | None = None
    group: Tensor | None = None

    def __len__(self) -> int:
        return len(self.x)

    def to(self, device: torch.device | str) -> Batch:
        """Return the same batch on ``device``."""
        moved = (None if t is None else t.to(device) for t in (self.cond, self.weight, self.group))
        return Batch(self.x.to(device), *moved)

    def part(self, start: int, stop: int) -> Batch:
        """Return rows ``start`` to ``stop``."""
        kept = (None if t is None else t[start:stop] for t in (self.cond, self.weight, self.group))
        return Batch(self.x[start:stop], *kept)

    def take(self, index: Tensor) -> Batch:
        """Return the rows at ``index`` (n,)."""
        more = (None if t is None else t[index] for t in (self.cond, self.weight, self.group))
        return Batch(self.x[index], *more)

    def joint(self) -> Tensor:
        """Return x and cond concatenated, (n, d + c): the space in which W1 is measured.

        The ground metric is Euclidean, so ignoring the condition increases W1.
        """
        flat = self.x.flatten(1)
        return flat if self.cond is None else torch.cat([flat, self.cond.flatten(1)], dim=1)


def stacked(batches: Sequence[Batch]) -> Batch:
    """Concatenate batches of the same kind, weights and groups included."""
    fields = zip(*((b.x, b.cond, b.weight, b.group) for b in batches), strict=True)
    x, *more = (
        None if f[0] is None else torch.cat([t for t in f if t is not None]) for f in fields
    )
    assert x is not None
    return Batch(x, *more)


def joined(batches: Sequence[Batch]) -> Batch:
    """Concatenate the points and conditions of several batches."""
    if len(batches) == 1:
        return batches[0]
    conds = [b.cond for b in batches if b.cond is not None]
    return Batch(torch.cat([b.x for b in batches]), torch.cat(conds) if conds else None)


@dataclass(frozen=True)
class Scores:
    """The critic's scores, (..., n); a leading axis runs over a committee's members."""

    real: Tensor
    fake: Tensor
    real_weight: Tensor | None = None
    fake_weight: Tensor | None = None
    group: Tensor | None = None


def mean(values: Tensor, weight: Tensor | None) -> Tensor:
    """Return the mean of ``values`` (..., n), weighted by ``weight`` (n,) unless it is None."""
    if weight is None:
        return values.mean()
    return (values * weight).sum(-1).div(weight.sum()).mean()


@dataclass(frozen=True)
class Draws:
    """All random numbers of one step, a function of (seed, rank, step, stream) only.

    A resumed run therefore needs no saved generator state. Numbers are drawn on the CPU, so they
    are the same on every device, and moved to ``device``; or drawn by ``own``, a generator of the
    device, which is seeded here.
    """

    seed: int
    step: int = 0
    stream: Stream = Stream.PLAIN
    rank: int = 0
    device: torch.device | str = "cpu"
    own: torch.Generator | None = field(default=None, repr=False, compare=False)
    generator: torch.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = struct.pack("<4Q", self.seed, self.rank, self.step, self.stream)
        digest = hashlib.blake2b(named, digest_size=8).digest()
        generator = self.own or torch.Generator()
        generator.manual_seed(int.from_bytes(digest, "little") >> 1)
        object.__setattr__(self, "generator", generator)

    def on(self, device: torch.device | str) -> Draws:
        """Return the same draws, moved to ``device``; they continue each other."""
        moved = copy.copy(self)
        object.__setattr__(moved, "device", device)
        return moved

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return self._here(torch.randn(shape, generator=self.generator, device=self._at))

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers uniform in [0, 1)."""
        return self._here(torch.rand(shape, generator=self.generator, device=self._at))

    def signs(self, *shape: int) -> Tensor:
        """Return -1 or +1, each with probability one half."""
        how: Any = {"generator": self.generator, "device": self._at}
        return self._here(torch.randint(0, 2, shape, dtype=torch.float32, **how).mul_(2).sub_(1))

    def index(self, n: int, high: int) -> Tensor:
        """Return ``n`` indices, uniform in ``range(high)``, with replacement."""
        return torch.randint(0, high, (n,), generator=self.generator, device=self._at)

    def gumbel(self, *shape: int) -> Tensor:
        """Return standard Gumbel numbers, -log(-log u)."""
        blank = torch.empty(shape, device=self._at)
        return self._here(blank.exponential_(generator=self.generator).log_().neg_())

    @property
    def _at(self) -> torch.device:
        """Return the device that draws."""
        return self.generator.device

    def _here(self, drawn: Tensor) -> Tensor:
        return drawn.to(self.device)
