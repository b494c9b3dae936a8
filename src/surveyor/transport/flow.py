"""Exact W1 on large graphs, as a flow along edges and a potential that prove each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import ot
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.csgraph import connected_components, dijkstra

from surveyor.errors import SurveyorError
from surveyor.transport.checks import Array
from surveyor.transport.graph import adjacency, checked, shortest_edges

FEW, NODES_A_CELL = 2_000, 2  # nodes of a graph that is solved as it is; of a coarser graph's cell
LARGEST = 0.8  # share of nodes that may be centres


@dataclass(frozen=True)
class GraphTransport:
    """How mass moves along the edges of a graph, and a proof of what it must cost.

    ``flow`` (m,) is the mass that moves along each edge, from its first node to its second where it
    is positive; ``high`` is its cost, sum w_e |flow_e|. ``potential`` (nodes,) differs by at most
    the length along every edge; ``low`` is its mean under mu less its mean under nu. By
    Kantorovich-Rubinstein duality low <= W1 <= high; at an optimum they are equal but for rounding.
    """

    low: float
    high: float
    flow: Array
    potential: Array


def graph_transport(
    edges: ArrayLike, lengths: ArrayLike, mu: ArrayLike, nu: ArrayLike
) -> GraphTransport:
    """Return optimal transport between two distributions on the nodes of an undirected graph.

    Every node is split into a source and a sink with a buffer that may pass from one to the other
    (Orlin 1988), which makes the flow along edges a sparse transport problem, solved by network
    simplex from the potential of a coarser graph. The potential is then brought to slope 1 on every
    edge by one search for shortest paths, f(v) = min_u f(u) + d(u, v), so that its bound holds
    exactly.

    Shapes: edges (m, 2) of node numbers, lengths (m,) above 0, mu and nu (nodes,).

    Raises:
        InputError: as ``wasserstein_1_graph``.
        SurveyorError: the network simplex fails.
    """
    e, w, p, q = checked(edges, lengths, mu, nu)
    n, flow = len(p), np.zeros(len(e))
    surplus = p - q
    total = float(np.maximum(surplus, 0).sum())
    if total == 0:
        return GraphTransport(0.0, 0.0, flow, np.zeros(n))
    used, potential = _solved(adjacency(e, w, n).tocoo(), surplus / total)
    flow[shortest_edges(e, w)] = total * used
    flow = np.where(e[:, 0] < e[:, 1], flow, -flow)
    low = float(potential @ surplus)
    return GraphTransport(low, float(w @ np.abs(flow)), flow, potential)


def _solved(graph: sparse.coo_matrix, surplus: Array) -> tuple[Array, Array]:
    """Return the optimal flow along each edge of a graph and a potential that proves it.

    The simplex is given the reduced costs w - (f(u) - f(v)) of a potential f of slope 1, under
    which the same flows are optimal: the nearer f is to the best, the fewer steps are left.
    """
    tail, head, length = graph.row, graph.col, graph.data
    guess = _guessed(graph, surplus)
    fall = guess[tail] - guess[head]
    ends = np.r_[tail, head], np.r_[head, tail]
    moved, rise = simplex(*ends, np.r_[length - fall, length + fall], surplus)
    return moved[: len(tail)] - moved[len(tail) :], slope_one(graph, guess + rise)


def simplex(tail: Array, head: Array, cost: Array, surplus: Array) -> tuple[Array, Array]:
    """Return the flow on each arc that sends all surplus at the least cost, and its potential."""
    n = len(surplus)
    total = float(np.maximum(surplus, 0).sum())
    if total <= 1e-15:
        return np.zeros(len(tail)), np.zeros(n)
    p, q = np.maximum(surplus, 0) / total + 1, np.maximum(-surplus, 0) / total + 1
    nodes = np.arange(n)
    costs = np.maximum(np.r_[cost, np.zeros(n)], 0)
    matrix = sparse.coo_matrix((costs, (np.r_[tail, nodes], np.r_[head, nodes])), shape=(n, n))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are raised below, in our words
        plan, log = ot.emd(
            p, q * (p.sum() / q.sum()), matrix, numItermax=2**31 - 1, log=True, center_dual=False
        )
    if log["warning"] is not None:
        raise SurveyorError(f"transport on the graph failed: {log['warning']}")
    return total * np.asarray(plan.tocsr()[tail, head]).ravel(), log["u"]


def _guessed(graph: sparse.coo_matrix, surplus: Array) -> Array:
    """Return a potential of slope 1, from transport between the cells of a few centres.

    A cell is the nodes nearest to a centre, and two are as far apart as the shortest way from
    centre to centre over an edge between them. 0 for a graph of few nodes.
    """
    n = len(surplus)
    if n <= FEW:
        return np.zeros(n)
    parts = connected_components(graph, directed=False)[1]
    first = np.unique(parts, return_index=True)[1]  # a centre in every part
    drawn = np.random.default_rng(0).choice(n, n // NODES_A_CELL, replace=False)
    centres = np.unique(np.r_[first, drawn])
    if len(centres) > LARGEST * n:  # so many parts that nothing becomes coarser
        return np.zeros(n)
    far, _, source = dijkstra(
        graph.tocsr(), directed=False, indices=centres, min_only=True, return_predecessors=True
    )
    cell = np.searchsorted(centres, source)
    ends = np.c_[cell[graph.row], cell[graph.col]]
    ways = far[graph.row] + graph.data + far[graph.col]
    across = ends[:, 0] != ends[:, 1]
    coarse = adjacency(ends[across], ways[across], len(centres)).tocoo()
    gathered = np.bincount(cell, surplus, minlength=len(centres))
    known = np.full(n, np.inf)
    known[centres] = _solved(coarse, gathered)[1]
    return slope_one(graph, known)


def slope_one(graph: sparse.spmatrix, potential: Array) -> Array:
    """Return the largest function below ``potential`` (nodes,) of slope at most 1 on every edge.

    It is f(v) = min_u potential(u) + d(u, v), the distances from one more node, which an edge of
    length potential(u) joins to every node u; infinite values stand for no such edge.
    """
    n, ends, known = len(potential), graph.tocoo(), np.isfinite(potential)
    least = float(potential[known].min())
    first = potential[known] - least + 1.0  # lengths must be above 0
    rows = np.r_[ends.row, np.full(len(first), n)]
    cols = np.r_[ends.col, np.flatnonzero(known)]
    joined = sparse.csr_matrix((np.r_[ends.data, first], (rows, cols)), shape=(n + 1, n + 1))
    found = dijkstra(joined, directed=False, indices=n)[:n]
    return np.asarray(found + least - 1.0)
