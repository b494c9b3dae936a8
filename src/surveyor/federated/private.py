"""Sums of gradients that are differentially private before they leave a client.

Every client includes each of its own rows with a probability of its own, clips their gradients,
adds noise to the sum (``training/privacy.py``), and counts its spending by its own rows: the
(epsilon, delta) is that of its rows, whatever the server and the other clients do. No noise is
added jointly, so the joint gradient has the noise of as many runs as there are clients. The loss
itself does not leave a client, and a generator's step asks none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data import Source
from surveyor.federated.messages import Request, Sums
from surveyor.federated.sums import Client, GeneratorAtServer, with_own_nets
from surveyor.privacy import CodecAccount
from surveyor.training.game import Game
from surveyor.training.noise import Deviation
from surveyor.training.plan import Plan
from surveyor.training.privacy import Privacy, privacy_for


@dataclass(frozen=True, eq=False)
class PrivateClient(Client):
    """A client that answers with private sums; ``account`` is what they and its codec spend."""

    account: Privacy

    def gradients(self, request: Request, draws: Draws) -> Sums:
        """Return the private sum, without the loss; ``request.rows`` are expected ones."""
        assert isinstance(self.rows, Source)
        if request.stage not in ("likelihood", "critic"):
            raise ValueError(f"{request.stage}: no private client is asked for that")
        likely = request.stage == "likelihood"
        of = self.account.likelihood_gradients if likely else self.account.critic_gradients
        _, found = of(self.game, self.rows, draws)
        return Sums(request.rows, {}, tuple((request.rows * g).cpu().numpy() for g in found))


@dataclass(frozen=True, eq=False, kw_only=True)
class ByPrivateSums(GeneratorAtServer):
    """The server's view of private clients, all of which take part in every step."""

    accounts: Sequence[Privacy]

    def client(self, game: Game, rank: int) -> Client:
        """Return a client with its account."""
        rows = self.parts[rank], self.plan.seed, rank
        return PrivateClient(with_own_nets(game), *rows, self.accounts[rank])

    def rows_of(self, draws: Draws) -> np.ndarray:
        """Return how many rows of the joint batch each client is expected to draw, (clients,)."""
        return self.shares * self.plan.batch

    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Refuse: the accountants do not cover the critic's AUC.

        Raises:
            ValueError: always.
        """
        raise ValueError("adaptive noise reads training rows outside the privacy accounting")


@dataclass(frozen=True)
class Accounts:
    """The mechanism that is ``asked`` for, and what the codec of each client has spent of it."""

    asked: Any
    codecs: tuple[CodecAccount | None, ...]

    def of(self, rows: Sequence[int], shares: Sequence[float], plan: Plan) -> list[Privacy]:
        """Return the account of each client, of so many training ``rows``.

        Raises:
            InputError: no noise is enough for some client.
        """
        asked = self.asked
        return [
            _account(
                asked.epsilon, asked.delta, asked.max_grad_norm,
                share * plan.batch, n, plan.updates, codec,
            )
            for n, share, codec in zip(rows, shares, self.codecs, strict=True)
        ]  # fmt: skip


_account = lru_cache(maxsize=256)(privacy_for)  # a search of seconds, the same at every opening
