"""Nets: one file a family, each with a generator and a critic."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar

from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.catalog import folder
from surveyor.data import Space
from surveyor.nets.chain import ChainCritic
from surveyor.nets.latent import Latent

__all__ = ["UNSEEN", "ChainCritic", "Latent", "Net", "Sampler", "nets"]


class Net(ABC):
    """A family of nets; its fields are its options.

    ``answers`` says that its conditions are pictures (n, \\*space.given), as a task gives them.
    """

    answers: ClassVar[bool] = False

    @abstractmethod
    def generator(self, space: Space, latent: Latent) -> nn.Module:
        """Return a module (z (n, latent.width), cond (n, c) or None) -> raw (n, \\*space.raw)."""

    @abstractmethod
    def critic(self, space: Space) -> nn.Module:
        """Return a module (x (n, \\*space.shape), cond (n, c) or None) -> scores (n,).

        A committee's are (members, n).
        """


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


def nets() -> dict[str, type[Net]]:
    """Return every family by the name of its file."""
    return folder("surveyor.nets", Net)  # type: ignore[type-abstract]
