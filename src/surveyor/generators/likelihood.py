"""Generators with a tractable likelihood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from surveyor.batch import Draws

UNSEEN = -13.8  # log 1e-6, the log likelihood of a value absent from training


class Likelihood(nn.Module, ABC):
    """A generator with a tractable likelihood, which training can maximise.

    Its output is already a sample; the codec's ``embed``, not its ``head``, maps it to points.
    """

    @abstractmethod
    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p(x | cond) (n,) of points x (n, \\*shape) given conditions (n, c).

        With ``draws``, in a training step, it may be regularised by noise.
        """


class Walker(ABC):
    """A likelihood of rows of codes, taken apart: p(code k | codes before k), without gradients.

    It is a snapshot, which precomputes whatever does not depend on the row. Column k has
    ``sizes[k]`` codes.
    """

    sizes: list[int]

    @abstractmethod
    def logits(self, k: int, codes: Tensor, cond: Tensor | None) -> Tensor:
        """Return log p of the codes of column k up to a constant, (n, sizes[k]).

        Of ``codes`` (n, columns) those before column k are given, and conditions (n, c).
        """

    def draw(self, u: Tensor, cond: Tensor | None) -> Tensor:
        """Return codes (n, columns), given numbers (n, columns) uniform in [0, 1)."""
        codes = torch.empty(u.shape, dtype=torch.int64, device=u.device)
        for k, size in enumerate(self.sizes):
            odds = self.logits(k, codes, cond)
            # Not softmax, which is slow on short rows.
            odds = odds.sub_(odds.amax(1, keepdim=True)).exp_().cumsum_(1)
            code = torch.searchsorted(odds, u[:, k : k + 1] * odds[:, -1:]).squeeze(1)
            codes[:, k] = code.clamp_(max=size - 1)
        return codes


class TabularLikelihood(Likelihood):
    """A likelihood of rows of codes: its output is (n, codes), one-hot in blocks of ``sizes``."""

    sizes: list[int]

    @abstractmethod
    def walker(self) -> Walker:
        """Return the distribution of ``forward``, column by column."""

    @abstractmethod
    def calibrate(
        self, shares: Sequence[Tensor], n: int, cond: Tensor | None, draws: Draws
    ) -> None:
        """Shift the logits so that each block's codes occur with frequencies ``shares``.

        The frequencies are estimated on ``n`` drawn rows, given the conditions ``cond`` (n, c).
        """
