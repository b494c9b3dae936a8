"""Training rows held in the memory of an accelerator, and drawn there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws, stacked
from surveyor.data import Source

CHUNK = 8_192  # rows encoded at once
SHARE = 0.4  # of the free memory that rows may take


@dataclass(frozen=True)
class Resident:
    """The points of a source's rows on a device.

    With ``groups``, where each begins and how many rows it has, every group is drawn equally often.
    """

    points: Batch
    groups: tuple[Tensor, Tensor] | None = None

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows with replacement, as ``Source.draw`` does."""
        if self.groups is None:
            return self.points.take(draws.index(n, len(self.points)).to(self.points.x.device))
        starts, sizes = self.groups
        group = draws.index(n, len(sizes)).to(sizes.device)
        return self.points.take(starts[group] + (draws.uniform(n) * sizes[group]).long())


def resident(source: Source, device: torch.device) -> Source | Resident:
    """Return the rows of ``source`` on an accelerator if they fit there, otherwise ``source``."""
    if device.type != "cuda" or len(source) == 0:
        return source
    free, _ = torch.cuda.mem_get_info(device)
    if len(source) * _size(source.first(1)) > SHARE * free:
        return source
    return placed(source, device)


def placed(source: Source, device: torch.device) -> Resident:
    """Return the rows of ``source`` on ``device``."""
    order, groups = source.index, None
    if source.balance:
        starts, sizes, order = source.groups
        groups = (_on(device, starts), _on(device, sizes))
    parts = [
        source.codec.batch(source.rows, order[at : at + CHUNK]).to(device)
        for at in range(0, len(order), CHUNK)
    ]
    return Resident(stacked(parts), groups)


def _on(device: torch.device, numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(numbers.astype(np.int64)).to(device)


def _size(batch: Batch) -> int:
    tensors = (batch.x, batch.cond, batch.weight, batch.group)
    return sum(t.nbytes for t in tensors if t is not None)
