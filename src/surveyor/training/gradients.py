"""The gradients of a step: from a drawn batch of rows, or from differentially private sums."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.critics.chain import Terms
from surveyor.data import Source
from surveyor.training.game import Game
from surveyor.training.noise import Deviation
from surveyor.training.plan import Plan, Rows
from surveyor.training.privacy import Privacy, without_rows

TermsAndGrads = tuple[Terms, list[Tensor]]


class Gradients(ABC):
    """How a step uses training rows: its loss terms and their gradients."""

    @abstractmethod
    def likelihood(self, game: Game, draws: Draws) -> TermsAndGrads:
        """Return the loss of a warm start, and its gradient in the generator."""

    @abstractmethod
    def critic(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the critic's terms, and the gradient of their sum."""

    @abstractmethod
    def generator(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the generator's terms, and the gradient of their sum."""

    @abstractmethod
    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Return the critic's AUC on training rows."""


class Apart(ABC):
    """Rows that are not in one place: they say themselves how steps use them."""

    @abstractmethod
    def gradients(self, plan: Plan) -> Gradients:
        """Return how the steps of a plan use these rows."""

    def privacy(self, plan: Plan) -> Privacy | None:
        """Return the weakest account of the places; None without privacy."""
        return None


def gradients_for(plan: Plan, source: Rows) -> Gradients:
    """Return how the steps of a plan use rows.

    Raises:
        ValueError: the plan has privacy, and ``source`` is not a ``Source``.
    """
    if isinstance(source, Apart):
        return source.gradients(plan)
    if plan.privacy is None:
        return ByRows(source, plan.batch)
    if not isinstance(source, Source):
        raise ValueError("differential privacy samples rows one by one and needs a Source")
    return BySums(source, plan.batch, plan.privacy)


@dataclass(frozen=True)
class ByRows(Gradients):
    """Gradients on a batch of ``batch`` rows drawn from ``source``."""

    source: Rows
    batch: int

    def _batch(self, draws: Draws) -> Batch:
        return self.source.draw(self.batch, draws).to(draws.device)

    def likelihood(self, game: Game, draws: Draws) -> TermsAndGrads:
        """Return the loss of a warm start, and its gradient in the generator."""
        return game.warm_gradients(self._batch(draws), draws)

    def critic(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the critic's terms and gradient."""
        return game.critic_gradients(self._batch(draws), draws, noise)

    def generator(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the generator's terms and gradient."""
        return game.generator_gradients(self._batch(draws), draws, noise)

    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Return the critic's AUC."""
        return game.auc(self._batch(draws), draws, noise)


@dataclass(frozen=True)
class BySums(Gradients):
    """Gradients from clipped sums over rows, with noise (``training/privacy.py``).

    A generator's step uses no training rows.
    """

    source: Source
    batch: int
    privacy: Privacy

    def likelihood(self, game: Game, draws: Draws) -> TermsAndGrads:
        """Return the negative mean log likelihood, and its private gradient."""
        return self.privacy.likelihood_gradients(game, self.source, draws)

    def critic(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the critic's gap and its private gradient."""
        return self.privacy.critic_gradients(game, self.source, draws)

    def generator(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the generator's terms and gradient, from conditions without rows."""
        return game.generator_gradients(without_rows(self.source, self.batch, draws), draws, noise)

    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Refuse: the accountant does not cover the critic's AUC.

        Raises:
            ValueError: always.
        """
        raise ValueError("adaptive noise reads training rows outside the privacy accounting")
