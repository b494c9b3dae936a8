"""A critic of a mixture, made of critics of its parts, whose odds are added up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from surveyor.critics import Critic, OfClients
from surveyor.critics.mlp import Mlp
from surveyor.data import Space
from surveyor.errors import InputError


@dataclass(frozen=True)
class Odds(Critic):
    """F(x) = log sum_k a_k exp f_k(x), with one critic f_k a client and ``shares`` a_k.

    Under the minimax objective f_k tends to log p_k / g, where p_k is the distribution of client
    k's rows and g the generator's. Then F = log (sum_k a_k p_k) / g is the critic of the mixture
    (Universal Aggregation: Zhang et al. 2021); a mean of the f_k, or of their weights, is not. The
    gradient of F is a mean of theirs, so its slope is at most the greatest. In ``surveyor
    federate`` f_k is trained on client k's rows alone, and the shares are those of ``--weigh``;
    elsewhere F is trained as a whole. ``of`` is the critic used for each client. With a unit u,
    F = u log sum_k a_k exp(f_k / u).
    """

    of: Critic = field(default_factory=Mlp)
    shares: str = "0.5,0.5"

    def __post_init__(self) -> None:
        try:
            found = self.numbers
        except ValueError:
            found = ()
        if not found or not all(0 < a <= 1 for a in found) or abs(sum(found) - 1) > 1e-6:
            raise InputError(
                f"odds: shares {self.shares!r}; give numbers above 0 that add up to 1, "
                "such as shares=(0.7,0.3)"
            )

    @property
    def numbers(self) -> tuple[float, ...]:
        """Return the shares as numbers."""
        return tuple(float(text) for text in self.shares.split(","))

    @property
    def together(self) -> int:
        """Return how many samples a client's critic judges together."""
        return self.of.together

    @property
    def takes_pictures(self) -> bool:
        """Return whether the clients' critics take pictures as conditions."""
        return self.of.takes_pictures

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Ask for an objective whose critics estimate odds."""
        yield from self.of.problems(chosen)
        if not chosen["objective"].estimates_odds:
            yield (
                "--critic odds: adds up odds, which critics estimate under the minimax objective "
                "alone; give --objective minimax"
            )

    def of_clients(self, shares: Sequence[float]) -> Critic:
        """Return the critic with a member for each of the clients."""
        return replace(self, shares=",".join(f"{a:.9g}" for a in shares))

    def build(self, space: Space) -> nn.Module:
        """Return the critic."""
        members = [self.of.build(space) for _ in self.numbers]
        return OddsCritic(members, self.numbers, space.unit)


class OddsCritic(OfClients):
    """(x, cond) -> scores (n,), or (members, n) if each client has a committee."""

    shares: Tensor

    def __init__(self, members: Sequence[nn.Module], shares: Sequence[float], unit: float) -> None:
        super().__init__(members)
        self.register_buffer("shares", torch.tensor(shares, dtype=torch.float32))
        self.unit = unit

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return the logarithm of the weighted sum of the odds."""
        conds = () if cond is None else (cond,)
        scores = torch.stack([member(x, *conds) for member in self.members], -1)
        return self.unit * (scores / self.unit + self.shares.log()).logsumexp(-1)
