"""What a graph can be: connected, planar, and the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import networkx as nx
import numpy as np

from surveyor.kinds.graphs.graphs import Graph

PROPERTIES: Mapping[str, Callable[[nx.Graph], bool]] = {
    "connected": nx.is_connected,
    "planar": nx.is_planar,
    "without cycles": nx.is_forest,
    "bipartite": nx.is_bipartite,
}


def shared_properties(graphs: Sequence[Graph]) -> tuple[str, ...]:
    """Return the properties that all graphs have."""
    left = dict(PROPERTIES)
    for graph in graphs:
        made = graph.networkx()
        left = {name: has for name, has in left.items() if len(graph) and has(made)}
        if not left:
            break
    return tuple(left)


def have(graphs: Sequence[Graph], names: Sequence[str]) -> np.ndarray:
    """Return which graphs have nodes, and all properties in ``names``, (n,)."""
    found = []
    for graph in graphs:
        made = graph.networkx()
        found.append(len(graph) > 0 and all(PROPERTIES[name](made) for name in names))
    return np.array(found, dtype=bool)
