"""How far two distributions on the nodes of a network are apart, and whether that is chance."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra

from surveyor.errors import InputError
from surveyor.networks import Network
from surveyor.networks.masses import Masses
from surveyor.transport import GraphTransport, adjacency, graph_bracket, graph_transport

FLOORS, SMALL = 10, 20_000  # draws of the floor, and edges up to which there are so many
FEW = 2  # draws beyond
TREES, ROUNDS = 4, 999  # of the permutation test
AT_ONCE = 2**24  # numbers of permutations in memory
LEVEL = 0.05
Watch = Callable[[float, float], None]
BUSY = 8  # edges


@dataclass(frozen=True, eq=False)
class NetworkDistance:
    """W1 between two distributions on a network.

    If ``bracketed``, W1 is known to lie between ``moved.low`` and ``moved.high`` only, and there is
    no floor. ``floor`` is the mean of W1 between samples of both sizes from the first
    distribution, and ``p_value`` that of a permutation test; both are None where
    weights are no counts.
    """

    network: Network
    masses: tuple[Masses, Masses]
    moved: GraphTransport
    floor: float | None
    p_value: float | None
    bracketed: bool = False

    @property
    def w1(self) -> float:
        """Return W1 in the unit of the lengths; an upper bound if ``bracketed``."""
        return self.moved.high

    @property
    def width(self) -> float:
        """Return how far both bounds are apart, as a share of the upper one."""
        return (self.moved.high - self.moved.low) / max(self.moved.high, 1e-300)

    @property
    def verdict(self) -> str:
        """Return in a sentence whether the two differ."""
        if self.p_value is None:
            return "The weights are no counts, so that chance cannot be told from a difference."
        rows = " and ".join(f"{m.total:,}" for m in self.masses)
        seen = "The two differ" if self.p_value <= LEVEL else "No difference seen"
        return f"{seen}, with {rows} observations."

    @property
    def busiest(self) -> list[tuple[str, str, float]]:
        """Return the edges that most of the mass moves along: from, to, and the share of it."""
        flow = self.moved.flow
        order = np.argsort(-np.abs(flow) * self.network.lengths, kind="stable")[:BUSY]
        made = []
        for k in order[np.abs(flow[order]) > 0]:
            one, other = (self.network.names[v] for v in self.network.edges[k])
            ends = (one, other) if flow[k] > 0 else (other, one)
            made.append((*ends, float(abs(flow[k]))))
        return made

    def numbers(self) -> dict[str, Any]:
        """Return all numbers for JSON."""
        return {
            "w1": None if self.bracketed else self.w1,
            "low": self.moved.low,
            "high": self.moved.high,
            "floor": self.floor,
            "p_value": self.p_value,
            "nodes": len(self.network.names),
            "edges": len(self.network.edges),
            "observations": [m.total if m.counts else None for m in self.masses],
            "busiest": [{"from": a, "to": b, "share": share} for a, b, share in self.busiest],
            "notes": list(self.network.notes),
        }


def network_distance(
    network: Network,
    a: Masses,
    b: Masses,
    seed: int = 0,
    bracket: float | None = None,
    watch: Watch | None = None,
) -> NetworkDistance:
    """Return W1 between two distributions on the nodes of a network, its floor and a test.

    With ``bracket``, a bracket of W1 whose width is at most that share of its upper end, if it can
    be reached, and no floor; ``watch`` is called with both ends as they narrow.

    Raises:
        InputError: parts of the network that are not connected hold different shares of the two.
    """
    _refuse_unreachable(network, a, b)
    rng, counts = np.random.default_rng(seed), a.counts and b.counts
    problem = network.edges, network.lengths, a.shares, b.shares
    if bracket is not None:
        moved = graph_bracket(*problem, bracket, watch)
        p_value = _chance(network, a, b, rng) if counts else None
        return NetworkDistance(network, (a, b), moved, None, p_value, bracketed=True)
    moved = graph_transport(*problem)
    if not counts:
        return NetworkDistance(network, (a, b), moved, None, None)
    return NetworkDistance(
        network, (a, b), moved, _floor(network, a, b, rng), _chance(network, a, b, rng)
    )


def _refuse_unreachable(network: Network, a: Masses, b: Masses) -> None:
    held = [np.bincount(network.parts, m.shares) for m in (a, b)]
    apart = np.flatnonzero(np.abs(held[0] - held[1]) > 1e-9)
    if not len(apart):
        return
    k = apart[-1]  # parts are in the order of their sizes
    some = [network.names[v] for v in np.flatnonzero(network.parts == k)[:3]]
    raise InputError(
        f"the network has {len(held[0]):,} parts that are not connected, and mass would have to "
        f"move between them: that of {', '.join(some)} holds {held[0][k]:.2%} of the first and "
        f"{held[1][k]:.2%} of the second, so that W1 is infinite; add the edges that join them, "
        "or measure each part by itself"
    )


def _floor(network: Network, a: Masses, b: Masses, rng: np.random.Generator) -> float:
    """Return the mean W1 between samples of both sizes from the first distribution.

    Within each connected part both samples have as many observations as their own.
    """
    found = []
    for _ in range(FLOORS if len(network.edges) <= SMALL else FEW):
        made = []
        for own in (a, b):
            counts = np.zeros(len(network.names))
            for k in np.unique(network.parts[own.weights > 0]):
                inside = network.parts == k
                share = np.where(inside, a.weights, 0)
                if not share.sum():
                    share = np.where(inside, own.weights, 0)
                counts += rng.multinomial(int(own.weights[inside].sum()), share / share.sum())
            made.append(counts / counts.sum())
        found.append(graph_transport(network.edges, network.lengths, *made).high)
    return float(np.mean(found))


def _chance(network: Network, a: Masses, b: Masses, rng: np.random.Generator) -> float:
    """Return the p-value that observations of both are exchangeable, by permutations.

    The statistic is W1 along shortest-path trees (Evans and Matsen 2012), averaged over a few: it
    bounds W1 on the network, and a closed form makes it cheap. The test is exact for any statistic.
    """
    trees = [_Tree.of(network, root) for root in rng.integers(len(network.names), size=TREES)]
    pooled = (a.weights + b.weights).astype(np.int64)
    held = np.flatnonzero(pooled)
    seen = sum(tree.w1((a.shares - b.shares)[None])[0] for tree in trees)
    above, done, most = 0, 0, max(1, AT_ONCE // len(network.names))
    while done < ROUNDS:
        n = min(most, ROUNDS - done)
        difference = np.zeros((n, len(network.names)))
        drawn = rng.multivariate_hypergeometric(pooled[held], a.total, n, method="marginals")
        difference[:, held] = drawn / a.total - (pooled[held] - drawn) / b.total
        own = sum(tree.w1(difference) for tree in trees)
        above, done = above + int((own >= seen * (1 - 1e-12)).sum()), done + n
    return (1 + above) / (1 + ROUNDS)


@dataclass(frozen=True, eq=False)
class _Tree:
    """Shortest paths from a root: nodes in the order of a walk from parents to children.

    The subtree of the k-th node is the nodes from k to ``ends[k]``; ``above`` is the length of the
    edge to its parent, 0 for roots.
    """

    order: np.ndarray
    ends: np.ndarray
    above: np.ndarray

    @classmethod
    def of(cls, network: Network, root: int) -> _Tree:
        n = len(network.names)
        graph = adjacency(network.edges, network.lengths, n)
        parent, above = np.full(n, -1), np.zeros(n)
        for part in np.unique(network.parts):
            inside = np.flatnonzero(network.parts == part)
            start = root if network.parts[root] == part else int(inside[0])
            far, before = dijkstra(graph, directed=False, indices=start, return_predecessors=True)
            found = inside[before[inside] >= 0]
            parent[found], above[found] = before[found], far[found] - far[before[found]]
        return cls._walked(parent, above)

    @classmethod
    def _walked(cls, parent: np.ndarray, above: np.ndarray) -> _Tree:
        n = len(parent)
        children: list[list[int]] = [[] for _ in range(n)]
        for node in np.flatnonzero(parent >= 0):
            children[parent[node]].append(int(node))
        order: list[int] = []
        stack = [int(v) for v in np.flatnonzero(parent < 0)]
        while stack:
            last = stack.pop()
            order.append(last)
            stack += children[last]
        sizes = np.ones(n, dtype=np.int64)
        for last in reversed(order):
            if parent[last] >= 0:
                sizes[parent[last]] += sizes[last]
        walked = np.array(order)
        return cls(walked, np.arange(n) + sizes[walked], above[walked])

    def w1(self, difference: np.ndarray) -> np.ndarray:
        """Return sum_e w_e |mu(T_e) - nu(T_e)| for differences (k, nodes), (k,)."""
        sums = np.zeros((len(difference), len(self.order) + 1))
        np.cumsum(difference[:, self.order], axis=1, out=sums[:, 1:])
        below = sums[:, self.ends] - sums[:, :-1]
        return np.asarray(np.abs(below) @ self.above)
