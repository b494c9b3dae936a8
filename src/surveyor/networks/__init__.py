"""One network: its nodes and edges, masses on its nodes, and how far they are apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse.csgraph import connected_components

from surveyor.transport import adjacency


@dataclass(frozen=True, eq=False)
class Network:
    """An undirected graph with edges (m, 2) of node numbers, and lengths (m,) above 0.

    ``notes`` say what was made of a file that is not quite that.
    """

    names: Sequence[str]
    edges: np.ndarray
    lengths: np.ndarray
    notes: tuple[str, ...] = ()

    @cached_property
    def places(self) -> dict[str, int]:
        """Return the number of each node."""
        return {name: k for k, name in enumerate(self.names)}

    @cached_property
    def parts(self) -> np.ndarray:
        """Return the connected part of each node, (nodes,); the largest is 0."""
        graph = adjacency(self.edges, self.lengths, len(self.names))
        found = connected_components(graph, directed=False)[1]
        order = np.argsort(-np.bincount(found), kind="stable")
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        return np.asarray(rank[found])
