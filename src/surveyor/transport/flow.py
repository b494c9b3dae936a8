"""Exact W1 on large graphs, as a flow along edges and a potential that prove each other."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import ot
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.sparse.csgraph import dijkstra

from surveyor.errors import SurveyorError
from surveyor.transport.checks import Array
from surveyor.transport.graph import adjacency, checked


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
    simplex. The potential is then brought to slope 1 on every edge by one search for shortest
    paths, f(v) = min_u f(u) + d(u, v), so that its bound holds exactly.

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
    graph = adjacency(e, w, n).tocoo()
    tail, head, nodes = graph.row, graph.col, np.arange(n)
    places = np.r_[tail, head, nodes], np.r_[head, tail, nodes]
    costs = sparse.coo_matrix((np.r_[graph.data, graph.data, np.zeros(n)], places), shape=(n, n))
    share = surplus / total
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # failures are raised below, in our words
        plan, log = ot.emd(
            np.maximum(share, 0) + 1,
            np.maximum(-share, 0) + 1,
            costs,
            numItermax=2**31 - 1,
            log=True,
            center_dual=False,
        )
    if log["warning"] is not None:
        raise SurveyorError(f"transport on the graph failed: {log['warning']}")
    moved = total * (plan.tocsr() - plan.tocsr().T)
    used = np.asarray(moved[tail, head]).ravel()
    flow[_places(e, w, n, tail, head)] = used
    forward = e[:, 0] < e[:, 1]
    flow = np.where(forward, flow, -flow)
    potential = slope_one(graph, log["u"])
    low = float(potential @ surplus)
    return GraphTransport(low, float(w @ np.abs(flow)), flow, potential)


def slope_one(graph: sparse.spmatrix, potential: Array) -> Array:
    """Return the largest function below ``potential`` (nodes,) of slope at most 1 on every edge.

    It is f(v) = min_u potential(u) + d(u, v): the distances from one more node, which an edge of
    length potential(u) joins to every node u.
    """
    n, ends = len(potential), graph.tocoo()
    least = float(potential.min())
    first = potential - least + 1.0  # lengths must be above 0
    rows, cols = np.r_[ends.row, np.full(n, n)], np.r_[ends.col, np.arange(n)]
    joined = sparse.csr_matrix((np.r_[ends.data, first], (rows, cols)), shape=(n + 1, n + 1))
    found = dijkstra(joined, directed=False, indices=n)[:n]
    return np.asarray(found + least - 1.0)


def _places(e: Array, w: Array, n: int, tail: Array, head: Array) -> Array:
    """Return which edge stands for each arc of a graph without parallel edges: the shortest."""
    low, high = e.min(1), e.max(1)
    order = np.lexsort((w, high, low))
    key = low[order] * n + high[order]
    return np.asarray(order[np.searchsorted(key, tail.astype(np.int64) * n + head)])
