"""What a generator can do beside generating."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence

from torch import Tensor, nn

from surveyor.batch import Draws

UNSEEN = -13.8  # log 1e-6: what a value that training never saw counts in a row's likelihood


class Sampler(nn.Module, ABC):
    """A generator of rows of one-hot blocks that draws its codes itself, from the latent.

    Its output takes no codec's ``head``: it is (n, codes), one-hot in blocks of ``sizes``.
    """

    sizes: list[int]

    def blocks(self, x: Tensor) -> Tensor:
        """Return the one-hot blocks (n, codes) that points (n, d) begin with, over sqrt 2."""
        return x[:, : sum(self.sizes)] * 2**0.5

    @abstractmethod
    def log_likelihood(
        self, hot: Tensor, cond: Tensor | None = None, draws: Draws | None = None
    ) -> Tensor:
        """Return log p of rows given as one-hot blocks (n, codes), (n,).

        With ``draws``, of a training step, noise may regularise it.
        """

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
