"""How densely the neighbourhood of each node is joined."""

from __future__ import annotations

import numpy as np

AT_ONCE = 2**22  # pairs of links looked at together


def closed(edges: np.ndarray, n: int) -> np.ndarray:
    """Return the number of triangles that each edge closes, (m,).

    Edges point to the end of higher degree, so that few leave any node: O(m^1.5) in all (Chiba and
    Nishizeki 1985).

    Shapes: edges (m, 2) of node numbers, each once, without loops.
    """
    degree = np.bincount(edges.ravel(), minlength=n)
    rank = np.empty(n, dtype=np.int64)
    rank[np.lexsort((np.arange(n), degree))] = np.arange(n)
    low, high = np.sort(rank[edges], axis=1).T
    order = np.lexsort((high, low))
    low, high = low[order], high[order]
    keys, out = low * n + high, np.bincount(low, minlength=n)
    begin = np.cumsum(out) - out
    later = begin[low] + out[low] - np.arange(len(low)) - 1  # edges of the same node after this one
    ends = np.cumsum(later)
    found, first = np.zeros(len(low), dtype=np.int64), 0
    while first < len(low):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + AT_ONCE, side="right")))
        one = np.repeat(np.arange(first, last), later[first:last])
        shift = np.arange(len(one)) - np.repeat(
            ends[first:last] - later[first:last] - before, later[first:last]
        )
        other = one + 1 + shift
        key = high[one] * n + high[other]
        third = np.minimum(np.searchsorted(keys, key), len(keys) - 1)
        there = keys[third] == key
        for side in (one, other, third):
            found += np.bincount(side[there], minlength=len(found))
        first = last
    triangles = np.empty_like(found)
    triangles[order] = found
    return triangles


def density(edges: np.ndarray, n: int) -> np.ndarray:
    """Return the largest h such that h links of a node each close at least h triangles, (nodes,).

    The h-index of the triangles of its links: a bound on the k-truss that a node lies in, from its
    neighbourhood alone (Sariyuce, Seshadhri and Pinar 2018). A node of a clique of k has k - 1
    links that each close k - 2 triangles, so that its h is at least k - 2.
    """
    ends, triangles = edges.T.ravel(), np.tile(closed(edges, n), 2)
    order = np.lexsort((-triangles, ends))
    ends, triangles = ends[order], triangles[order]
    place = np.arange(len(ends)) - np.searchsorted(ends, ends) + 1
    return np.bincount(ends[triangles >= place], minlength=n)
