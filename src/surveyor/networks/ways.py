"""The shortest way round each link of a network."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import sparse

STEPS, REACH = 40, 2_000  # of a way round: its length, and the links looked at in a step
AT_ONCE = 500  # links whose ways round are looked for together

Watch = Callable[[int, int], None]


def adjacent(edges: np.ndarray, n: int) -> sparse.csr_matrix:
    """Return the symmetric adjacency matrix (n, n) of ones."""
    ends = np.r_[edges[:, 0], edges[:, 1]], np.r_[edges[:, 1], edges[:, 0]]
    return sparse.csr_matrix((np.ones(2 * len(edges), dtype=np.float32), ends), shape=(n, n))


def ways_round(
    edges: np.ndarray, n: int, some: np.ndarray, watch: Watch | None = None
) -> np.ndarray:
    """Return the steps between both ends of some links without the link, (len(some),).

    Infinite where no way of at most ``STEPS`` is found by looking at ``REACH`` links in a step.

    Shapes: edges (m, 2) of node numbers, the lesser first; some (k,) places in it.
    """
    lines = adjacent(edges, n)
    found = np.full(len(some), np.inf)
    for first in range(0, len(some), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        found[part] = _ways(lines, edges[some[part]])
        if watch is not None:
            watch(min(first + AT_ONCE, len(some)), len(some))
    return found


def _ways(lines: sparse.csr_matrix, pairs: np.ndarray) -> np.ndarray:
    """Return the steps between both ends of links without these, by waves from both ends.

    A place is (link, end, node) in one number. In each step the wave of each link that has fewer
    ways on grows by one; where it meets the other, the steps so far are the shortest way.
    """
    n, count = lines.shape[0], len(pairs)
    degree, found, alive = np.diff(lines.indptr), np.full(count, np.inf), np.ones(count, dtype=bool)
    front = np.sort((np.arange(2 * count) * n) + pairs.ravel())
    seen = front
    for step in range(1, STEPS + 1):
        ahead = np.bincount(front // n, degree[front % n], minlength=2 * count).reshape(-1, 2)
        alive &= (ahead.min(1) > 0) & (ahead.min(1) <= REACH)
        front, seen = (places[alive[places // (2 * n)]] for places in (front, seen))
        if not alive.any():
            break
        chosen = ahead.argmin(1)
        grows = chosen[front // (2 * n)] == front // n % 2
        grown = np.setdiff1d(_next(lines, front[grows], pairs), seen, assume_unique=True)
        link, side, node = grown // (2 * n), grown // n % 2, grown % n
        met = np.unique(link[_among((2 * link + 1 - side) * n + node, seen)])
        found[met], alive[met] = step, False
        front = np.sort(np.r_[front[~grows], grown])
        seen = np.sort(np.r_[seen, grown])
    return found


def _next(lines: sparse.csr_matrix, places: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Return the places one step on, each once, except over the links themselves."""
    n = lines.shape[0]
    node = places % n
    degree = np.diff(lines.indptr)[node]
    start = np.repeat(lines.indptr[node] - np.r_[0, np.cumsum(degree)[:-1]], degree)
    other = lines.indices[start + np.arange(len(start))]
    owner, before = np.repeat(places // n, degree), np.repeat(node, degree)
    ends = pairs[owner // 2]
    itself = (np.minimum(other, before) == ends[:, 0]) & (np.maximum(other, before) == ends[:, 1])
    return np.unique((owner * n + other)[~itself])


def _among(places: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return which places are in a sorted array."""
    at = np.minimum(np.searchsorted(known, places), len(known) - 1)
    return np.asarray(known[at] == places)
