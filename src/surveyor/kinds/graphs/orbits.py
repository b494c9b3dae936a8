"""Orbits of graphlets: in how many ways each node sits in small induced subgraphs."""

from __future__ import annotations

import numpy as np

ORBITS = (
    "edges", "ends of paths of 3", "middles of paths of 3", "triangles",
    "ends of paths of 4", "middles of paths of 4", "leaves of claws", "centres of claws",
    "squares", "tails of paws", "backs of paws", "centres of paws",
    "corners of diamonds", "middles of diamonds", "cliques of 4",
)  # fmt: skip
"""The orbits 0 to 14 of Przulj (2007): a paw is a triangle with a tail, a diamond a square with a
diagonal."""


def orbit_counts(a: np.ndarray) -> np.ndarray:
    """Return how often each node is in each orbit, (n, 15), for an adjacency matrix (n, n).

    Subgraphs that need not be induced are counted through products of the matrix; those of more
    edges are then taken off, from the densest on.
    """
    a = a.astype(np.int64)
    d, two = a.sum(1), a @ a
    over = two * a  # triangles over each edge
    t = over.sum(1) // 2
    clique = _cliques(a)
    pairs = over * (over - 1) // 2
    middle = pairs.sum(1) - 3 * clique
    corner = np.einsum("ij,jk,ki->i", a, over - a, a) // 2 - 3 * clique
    apart = two - np.diag(d)
    square = (apart * (apart - 1) // 2).sum(1) - corner - middle - 3 * clique
    centre = t * (d - 2) - 2 * middle - 3 * clique
    back = over @ (d - 2) - 2 * corner - 2 * middle - 6 * clique
    tail = a @ t - over.sum(1) - 2 * corner - 3 * clique
    claw = d * (d - 1) * (d - 2) // 6 - centre - middle - clique
    leaf = a @ ((d - 1) * (d - 2) // 2) - tail - back - 2 * corner - middle - 3 * clique
    inner = (d - 1) * (a @ (d - 1)) - 2 * t
    inner -= 2 * square + 2 * centre + back + 4 * middle + 2 * corner + 6 * clique
    outer = apart @ (d - 1) - over.sum(1)
    outer -= 2 * square + 2 * tail + back + 2 * middle + 4 * corner + 6 * clique
    return np.stack(
        [
            d, a @ (d - 1) - 2 * t, d * (d - 1) // 2 - t, t,
            outer, inner, leaf, claw, square, tail, back, centre, corner, middle, clique,
        ],
        axis=1,
    )  # fmt: skip


def _cliques(a: np.ndarray) -> np.ndarray:
    """Return the cliques of 4 nodes that each node is in: triangles among its neighbours."""
    found = np.zeros(len(a), dtype=np.int64)
    for k, row in enumerate(a):
        near = np.flatnonzero(row)
        if len(near) > 2:
            inside = a[np.ix_(near, near)]
            found[k] = ((inside @ inside) * inside).sum() // 6
    return found
