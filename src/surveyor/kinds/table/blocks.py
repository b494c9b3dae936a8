"""One-hot blocks, one per column: drawn from logits, and multiplied by a number per code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Draws

TOGETHER = 64  # columns of one product: a dense matrix of all grows with their square


@dataclass(frozen=True, eq=False)
class Weighted:
    """A block-diagonal matrix: (n, codes) to the sum, block by block, of the weights of its codes.

    ``parts`` are the first and last entry of some blocks, and their matrix.
    """

    parts: tuple[tuple[int, int, Tensor], ...]

    @classmethod
    def of(cls, weights: Sequence[np.ndarray | None], sizes: Sequence[int]) -> Weighted:
        """Return the matrix for ``weights`` (size,) of each block; None leaves a block out."""
        made, start = [], 0
        for first in range(0, len(sizes), TOGETHER):
            own, size = weights[first : first + TOGETHER], sizes[first : first + TOGETHER]
            matrix = torch.zeros(sum(size), sum(w is not None for w in own))
            ends, column = np.cumsum([0, *size]), 0
            for k, w in enumerate(own):
                if w is not None:
                    matrix[ends[k] : ends[k + 1], column] = torch.from_numpy(w.astype(np.float32))
                    column += 1
            made.append((start, start + len(matrix), matrix))
            start += len(matrix)
        return cls(tuple(made))

    def __call__(self, hot: Tensor) -> Tensor:
        """Return the product, (n, blocks)."""
        made = [hot[:, start:stop] @ matrix for start, stop, matrix in self.parts]
        return torch.cat(made, dim=1) if made else hot[:, :0]

    def to(self, device: torch.device) -> Weighted:
        """Return the matrix on a device."""
        return Weighted(tuple((a, b, matrix.to(device)) for a, b, matrix in self.parts))


def hot_blocks(raw: Tensor, sizes: Sequence[int], draws: Draws) -> Tensor:
    """Draw each block: straight-through Gumbel-softmax at temperature 1 (Jang et al. 2017).

    The critic sees exact one-hot rows; the gradient is that of the soft sample. If no gradient is
    needed, codes of the same distribution are drawn by inverting its cumulative sums.
    """
    soft = raw.requires_grad and torch.is_grad_enabled()
    uniform = None if soft else draws.uniform(len(raw), len(sizes))
    noisy = raw + draws.gumbel(*raw.shape) if soft else raw
    blocks, start, first = [], 0, 0
    for size, run in groupby(sizes):
        count = len(list(run))
        block = noisy[:, start : start + count * size]
        odds = block.reshape(-1, count, size).softmax(2)
        if uniform is None:
            code = odds.argmax(2, keepdim=True)
            hot = torch.zeros_like(odds).scatter_(2, code, 1.0) + odds - odds.detach()
        else:
            own = uniform[:, first : first + count, None].contiguous()
            code = torch.searchsorted(odds.cumsum(2), own).clamp_(max=size - 1)
            hot = torch.zeros_like(odds).scatter_(2, code, 1.0)
        blocks.append(hot.flatten(1))
        start, first = start + count * size, first + count
    return torch.cat(blocks, dim=1)
