"""The gradients of a step: by rows drawn from the data, or by sums that are private."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.critics.chain import Terms
from surveyor.data import Source
from surveyor.training.game import Game
from surveyor.training.plan import Plan, Rows
from surveyor.training.privacy import Privacy, without_rows

Found = tuple[Terms, list[Tensor]]


class Gradients(ABC):
    """What looks at training rows in a step: its terms, and their gradients."""

    @abstractmethod
    def likelihood(self, game: Game, draws: Draws) -> Found:
        """Return the loss of a warm start, and its gradient in the generator."""

    @abstractmethod
    def critic(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the critic's terms, and the gradient of their sum."""

    @abstractmethod
    def generator(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the generator's terms, and the gradient of their sum."""

    @abstractmethod
    def auc(self, game: Game, draws: Draws, noise: float) -> Tensor:
        """Return what the critic tells apart of rows that it is shown."""


def gradients_for(plan: Plan, source: Rows) -> Gradients:
    """Return how the steps of a plan see rows.

    Raises:
        ValueError: a plan with privacy, and rows that cannot be taken one by one.
    """
    if plan.privacy is None:
        return ByRows(source, plan.batch)
    if not isinstance(source, Source):
        raise ValueError("differential privacy needs a Source, whose rows can be taken one by one")
    return BySums(source, plan.batch, plan.privacy)


@dataclass(frozen=True)
class ByRows(Gradients):
    """Of ``batch`` rows that are drawn from the data."""

    source: Rows
    batch: int

    def _drawn(self, draws: Draws) -> Batch:
        return self.source.draw(self.batch, draws).to(draws.device)

    def likelihood(self, game: Game, draws: Draws) -> Found:
        """Return minus the mean log likelihood, or the content loss, and its gradient."""
        return game.warm_gradients(self._drawn(draws), draws)

    def critic(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the critic's terms and gradient."""
        return game.critic_gradients(self._drawn(draws), draws, noise)

    def generator(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the generator's terms and gradient."""
        return game.generator_gradients(self._drawn(draws), draws, noise)

    def auc(self, game: Game, draws: Draws, noise: float) -> Tensor:
        """Return the critic's AUC."""
        return game.auc(self._drawn(draws), draws, noise)


@dataclass(frozen=True)
class BySums(Gradients):
    """Of clipped and noised sums over rows (``training/privacy.py``); a generator sees none."""

    source: Source
    batch: int
    privacy: Privacy

    def likelihood(self, game: Game, draws: Draws) -> Found:
        """Return minus the mean log likelihood, and its private gradient."""
        return self.privacy.likelihood_gradients(game, self.source, draws)

    def critic(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the critic's gap and its private gradient."""
        return self.privacy.critic_gradients(game, self.source, draws)

    def generator(self, game: Game, draws: Draws, noise: float) -> Found:
        """Return the generator's terms and gradient, under conditions alone."""
        return game.generator_gradients(without_rows(self.source, self.batch, draws), draws, noise)

    def auc(self, game: Game, draws: Draws, noise: float) -> Tensor:
        """Refuse: what is told apart of rows is in no account.

        Raises:
            ValueError: always.
        """
        raise ValueError("a noise that adapts looks at rows, which differential privacy forbids")
