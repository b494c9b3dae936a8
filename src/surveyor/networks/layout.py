"""Where to draw the nodes of a network."""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import dijkstra

from surveyor.networks import Network
from surveyor.transport import adjacency

PIVOTS, STEPS = 100, 60  # nodes whose distances are used; steps in which nodes push each other
PUSHED = 2_000  # nodes up to which they do
APART = 1.3  # of parts that are not connected, in multiples of the largest distance


def positions(network: Network) -> np.ndarray:
    """Return a place in the plane for each node, (nodes, 2), for whole and large networks alike.

    Classical scaling of the shortest paths to some pivots, each as far as can be from those before
    (Brandes and Pich 2007); in small networks nodes then push each other apart, and edges pull
    (Fruchterman and Reingold 1991).
    """
    n = len(network.names)
    graph = adjacency(network.edges, network.lengths, n)
    nearest, pivot, columns = np.full(n, np.inf), 0, []
    for _ in range(min(PIVOTS, n)):
        far = dijkstra(graph, directed=False, indices=pivot)
        columns.append(far)
        nearest = np.minimum(nearest, far)
        pivot = int(nearest.argmax())
    away = np.stack(columns, axis=1)
    known = np.isfinite(away)
    away = np.where(known, away, APART * away[known].max()) ** 2
    centred = away - away.mean(0) - away.mean(1, keepdims=True) + away.mean()
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    found = centred @ axes[: min(2, len(axes))].T
    found = np.pad(found, ((0, 0), (0, 2 - found.shape[1])))
    found /= max(float(np.abs(found).max()), 1e-12)
    return _pushed(found, network.edges) if n <= PUSHED else found


def _pushed(found: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Return places after some steps in which nodes push and edges pull."""
    n = len(found)
    even = 2 / np.sqrt(n)  # distance of nodes that fill the square
    found = found + 0.01 * even * np.random.default_rng(0).standard_normal(found.shape)
    for step in range(STEPS):
        apart = found[:, None] - found[None]
        square = (apart**2).sum(-1) + (0.05 * even) ** 2
        force = (apart * (even**2 / square)[:, :, None]).sum(1)
        along = found[edges[:, 0]] - found[edges[:, 1]]
        pull = along * (np.linalg.norm(along, axis=1, keepdims=True) / even)
        np.add.at(force, edges[:, 0], -pull)
        np.add.at(force, edges[:, 1], pull)
        size = np.linalg.norm(force, axis=1, keepdims=True)
        most = 0.15 * (1 - step / STEPS) * even * 4
        found = found + force / np.maximum(size, 1e-12) * np.minimum(size, most)
    return np.asarray(found)
