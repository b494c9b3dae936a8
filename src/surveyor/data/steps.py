"""Graphs as sequences of actions, with what is known of the graph before each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from surveyor.data.graphs import FIRST, NEW, STOP, GraphSpace, Growth, taken


@dataclass(frozen=True, eq=False)
class Steps:
    """Graphs before each of several actions, and those actions.

    Of the graphs: ``kind``, ``used``, ``distance`` from the latest node and ``shape`` (n, steps,
    nodes), how many nodes ``count`` (n, steps), and what may follow, ``fitting`` and ``allowed``,
    as a ``Growth`` has it. Of the actions: the ``type`` of the node that ``arrives``, and the type
    ``bond`` of the ``edge`` to a ``target``, all (n, steps).
    """

    kind: Tensor
    used: Tensor
    distance: Tensor
    shape: Tensor
    count: Tensor
    fitting: Tensor
    allowed: Tensor
    action: Tensor
    type: Tensor
    arrives: Tensor
    edge: Tensor
    target: Tensor
    bond: Tensor

    @classmethod
    def of(
        cls, space: GraphSpace, known: tuple[Tensor, ...], action: Tensor, kind: Tensor
    ) -> Steps:
        """Return actions with what ``before`` knew of the graphs."""
        kinds, used, distance, shape, count, fitting, allowed = known
        arrives, edge, target, bond = taken(space, action)
        return cls(
            kinds,
            used,
            distance,
            shape,
            count,
            fitting,
            allowed,
            action,
            kind,
            arrives,
            edge,
            target,
            bond,
        )

    @classmethod
    def joined(cls, steps: Sequence[Steps]) -> Steps:
        """Return the steps one after the other."""
        every = zip(*(vars(step).values() for step in steps), strict=True)
        return cls(*(torch.cat(parts, dim=1) for parts in every))


def before(graphs: Growth) -> tuple[Tensor, ...]:
    """Return what is known of graphs before an action: the first seven fields of ``Steps``."""
    fitting = graphs.fitting()
    known = graphs.kind, graphs.used, graphs.distances, graphs.shapes, graphs.count
    return *known, fitting, graphs.allowed(fitting)


def replayed(space: GraphSpace, actions: Tensor, types: Tensor, triangles: bool = False) -> Steps:
    """Return the graphs that grow by actions and types of nodes (n, steps)."""
    graphs, found = Growth.begin(space, len(actions), actions.device, triangles), []
    last = int((actions != STOP).sum(1).max()) if len(actions) else 0
    for s in range(last + 1):
        found.append(before(graphs))
        if s < last:
            graphs = graphs.grow(actions[:, s], types[:, s])
    actions, types = actions[:, : last + 1], types[:, : last + 1]
    known = tuple(torch.stack(parts, 1) for parts in zip(*found, strict=True))
    return Steps.of(space, known, actions, types)


def grown(space: GraphSpace, x: Tensor, order: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the actions (n, steps) and types of arriving nodes (n, steps) that grow points.

    Both are 0 after the stop; a type is 0 where no node arrives. Nodes arrive in the ``order``
    (n, nodes) of their numbers, by default as they are; those that are not there come last.
    """
    kinds, bonds = space.types(x)
    if order is not None:
        kinds, rows = kinds.gather(1, order), torch.arange(len(x), device=x.device).view(-1, 1, 1)
        bonds = bonds[rows, order.unsqueeze(2), order.unsqueeze(1)]
    size, n = space.nodes, len(x)
    lower = (bonds >= 0).tril(-1)
    back = lower.flip(2)  # in this order, ``nonzero`` lists the latest neighbour first
    row, k, j = back.nonzero().unbind(1)
    j = size - 1 - j
    code = space.edge_types * j + bonds[row, k, j]
    first = torch.ones_like(row, dtype=torch.bool)
    first[1:] = (row[1:] != row[:-1]) | (k[1:] != k[:-1])
    action = FIRST + code + torch.where(first, 0, size * space.edge_types)
    # Every node has a step, an edge that closes a cycle another one.
    alone = (kinds >= 0) & ~lower.any(2)
    steps = (kinds >= 0).long() + (lower.sum(2) - 1).clamp_min(0)
    starts = steps.cumsum(1) - steps
    actions = torch.zeros(n, space.steps, dtype=torch.int64, device=x.device)
    types = torch.zeros_like(actions)
    within = torch.arange(len(row), device=x.device)
    within = within - torch.where(first, within, 0).cummax(0).values if len(row) else within
    actions[row, starts[row, k] + within] = action
    types[row[first], starts[row[first], k[first]]] = kinds[row[first], k[first]]
    row, k = alone.nonzero().unbind(1)
    actions[row, starts[row, k]] = NEW
    types[row, starts[row, k]] = kinds[row, k]
    return actions, types


def arrivals(space: GraphSpace, x: Tensor, u: Tensor) -> Tensor:
    """Return an order (n, nodes) of the nodes of points, by greatest cardinality.

    The next node is always one with the most neighbours among those before it (Tarjan and
    Yannakakis 1984); u (n, nodes) in [0, 1) decides among several, and where to begin. Nodes that
    are not there come last.
    """
    kinds, bonds = space.types(x)
    near, rows = (bonds >= 0).to(u), torch.arange(len(x), device=x.device)
    score, order = torch.where(kinds >= 0, u, u - 2), torch.empty_like(kinds)
    for k in range(space.nodes):
        order[:, k] = pick = score.argmax(1)
        score = score + near[rows, pick]
        score[rows, pick] = -torch.inf
    return order
