"""What a generator can do beside generating: know the likelihood of points."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from surveyor.batch import Draws

UNSEEN = -13.8  # log 1e-6: what a value that training never saw counts in a row's likelihood


class Likelihood(nn.Module, ABC):
    """A generator that knows the likelihood of points: training can maximise it.

    Its output is what it has drawn, and becomes points by the codec's ``embed`` instead of its
    ``head``.
    """

    @abstractmethod
    def log_likelihood(
        self, x: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p of points x (n, \\*shape) under conditions (n, c), (n,).

        With ``draws``, of a training step, noise may regularise it.
        """


class TabularLikelihood(Likelihood):
    """A likelihood of rows of codes: its output is (n, codes), one-hot in blocks of ``sizes``."""

    sizes: list[int]

    @abstractmethod
    def drawer(self) -> Callable[[Tensor, Tensor | None], Tensor]:
        """Return (u (n, blocks) uniform in [0, 1), cond (n, c) or None) -> codes (n, blocks).

        The law of ``forward`` without its gradient; what no row decides is prepared once.
        """

    @abstractmethod
    def calibrate(
        self, shares: Sequence[Tensor], n: int, cond: Tensor | None, draws: Draws
    ) -> None:
        """Shift the log odds so that each block's codes occur as often as ``shares`` say.

        ``n`` rows are drawn for it, under their conditions ``cond`` (n, c).
        """
