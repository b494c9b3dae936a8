"""W1 on a weighted graph by three equivalent methods, and the closed form on a tree."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import sparse
from scipy.optimize import linprog
from scipy.sparse.csgraph import connected_components, shortest_path

from surveyor.errors import InputError, SurveyorError
from surveyor.transport.checks import Array, weights
from surveyor.transport.discrete import transport


def wasserstein_1_graph(
    edges: ArrayLike,
    lengths: ArrayLike,
    mu: ArrayLike,
    nu: ArrayLike,
    method: Literal["dual", "beckmann", "paths"] = "beckmann",
) -> float:
    """Return W1 between two distributions on the nodes of an undirected graph.

    ``dual``: max sum f (mu - nu) with |f(u) - f(v)| <= w_uv on every edge;
    ``beckmann``: min sum w_e |J_e| with div J = mu - nu (Beckmann 1952);
    ``paths``: exact transport under shortest-path distances. The three are equal.

    Shapes: edges (m, 2) of node numbers, lengths (m,) above 0, mu and nu (nodes,).

    Raises:
        InputError: an edge leaves the node range, a length is not positive, or two components
            that are not connected differ in mass.
    """
    e, w, p, q = checked(edges, lengths, mu, nu)
    if method == "paths":
        distance = shortest_path(adjacency(e, w, len(p)), directed=False)
        left, right = np.flatnonzero(p), np.flatnonzero(q)
        return transport(distance[np.ix_(left, right)], p[left], q[right]).cost
    incidence = _incidence(e, len(p))
    if method == "beckmann":
        flow = linprog(
            np.concatenate([w, w]),
            A_eq=sparse.hstack([incidence, -incidence]),
            b_eq=p - q,
            method="highs",
        )
        return _optimum(flow)
    if method == "dual":
        differences = incidence.T
        potential = linprog(
            q - p,
            A_ub=sparse.vstack([differences, -differences]),
            b_ub=np.concatenate([w, w]),
            bounds=[(0, 0)] + [(None, None)] * (len(p) - 1),
            method="highs",
        )
        return -_optimum(potential)
    raise InputError(f"unknown method {method!r}; known: dual, beckmann, paths")


def wasserstein_1_tree(edges: ArrayLike, lengths: ArrayLike, mu: ArrayLike, nu: ArrayLike) -> float:
    """Return W1 on a tree, sum_e w_e |mu(T_e) - nu(T_e)|, with T_e the subtree below edge e.

    Exact in one pass from the leaves (Evans and Matsen 2012).

    Raises:
        InputError: the graph is not a tree.
    """
    e, w, p, q = checked(edges, lengths, mu, nu)
    n = len(p)
    if len(e) != n - 1 or connected_components(adjacency(e, w, n), directed=False)[0] != 1:
        raise InputError("not a tree: a tree on n nodes is connected and has n - 1 edges")
    neighbours: list[list[tuple[int, float]]] = [[] for _ in range(n)]
    for (u, v), length in zip(e, w, strict=True):
        neighbours[u].append((int(v), float(length)))
        neighbours[v].append((int(u), float(length)))
    order, parent, above = [0], {0: 0}, {0: 0.0}
    for node in order:
        for other, length in neighbours[node]:
            if other not in parent:
                parent[other], above[other] = node, length
                order.append(other)
    below = p - q
    total = 0.0
    for node in reversed(order[1:]):
        total += above[node] * abs(below[node])
        below[parent[node]] += below[node]
    return float(total)


def checked(
    edges: ArrayLike, lengths: ArrayLike, mu: ArrayLike, nu: ArrayLike
) -> tuple[Array, Array, Array, Array]:
    """Return edges (m, 2), lengths (m,) and two distributions (nodes,) that can be transported.

    Raises:
        InputError: they cannot.
    """
    e, w = np.asarray(edges, dtype=np.int64), np.asarray(lengths, dtype=np.float64)
    n = len(np.asarray(mu))
    p, q = weights(mu, n, "mu"), weights(nu, n, "nu")
    if e.ndim != 2 or e.shape[1] != 2 or w.shape != (len(e),):
        raise InputError(f"edges must be (m, 2) and lengths (m,), got {e.shape} and {w.shape}")
    if len(e) and (e.min() < 0 or e.max() >= n):
        raise InputError(f"edges name nodes outside 0..{n - 1}; mu has {n} entries")
    if not (w > 0).all():
        raise InputError("edge lengths must be above 0")
    _, part = connected_components(adjacency(e, w, n), directed=False)
    imbalance = np.abs(np.bincount(part, p - q))
    if imbalance.max() > 1e-9:
        raise InputError("mass would have to move between unconnected components: W1 is infinite")
    return e, w, p, q


def adjacency(e: Array, w: Array, n: int) -> sparse.csr_matrix:
    """Return lengths (n, n) above the diagonal, of parallel edges the least, without loops."""
    kept = shortest_edges(e, w)  # a sparse matrix would add parallel edges up
    return sparse.csr_matrix((w[kept], (e[kept].min(1), e[kept].max(1))), shape=(n, n))


def shortest_edges(e: Array, w: Array) -> Array:
    """Return the places of the shortest of parallel edges, without loops, in the order of ends.

    Shapes: edges (m, 2) of node numbers, lengths (m,).
    """
    low, high = e.min(1), e.max(1)
    order = np.lexsort((w, high, low))
    low, high = low[order], high[order]
    first = np.ones(len(w), dtype=bool)
    first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
    return np.asarray(order[first & (low != high)])


def _incidence(e: Array, n: int) -> sparse.csr_matrix:
    m = np.arange(len(e))
    ones = np.ones(len(e))
    return sparse.csr_matrix(
        (np.r_[ones, -ones], (np.r_[e[:, 0], e[:, 1]], np.r_[m, m])), shape=(n, len(e))
    )


def _optimum(result: object) -> float:
    if not getattr(result, "success", False):
        raise SurveyorError(f"linear program failed: {getattr(result, 'message', '')}")
    return float(result.fun)  # type: ignore[attr-defined]
