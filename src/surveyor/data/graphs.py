"""Graphs as points, and the order in which they are grown."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

STOP, NEW, FIRST = 0, 1, 2
FAR = 12  # distances from here on are one to a generator
SHARED = 5  # and so are numbers of shared neighbours
SHAPES = 32 * (SHARED + 1)


@dataclass(frozen=True)
class GraphSpace:
    """Graphs of at most ``nodes`` nodes, with types of nodes and of edges.

    A point is the type of each node, one-hot, then the type of the edge of each pair (k, j), j < k,
    one-hot: (nodes * node_types + pairs * edge_types,). Zeros stand for no node and no edge.

    A graph is grown. Each node arrives alone, the first of at most ``parts`` parts, or with an edge
    to an earlier one, and then closes cycles with edges to ever earlier ones, ``cycles`` at most in
    all. So its first edge leads to the latest of its earlier neighbours, and every order of the
    nodes in which each but the first of a part has an earlier neighbour is grown in one way only.

    An edge of type b takes ``order[b]`` of the ``capacity`` of both its nodes. The charges of all
    nodes add up to a number within ``charges``, both ends included.
    """

    nodes: int
    node_types: int
    edge_types: int
    capacity: tuple[int, ...]
    order: tuple[int, ...]
    charge: tuple[int, ...]
    cycles: int
    parts: int = 1
    charges: tuple[int, int] = (0, 0)

    @property
    def pairs(self) -> int:
        """Return the number of pairs of nodes."""
        return self.nodes * (self.nodes - 1) // 2

    @property
    def width(self) -> int:
        """Return the number of entries of a point."""
        return self.nodes * self.node_types + self.pairs * self.edge_types

    @property
    def steps(self) -> int:
        """Return the most steps in which a graph is grown, the stop included."""
        return self.nodes + self.cycles + 1

    @property
    def actions(self) -> int:
        """Return the number of actions: stop, a new part, and an edge of each type to each node.

        Edges come with a new node (attach), then from the latest one (close).
        """
        return FIRST + 2 * self.nodes * self.edge_types

    @cached_property
    def most_uncharged(self) -> int:
        """Return the greatest capacity of a type without charge."""
        types = zip(self.capacity, self.charge, strict=True)
        return max((capacity for capacity, charge in types if charge == 0), default=0)

    @cached_property
    def places(self) -> np.ndarray:
        """Return the pair of two nodes, (nodes, nodes); 0 on the diagonal."""
        found = np.zeros((self.nodes, self.nodes), dtype=np.int64)
        k, j = np.tril_indices(self.nodes, -1)
        found[k, j] = found[j, k] = np.arange(self.pairs)
        return found

    def points(self, nodes: np.ndarray, edges: np.ndarray) -> Tensor:
        """Return graphs as points (n, width).

        ``nodes`` (n, nodes) are types, -1 for none; ``edges`` (n, most) are
        edge_types * pair + type, -1 for none.
        """
        made = torch.zeros(len(nodes), self.width + 1)  # what is not there falls into the last
        first = self.nodes * self.node_types
        at = np.arange(self.nodes) * self.node_types + nodes
        made.scatter_(1, torch.from_numpy(np.where(nodes < 0, self.width, at).astype(np.int64)), 1)
        at = first + edges.astype(np.int64)
        made.scatter_(1, torch.from_numpy(np.where(edges < 0, self.width, at)), 1)
        return made[:, : self.width].contiguous()

    def split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return nodes (n, nodes, node_types) and edges (n, pairs, edge_types) of points."""
        first = self.nodes * self.node_types
        nodes = x[:, :first].view(-1, self.nodes, self.node_types)
        return nodes, x[:, first:].view(-1, self.pairs, self.edge_types)

    def straight_through(self, raw: Tensor) -> Tensor:
        """Return each node and edge as the most likely one or none, with a softmax's gradient.

        ``raw`` are logits like points, over those of none, which are 0 (Bengio et al. 2013).
        """
        parts = []
        for logits in self.split(raw):
            odds = functional.pad(logits, (0, 1)).softmax(-1)
            hot = functional.one_hot(odds.argmax(-1), odds.shape[-1]).to(odds)
            parts.append((hot + odds - odds.detach())[..., :-1].flatten(1))
        return torch.cat(parts, dim=1)

    def adjacent(self, edges: Tensor) -> Tensor:
        """Return edges (n, pairs, ...) as matrices (n, nodes, nodes, ...), symmetric."""
        places = torch.from_numpy(self.places).to(edges.device)
        off = 1 - torch.eye(self.nodes, device=edges.device, dtype=edges.dtype)
        square = edges[:, places.flatten()].view(len(edges), *places.shape, *edges.shape[2:])
        return square * off.view(1, *places.shape, *[1] * (edges.ndim - 2))

    def types(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return types (n, nodes) and (n, nodes, nodes) of points; -1 for no node and no edge."""
        nodes, edges = self.split(x.detach())
        kinds, bonds = (torch.where(t.sum(-1) > 0.5, t.argmax(-1), -1) for t in (nodes, edges))
        return kinds, self.adjacent(bonds.unsqueeze(-1) + 1).squeeze(-1) - 1


def taken(space: GraphSpace, action: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return of actions (...) whether a node arrives, an edge does, to which node, and its type."""
    code = (action - FIRST).clamp_min(0)
    attach = space.nodes * space.edge_types
    edge, close = action >= FIRST, code >= attach
    code = code - attach * close
    arrives = (action == NEW) | (edge & ~close)
    target = torch.div(code, space.edge_types, rounding_mode="floor")
    return arrives, edge, target, code % space.edge_types


@dataclass(frozen=True, eq=False)
class Growth:
    """Graphs that grow, n at once, all of it whole numbers.

    ``kind`` (n, nodes) are types, ``node_types`` where there is no node yet; ``used`` (n, nodes) is
    taken of each node's capacity; ``apart`` (n, nodes, nodes) are distances, at most ``FAR``.
    ``count``, ``cycles``, ``parts`` and ``charge`` (n,) are totals, and ``bound`` (n,) the node to
    which the latest node's last edge leads. ``common`` (n, nodes, nodes) are numbers of shared
    neighbours; None where they are not counted.
    """

    space: GraphSpace
    kind: Tensor
    used: Tensor
    apart: Tensor
    count: Tensor
    cycles: Tensor
    parts: Tensor
    charge: Tensor
    bound: Tensor
    tables: dict[str, Tensor] = field(repr=False)
    common: Tensor | None = None

    @classmethod
    def begin(
        cls, space: GraphSpace, n: int, device: torch.device, triangles: bool = False
    ) -> Growth:
        """Return ``n`` empty graphs."""
        size = space.nodes
        a, b, c, d, e = (torch.zeros(n, dtype=torch.int64, device=device) for _ in range(5))
        tables = {
            "capacity": torch.tensor([*space.capacity, 0], device=device),
            "order": torch.tensor(space.order, device=device),
            "charge": torch.tensor(space.charge, device=device),
            "nodes": torch.arange(size, device=device),
            "rows": torch.arange(n, device=device),
        }
        return cls(
            space,
            torch.full((n, size), space.node_types, device=device),
            torch.zeros(n, size, dtype=torch.int64, device=device),
            torch.full((n, size, size), FAR, dtype=torch.int8, device=device),
            a, b, c, d, e,
            tables,
            torch.zeros(n, size, size, dtype=torch.int16, device=device) if triangles else None,
        )  # fmt: skip

    @property
    def last(self) -> Tensor:
        """Return the latest node, (n,); 0 where there is none."""
        return (self.count - 1).clamp_min(0)

    @property
    def distances(self) -> Tensor:
        """Return the distance of each node from the latest one, (n, nodes)."""
        return self.apart[self.tables["rows"], self.last].long()

    @property
    def shapes(self) -> Tensor:
        """Return what triangles each node has or would close, (n, nodes), below ``SHAPES``.

        It numbers how many neighbours the node shares with the latest one; over how many paths of
        two edges it is reached from there, each in less than two triangles; whether another such
        edge leads to it from a node that is, and came before it; and its degree less its triangles.
        In a triangulated surface edges inside lie in two triangles, and the difference is 0 inside
        and 1 on the border.
        """
        if self.common is None:
            return self.used.new_zeros(1).expand_as(self.used)
        near, rows = self.apart == 1, self.tables["rows"]
        last = self.common[rows, self.last].long().clamp_max(SHARED)
        single = (near & (self.common < 2)).float()
        through = (single[rows, self.last].unsqueeze(1) @ single).squeeze(1)
        onward = ((through > 0).float().unsqueeze(1) @ single.triu(1)).squeeze(1) > 0
        closed = (near * self.common).sum(2, dtype=torch.int64) // 2
        border = (near.sum(2) - closed).clamp(-1, 2) + 1
        return ((last * 4 + through.long().clamp_max(3)) * 2 + onward.long()) * 4 + border

    def _settled(self, charge: Tensor, free: Tensor, slots: Tensor) -> Tensor:
        """Return whether the total charge can still be brought within bounds.

        Each unit in excess takes one node and one free place; where places lack, uncharged nodes
        bring more.
        """
        low, high = self.space.charges
        excess = (charge - high).clamp_min(0) + (low - charge).clamp_min(0)
        most = self.space.most_uncharged
        lacking = (excess - free).clamp_min(0)
        more = torch.div(lacking + max(most - 3, 0), max(most - 2, 1), rounding_mode="floor")
        return (excess == 0) | ((free > 0) & (slots >= excess + more))

    def fitting(self) -> Tensor:
        """Return which types a node may have that arrives by each type of edge, or alone (last).

        (n, edge_types + 1, node_types).
        """
        t, space = self.tables, self.space
        order = torch.cat([t["order"], t["order"].new_zeros(1)]).view(1, -1, 1)
        capacity = t["capacity"][:-1].view(1, 1, -1)
        free = self._free().sum(1).view(-1, 1, 1) + capacity - 2 * order
        charge = self.charge.view(-1, 1, 1) + t["charge"].view(1, 1, -1)
        slots = (space.nodes - self.count - 1).view(-1, 1, 1)
        return (capacity >= order) & (slots >= 0) & self._settled(charge, free, slots)

    def _free(self) -> Tensor:
        return self.tables["capacity"][self.kind] - self.used

    def allowed(self, fitting: Tensor) -> Tensor:
        """Return which actions are possible, (n, actions), given what ``fitting`` returns."""
        space, order = self.space, self.tables["order"]
        n, at = len(self.count), self.tables["nodes"]
        free = self._free()
        some = fitting.any(2)
        known = at < self.count.unsqueeze(1)
        room = (free.unsqueeze(2) >= order) & known.unsqueeze(2)
        attach = room & some[:, :-1].unsqueeze(1)
        # The latest node closes cycles with ever earlier ones.
        left = free[self.tables["rows"], self.last].view(-1, 1, 1)
        earlier = (at < self.bound.unsqueeze(1)) & (self.cycles < space.cycles).unsqueeze(1)
        total, slots = free.sum(1).view(-1, 1), (space.nodes - self.count).view(-1, 1)
        settled = self._settled(self.charge.view(-1, 1), total - 2 * order, slots)
        close = room & earlier.unsqueeze(2) & (left >= order) & settled.unsqueeze(1)
        low, high = space.charges
        stop = (self.count > 0) & (self.charge >= low) & (self.charge <= high)
        new = some[:, -1] & (self.parts < space.parts)
        parts = stop.view(n, 1), new.view(n, 1), attach.flatten(1), close.flatten(1)
        found = torch.cat(parts, dim=1)
        found[:, STOP] |= ~found.any(1)
        return found

    def grow(self, action: Tensor, kind: Tensor) -> Growth:
        """Return the graphs after actions (n,); nodes that arrive are of type ``kind`` (n,)."""
        t, rows = self.tables, self.tables["rows"]
        arrives, edge, target, bond = taken(self.space, action)
        count = self.count + arrives
        at = (count - 1).clamp_min(0)
        kinds = self.kind.clone()
        kinds[rows, at] = torch.where(arrives, kind, kinds[rows, at])
        takes = t["order"][bond] * edge
        used = self.used.clone()
        used[rows, at] += takes
        used[rows, target] += takes
        apart = self.apart.clone()
        near = torch.where((arrives & edge).unsqueeze(1), apart[rows, target] + 1, FAR)
        near = torch.where(arrives.unsqueeze(1), near.clamp_max(FAR), apart[rows, at])
        apart[rows, at] = near
        apart[rows, :, at] = near
        apart[rows, at, at] = 0
        common = self.common
        if common is not None:
            common = common.clone()
            for one, other in ((at, target), (target, at)):
                row = common[rows, one] + ((self.apart[rows, other] == 1) & edge.unsqueeze(1))
                common[rows, one] = row
                common[rows, :, one] = row
        closed = (edge & ~arrives).nonzero().squeeze(1)
        if len(closed):
            k, j, own = at[closed], target[closed], apart[closed]
            index = torch.arange(len(closed), device=own.device)
            through = own[index, :, k].unsqueeze(2) + 1 + own[index, j].unsqueeze(1)
            apart[closed] = torch.minimum(own, torch.minimum(through, through.transpose(1, 2)))
        return Growth(
            self.space, kinds, used, apart, count,
            self.cycles + (edge & ~arrives),
            self.parts + (action == NEW),
            self.charge + torch.where(arrives, t["charge"][kind], 0),
            torch.where(edge, target, torch.where(arrives, 0, self.bound)),
            t,
            common,
        )  # fmt: skip
