"""A critic of graphs that does not depend on the order of their nodes."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from surveyor.critics import Critic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.initial import start


@dataclass(frozen=True)
class Relational(Critic):
    """Message passing by type of edge, then a gated sum (Schlichtkrull et al. 2018; MolGAN 2018).

    h_i <- act(W h_i + sum_b W_b sum_j A_b,ij h_j), ``depth`` times with ``width`` units, and f is a
    net of sum_i sigmoid(g(h_i)) v(h_i) over the nodes there are. f is permutation invariant, and
    defined between graphs as well, where types are fractions.
    """

    width: int = 64
    depth: int = 3
    slope: float = 0.2

    def __post_init__(self) -> None:
        if min(self.width, self.depth) < 1:
            raise InputError("relational: width and depth: give at least 1 of each")

    def build(self, space: Space) -> nn.Module:
        """Return the critic."""
        if space.graph is None:
            raise InputError("relational: only for molecules and graphs; use mlp for other data")
        return RelationalCritic(self, space)


class RelationalCritic(nn.Module):
    """(x (n, width), cond) -> scores (n,)."""

    gain: Tensor

    def __init__(self, net: Relational, space: Space) -> None:
        super().__init__()
        assert space.graph is not None
        graph = self.graph = space.graph
        wide = net.width
        self.embed = nn.Linear(graph.node_types, wide)
        self.own = nn.ModuleList(nn.Linear(wide, wide) for _ in range(net.depth))
        self.near = nn.ModuleList(
            nn.Linear(wide, graph.edge_types * wide, bias=False) for _ in range(net.depth)
        )
        self.gate, self.value = (nn.Linear(wide + graph.node_types, wide) for _ in range(2))
        self.shift = nn.Linear(space.cond, wide, bias=False) if space.cond else None
        self.act = LeakyReLU(net.slope)
        self.head = nn.Sequential(nn.Linear(wide, wide), LeakyReLU(net.slope), nn.Linear(wide, 1))
        start([self.embed, *self.own, *self.near, self.value, self.head], net.slope)
        self.register_buffer("gain", torch.tensor(float(space.unit)))

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores."""
        nodes, edges = self.graph.split(x)
        n, size = nodes.shape[:2]
        # (n, nodes, types * nodes): one product adds up the neighbours over every type.
        beside = self.graph.adjacent(edges).movedim(3, 2).reshape(n, size, -1)
        there = nodes.sum(2, keepdim=True)
        h = self.act(self.embed(nodes))
        for own, near in zip(self.own, self.near, strict=True):
            # (n, types * nodes, width): what each node sends over each type of edge.
            sent = near(h).view(n, size, -1, h.shape[2]).transpose(1, 2).flatten(1, 2)
            h = self.act((own(h) + beside @ sent) * 2**-0.5)
        both = torch.cat([h, nodes], dim=2)
        total = (torch.sigmoid(self.gate(both)) * self.act(self.value(both)) * there).sum(1)
        if self.shift is not None and cond is not None:
            total = total + self.shift(cond)
        scores: Tensor = self.gain * self.head(total).flatten()
        return scores
