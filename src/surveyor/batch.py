"""Types shared by all packages: a batch, its scores, and the random draws of one step."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

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

    def joint(self) -> Tensor:
        """Return x and cond concatenated, (n, d + c): the space in which W1 is measured.

        The ground metric is Euclidean, so ignoring the condition increases W1.
        """
        flat = self.x.flatten(1)
        return flat if self.cond is None else torch.cat([flat, self.cond.flatten(1)], dim=1)


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
    are the same on every device.
    """

    seed: int
    step: int = 0
    stream: Stream = Stream.PLAIN
    rank: int = 0
    device: torch.device | str = "cpu"
    generator: torch.Generator = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = struct.pack("<4Q", self.seed, self.rank, self.step, self.stream)
        digest = hashlib.blake2b(named, digest_size=8).digest()
        generator = torch.Generator()
        generator.manual_seed(int.from_bytes(digest, "little") >> 1)
        object.__setattr__(self, "generator", generator)

    def normal(self, *shape: int) -> Tensor:
        """Return standard normal numbers."""
        return torch.randn(shape, generator=self.generator).to(self.device)

    def uniform(self, *shape: int) -> Tensor:
        """Return numbers uniform in [0, 1)."""
        return torch.rand(shape, generator=self.generator).to(self.device)

    def signs(self, *shape: int) -> Tensor:
        """Return -1 or +1, each with probability one half."""
        bits = torch.randint(0, 2, shape, generator=self.generator, dtype=torch.float32)
        return bits.mul_(2).sub_(1).to(self.device)

    def index(self, n: int, high: int) -> Tensor:
        """Return ``n`` indices, uniform in ``range(high)``, with replacement."""
        return torch.randint(0, high, (n,), generator=self.generator)

    def gumbel(self, *shape: int) -> Tensor:
        """Return standard Gumbel numbers, -log(-log u)."""
        exponential = torch.empty(shape).exponential_(generator=self.generator)
        return exponential.log_().neg_().to(self.device)
