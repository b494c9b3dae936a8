"""Gradients of a joint batch, added up from those of its rows at each client.

Of a batch of B rows, client k draws n_k from its own rows. The numbers of rows are multinomial with
the clients' shares a_k. With shares in proportion to rows, this is to draw B rows from all rows
together, and the server's gradient

    sum_k S_k / B,  S_k the sum of gradients over the n_k rows of client k,

is that of training on all rows: nothing is approximated, however different the clients' rows are
(unlike averages of weights, McMahan et al. 2017). With other shares it is that of training on the
mixture of the clients' distributions with weights a_k.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws
from surveyor.federated.messages import Request, Stage, Sums
from surveyor.streams import Stream
from surveyor.training.game import Game
from surveyor.training.gradients import ByRows, Gradients, TermsAndGrads
from surveyor.training.noise import Deviation
from surveyor.training.plan import Plan, Rows

NETS: Mapping[Stage, tuple[str, ...]] = {
    "likelihood": ("generator",),
    "critic": ("generator", "critic"),
    "generator": ("generator", "critic"),
    "auc": ("generator", "critic"),
}
"""The nets whose weights a client needs."""
Conditions = Callable[[int, Draws], Batch]


@dataclass(frozen=True, eq=False)
class Client:
    """A client: its rows, and nets of its own that hold the server's weights.

    ``rank`` numbers its random draws.
    """

    game: Game
    rows: Rows
    seed: int
    rank: int

    def answer(self, request: Request) -> Sums:
        """Return the sums over as many of its rows as ``request`` asks for."""
        load_weights(self.game, request.weights)
        stream = Stream(request.stream)
        draws = Draws(self.seed, request.step, stream, self.rank, self.game.device)
        return self.gradients(request, draws)

    def gradients(self, request: Request, draws: Draws) -> Sums:
        """Return the sums under the weights that the nets have."""
        own, noise = ByRows(self.rows, int(request.rows)), request.noise
        if request.stage == "auc":
            auc = own.auc(self.game, draws, noise)
            return Sums(request.rows, {"auc": request.rows * float(auc)}, ())
        if request.stage == "likelihood":
            terms, found = own.likelihood(self.game, draws)
        elif request.stage == "critic":
            terms, found = own.critic(self.game, draws, noise)
        else:
            terms, found = own.generator(self.game, draws, noise)
        return Sums(
            request.rows,
            {name: request.rows * float(value) for name, value in terms.items()},
            tuple((request.rows * g).cpu().numpy() for g in found),
        )


@dataclass(frozen=True, eq=False)
class BySumsOfClients(Gradients):
    """The server's view: every step asks clients for sums, and adds them up."""

    parts: Sequence[Rows]
    shares: np.ndarray
    plan: Plan
    clients: list[Client] = field(default_factory=list)

    def likelihood(self, game: Game, draws: Draws) -> TermsAndGrads:
        """Return the loss of a warm start on the joint batch, and its gradient."""
        return self._joint("likelihood", game, draws)

    def critic(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the critic's terms on the joint batch, and their gradient."""
        return self._joint("critic", game, draws, noise)

    def generator(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the generator's terms on the joint batch, and their gradient."""
        return self._joint("generator", game, draws, noise)

    def auc(self, game: Game, draws: Draws, noise: Deviation) -> Tensor:
        """Return the mean over clients of the critic's AUC, each on rows of its own."""
        return self._joint("auc", game, draws, noise)[0]["auc"]

    def client(self, game: Game, rank: int) -> Client:
        """Return the client of a number."""
        return Client(with_own_nets(game), self.parts[rank], self.plan.seed, rank)

    def rows_of(self, draws: Draws) -> np.ndarray:
        """Return how many rows of the joint batch each client draws, (clients,)."""
        server = Draws(draws.seed, draws.step, draws.stream, rank=len(self.parts))
        ends = np.cumsum(self.shares)
        places = np.searchsorted(ends, server.uniform(self.plan.batch).numpy() * ends[-1], "right")
        return np.bincount(places.clip(0, len(ends) - 1), minlength=len(ends))

    def _joint(
        self, stage: Stage, game: Game, draws: Draws, noise: Deviation = 0.0
    ) -> TermsAndGrads:
        if not self.clients:
            self.clients.extend(self.client(game, rank) for rank in range(len(self.parts)))
        weights = weights_of(game, NETS[stage])
        answers = [
            client.answer(
                Request(stage, draws.step, int(draws.stream), float(n), float(noise), weights)
            )
            for client, n in zip(self.clients, self.rows_of(draws), strict=True)
            if n > 0
        ]
        return added(answers, game.device)


@dataclass(frozen=True, eq=False, kw_only=True)
class GeneratorAtServer(BySumsOfClients):
    """The server steps the generator by itself; ``conditions`` draws conditions without rows."""

    conditions: Conditions

    def generator(self, game: Game, draws: Draws, noise: Deviation) -> TermsAndGrads:
        """Return the generator's terms and gradient, from conditions without rows."""
        return game.generator_gradients(self.conditions(self.plan.batch, draws), draws, noise)


def added(answers: Sequence[Sums], device: torch.device | str = "cpu") -> TermsAndGrads:
    """Return the means of terms and gradients over the rows of all ``answers``."""
    rows = sum(answer.rows for answer in answers)
    terms = {
        name: torch.tensor(sum(a.terms[name] for a in answers) / rows, device=device)
        for name in answers[0].terms
    }
    sums = zip(*(answer.gradients for answer in answers), strict=True)
    return terms, [torch.from_numpy(sum(own) / np.float32(rows)).to(device) for own in sums]


def with_own_nets(game: Game) -> Game:
    """Return the same game of copied nets."""
    nets = copy.deepcopy((game.generator, game.critic))
    return replace(game, generator=nets[0], critic=nets[1])


def weights_of(game: Game, nets: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the weights and buffers of nets, by net and name."""
    return {
        f"{net}/{name}": value.detach().cpu().numpy()
        for net in nets
        for name, value in _module(game, net).state_dict().items()
    }


def load_weights(game: Game, weights: Mapping[str, np.ndarray]) -> None:
    """Copy ``weights`` into the nets that they name.

    Raises:
        RuntimeError: names or shapes are not those of the nets.
    """
    for net in {name.partition("/")[0] for name in weights}:
        own = {k: v for k, v in weights.items() if k.startswith(f"{net}/")}
        state = {k.partition("/")[2]: torch.from_numpy(v) for k, v in own.items()}
        _module(game, net).load_state_dict(state)


def _module(game: Game, net: str) -> nn.Module:
    module: nn.Module = getattr(game, net)
    return module
