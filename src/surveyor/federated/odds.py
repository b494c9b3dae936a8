"""The game under critics that stay at their clients, of which odds are added up.

Client k trains a critic f_k on its own rows against generated ones, and nothing of it leaves. For a
step of the generator the server sends generated points x; each client answers with f_k(x) and its
gradient in x. The server steps against F = log sum_k a_k exp f_k (``critics/odds.py``).

In one process the clients' critics are members of one net. The optimizers treat every weight by
itself, so that a step of them all is a step of each at its client.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.critics import OfClients
from surveyor.federated.sums import GeneratorAtServer
from surveyor.training.game import Game
from surveyor.training.gradients import ByRows, TermsAndGrads
from surveyor.training.noise import Deviation


@dataclass(frozen=True, eq=False, kw_only=True)
class ByOddsOfClients(GeneratorAtServer):
    """Each client's critic has its own gradient; the generator has that of the added odds."""

    def critic(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the clients' terms, weighted by their shares, and the gradients of each its own.

        Every client has a whole batch, and takes the step of a client that trains alone.
        """
        terms: dict[str, Tensor] = {}
        gradients: dict[str, Tensor] = {}
        for k, (one, own) in enumerate(self._each(game, draws)):
            found, slopes = ByRows(self.parts[k], self.plan.batch).critic(one, own, noise)
            names = (f"members.{k}.{name}" for name, _ in one.critic.named_parameters())
            gradients.update(zip(names, slopes, strict=True))
            for name, value in found.items():
                terms[name] = terms.get(name, 0) + self.shares[k] * value
        return terms, [gradients[name] for name, _ in game.critic.named_parameters()]

    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Return the mean over clients of their critics' AUC, by share."""
        found = [
            ByRows(self.parts[k], self.plan.batch).auc(one, own, noise)
            for k, (one, own) in enumerate(self._each(game, draws))
        ]
        return (torch.stack(found) * torch.tensor(self.shares).to(found[0])).sum()

    def _each(self, game: Game, draws: Draws) -> Iterator[tuple[Game, Draws]]:
        """Yield the game of each client's own critic, and its own draws."""
        assert isinstance(game.critic, OfClients)
        if len(game.critic.members) != len(self.parts):
            raise ValueError(f"{len(game.critic.members)} critics of {len(self.parts)} clients")
        for k, member in enumerate(game.critic.members):
            yield replace(game, critic=member), replace(draws, rank=k)
