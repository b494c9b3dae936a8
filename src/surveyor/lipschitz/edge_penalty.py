"""The discrete gradient penalty: the critic's steps along the edges of a network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from surveyor.batch import Batch, Draws, mean
from surveyor.data import NodeSpace, Space
from surveyor.errors import InputError
from surveyor.lipschitz import TermPenalty


@dataclass(frozen=True)
class EdgePenalty(TermPenalty):
    """weight * E max(0, |f(u, rest) - f(v, rest)| / w_uv - 1)^2 over the edges of a network.

    One column of the data holds nodes. An edge (u, v) of length w_uv is drawn uniformly for every
    row; ``rest`` are its other entries, between a real and a generated row. A function with steps
    of at most w_uv along all edges has slope 1 under shortest paths (Beckmann 1952; claim 22), so
    no other pair of nodes need be looked at. Like every penalty it proves no bound.
    """

    weight: float = 10.0
    nodes: NodeSpace | None = field(default=None, init=False, repr=False, compare=False)
    copies: dict[torch.device, tuple[Tensor, Tensor]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    per_sample: ClassVar[bool] = True
    lags: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf"):
            raise InputError(f"edge-penalty: weight {self.weight}: give a number from 0")

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Ask for the column of nodes."""
        if chosen["node"] is None:
            yield (
                "--constraint=edge-penalty: which nodes? name their column with --node, and the "
                "file of the edges with --graph"
            )

    def within(self, space: Space) -> EdgePenalty:
        """Return the penalty on the edges of a space of points."""
        own = replace(self)
        object.__setattr__(own, "nodes", space.nodes)
        return own

    def penalty(self, critic: nn.Module, real: Batch, fake: Batch, draws: Draws) -> Tensor:
        """Return the penalty, summed over a committee's members; 0 without edges."""
        if self.nodes is None:
            return real.x.new_zeros(())
        edges, lengths = self._on(real.x.device)
        n, block = len(real), slice(self.nodes.start, self.nodes.start + self.nodes.size)
        x = torch.lerp(fake.x, real.x, draws.uniform(n, 1).to(real.x))
        drawn = draws.index(n, len(edges)).to(x.device)
        ends = []
        for end in edges[drawn].T:
            at = x.clone()
            hot = torch.nn.functional.one_hot(end, self.nodes.size)
            at[:, block] = hot.to(x.dtype) / 2**0.5
            ends.append(at)
        cond = None if real.cond is None else torch.cat([real.cond, real.cond])
        first, second = critic(torch.cat(ends), cond).view(-1, 2, n).unbind(1)
        over = ((first - second).float().abs() / lengths[drawn] - 1).clamp(min=0).square()
        return self.weight * torch.stack([mean(one, real.weight) for one in over]).sum()

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        """Return edges and lengths on ``device``, copied there once."""
        assert self.nodes is not None
        if device not in self.copies:
            edges = torch.from_numpy(self.nodes.edges).to(device)
            self.copies[device] = edges, torch.from_numpy(self.nodes.lengths).float().to(device)
        return self.copies[device]
