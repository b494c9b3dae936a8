"""The rows of several clients, as a run trains on them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np

from surveyor.data import Source
from surveyor.federated.odds import ByOddsOfClients
from surveyor.federated.private import Accounts, ByPrivateSums
from surveyor.federated.sums import BySumsOfClients
from surveyor.training.gradients import Apart, Gradients
from surveyor.training.plan import Plan
from surveyor.training.privacy import Privacy, without_rows


@dataclass(frozen=True)
class Federation(Source, Apart):
    """The rows of several clients; a step draws from each a number of rows by its share.

    With ``critics`` every client trains one of its own, with ``accounts`` it is private. As a
    ``Source`` it is the rows of all clients together, for checks and measurements.
    """

    parts: tuple[Source, ...] = ()
    shares: tuple[float, ...] = ()
    critics: bool = False
    accounts: Accounts | None = None

    def gradients(self, plan: Plan) -> Gradients:
        """Return the sums of the clients' gradients, or the gradients of their own critics."""
        own = self.parts, np.array(self.shares), plan
        conditions = partial(without_rows, self)
        if self.critics:
            return ByOddsOfClients(*own, conditions=conditions)
        if self.accounts is not None:
            return ByPrivateSums(*own, accounts=self.private(plan), conditions=conditions)
        return BySumsOfClients(*own)

    def private(self, plan: Plan) -> list[Privacy]:
        """Return the account of each client.

        Raises:
            InputError: no noise is enough for some client.
        """
        assert self.accounts is not None
        return self.accounts.of([*map(len, self.parts)], self.shares, plan)

    def privacy(self, plan: Plan) -> Privacy | None:
        """Return the weakest account, that of the greatest delta; None without privacy."""
        if self.accounts is None:
            return None
        return max(self.private(plan), key=lambda own: (own.delta, own.epsilon))
