"""A certified bracket of W1 on graphs that are too large for exact transport."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from surveyor.transport.checks import Array
from surveyor.transport.flow import GraphTransport, simplex, slope_one
from surveyor.transport.graph import adjacency, checked, shortest_edges

CELL = 10_000  # nodes that are solved together
SWEEPS = 30  # at most

Watch = Callable[[float, float], None]


def graph_bracket(
    edges: ArrayLike,
    lengths: ArrayLike,
    mu: ArrayLike,
    nu: ArrayLike,
    width: float = 0.02,
    watch: Watch | None = None,
) -> GraphTransport:
    """Return a flow and a potential that bracket W1: (high - low) / high <= ``width`` if reached.

    The nodes are divided into cells around random centres. A flow between cells and a potential of
    their centres come first. Then each cell is solved exactly, once with the flow over its border
    as it is, which lowers the cost, and once with the potential around it as it is, which raises
    the bound; every sweep divides the nodes anew (domain decomposition, Bonafini and Schmitzer
    2021). Both ends are certified whenever it stops: the flow is feasible, and the potential is
    brought to slope 1. ``watch`` is called with both after every sweep.

    Shapes: edges (m, 2) of node numbers, lengths (m,) above 0, mu and nu (nodes,).

    Raises:
        InputError: as ``wasserstein_1_graph``.
        SurveyorError: the network simplex fails.
    """
    e, w, p, q = checked(edges, lengths, mu, nu)
    kept, flow = shortest_edges(e, w), np.zeros(len(e))
    surplus = p - q
    total = float(np.maximum(surplus, 0).sum())
    if total == 0:
        return GraphTransport(0.0, 0.0, flow, np.zeros(len(p)))
    own = _Bracket(adjacency(e, w, len(p)).tocoo(), surplus / total)
    for _ in range(SWEEPS):
        own.sweep()
        low, high = own.ends()
        if watch is not None:
            watch(total * low, total * high)
        if high - low <= width * high:
            break
    flow[kept] = total * own.flow
    flow = np.where(e[:, 0] < e[:, 1], flow, -flow)
    low, high = own.ends()
    return GraphTransport(total * low, total * high, flow, own.potential)


class _Bracket:
    """A feasible flow and a potential of slope 1, which sweeps improve."""

    def __init__(self, graph: sparse.coo_matrix, surplus: Array) -> None:
        self.graph, self.surplus, self.n = graph, surplus, len(surplus)
        self.tail, self.head = (a.astype(np.int64) for a in (graph.row, graph.col))
        self.length = graph.data
        self.rng = np.random.default_rng(0)
        parts = connected_components(graph, directed=False)[1]
        self.firsts = np.unique(parts, return_index=True)[1]  # a centre in every part
        self.flow, self.potential = np.zeros(len(self.tail)), np.zeros(self.n)
        self._start()

    def ends(self) -> tuple[float, float]:
        """Return the bound of the potential, and the cost of the flow."""
        return float(self.potential @ self.surplus), float(self.length @ np.abs(self.flow))

    def sweep(self) -> None:
        """Solve every cell of a new division, for the flow and for the potential."""
        _, cell, _ = self._divided()
        self._solve(cell)

    def _divided(self) -> tuple[Array, Array, Array]:
        """Return random centres, the cell of each node, and how far it is from the centre."""
        some = self.rng.choice(self.n, -(-self.n // CELL), replace=False)
        centres = np.union1d(self.firsts, some)
        far, _, source = dijkstra(
            self.graph.tocsr(), directed=False, indices=centres, min_only=True,
            return_predecessors=True,
        )  # fmt: skip
        return centres, np.searchsorted(centres, source), far

    def _start(self) -> None:
        """Send what each cell has too much of to others, over one edge of each border."""
        centres, cell, far = self._divided()
        ends = np.stack([cell[self.tail], cell[self.head]])
        cut = np.flatnonzero(ends[0] != ends[1])
        if len(cut):
            count = len(centres)
            ways = far[self.tail[cut]] + self.length[cut] + far[self.head[cut]]
            best = shortest_edges(ends[:, cut].T, ways)
            (one, other), least = ends[:, cut[best]], ways[best]
            gathered = np.bincount(cell, self.surplus, minlength=count)
            both = np.r_[one, other], np.r_[other, one]
            moved, rise = simplex(*both, np.tile(least, 2), gathered)
            self.flow[cut[best]] = moved[: len(best)] - moved[len(best) :]
            known = np.full(self.n, np.inf)
            known[centres] = rise
            self.potential = slope_one(self.graph, known)
        self._solve(cell)

    def _solve(self, cell: Array) -> None:
        """Solve cells exactly: the flow within, and the potential given that around them."""
        count = int(cell.max()) + 1
        ends = np.stack([cell[self.tail], cell[self.head]])
        inner = ends[0] == ends[1]
        cut = np.flatnonzero(~inner)
        here = np.r_[self.tail[cut], self.head[cut]]
        there = np.r_[self.head[cut], self.tail[cut]]
        over, length = np.r_[self.flow[cut], -self.flow[cut]], np.tile(self.length[cut], 2)
        left = self.surplus - np.bincount(here, over, minlength=self.n)
        nodes = _groups(cell, count)
        lines = _groups(np.where(inner, ends[0], count), count + 1)
        borders = _groups(cell[here], count)
        number = np.empty(self.n, dtype=np.int64)
        for own, edges, border in zip(nodes, lines[:-1], borders, strict=True):
            number[own] = np.arange(len(own))
            one, other = number[self.tail[edges]], number[self.head[edges]]
            f, w = self.potential[own], self.length[edges]
            fall = f[one] - f[other]
            arcs = np.stack([np.r_[one, other], np.r_[other, one]])
            costs = np.r_[w - fall, w + fall]
            moved, _ = simplex(arcs[0], arcs[1], costs, left[own])
            self.flow[edges] = moved[: len(edges)] - moved[len(edges) :]
            outside = here[border], self.potential[there[border]], length[border]
            self.potential[own] += self._risen(arcs, costs, own, number, *outside)
        self.potential = slope_one(self.graph, self.potential)

    def _risen(
        self,
        arcs: Array,
        costs: Array,
        own: Array,
        number: Array,
        u: Array,
        beyond: Array,
        w: Array,
    ) -> Array:
        """Return by how much the potential of a cell rises, that around it being held.

        All nodes around are one node more, of potential 0: mass that leaves by an edge to o pays
        its length and the potential of o.
        """
        drop = self.potential[u] - beyond
        at, out = _least(number[u], w - drop, len(own))
        _, into = _least(number[u], w + drop, len(own))
        around = np.full(len(at), len(own))
        tails, heads = np.r_[arcs[0], at, around], np.r_[arcs[1], around, at]
        gathered = np.r_[self.surplus[own], -self.surplus[own].sum()]
        rise = simplex(tails, heads, np.r_[costs, out, into], gathered)[1]
        return np.asarray(rise[:-1] - rise[-1])


def _groups(label: Array, count: int) -> list[Array]:
    """Return the places of each label below ``count``."""
    order = np.argsort(label, kind="stable")
    return np.split(order, np.searchsorted(label[order], np.arange(1, count)))


def _least(place: Array, value: Array, n: int) -> tuple[Array, Array]:
    """Return the places that occur, and the least value of each."""
    least = np.full(n, np.inf)
    np.minimum.at(least, place, value)
    found = np.flatnonzero(np.isfinite(least))
    return found, least[found]
