"""Generators with a tractable likelihood."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

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


class TabularLikelihood(Likelihood):
    """A likelihood of rows of codes: its output is (n, codes), one-hot in blocks of ``sizes``."""

    sizes: list[int]

    @abstractmethod
    def drawer(self) -> Callable[[Tensor, Tensor | None], Tensor]:
        """Return (u (n, blocks) uniform in [0, 1), cond (n, c) or None) -> codes (n, blocks).

        It samples the distribution of ``forward`` without a gradient, and precomputes whatever
        does not depend on the row.
        """

    @abstractmethod
    def calibrate(
        self, shares: Sequence[Tensor], n: int, cond: Tensor | None, draws: Draws
    ) -> None:
        """Shift the logits so that each block's codes occur with frequencies ``shares``.

        The frequencies are estimated on ``n`` drawn rows, given the conditions ``cond`` (n, c).
        """
