"""Which graphs are the same up to the order of their nodes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache

import networkx as nx
import numpy as np

from surveyor.kinds.graphs.graphs import Graph

ROUNDS = 3  # of refining colours
CACHED = 2**17  # graphs whose colours are kept
TOLD, BOND = "told", "bond"


@lru_cache(CACHED)
def colours(graph: Graph) -> str:
    """Return a hash that isomorphic graphs share (Weisfeiler and Leman 1968), and few others."""
    if not len(graph):
        return ""
    text: str = nx.weisfeiler_lehman_graph_hash(
        _told(graph), edge_attr=BOND, node_attr=TOLD, iterations=ROUNDS
    )
    return text


def same(one: Graph, other: Graph) -> bool:
    """Return whether two graphs are isomorphic, labels included: exactly (VF2)."""
    if colours(one) != colours(other):
        return False
    if one == other:
        return True
    return bool(
        nx.is_isomorphic(
            _told(one),
            _told(other),
            lambda a, b: a[TOLD] == b[TOLD],
            lambda a, b: a[BOND] == b[BOND],
        )
    )


def repeats(graphs: Sequence[Graph]) -> np.ndarray:
    """Return which graphs are isomorphic to one before them, (n,)."""
    seen: dict[str, list[Graph]] = {}
    made = np.zeros(len(graphs), dtype=bool)
    for k, graph in enumerate(graphs):
        alike = seen.setdefault(colours(graph), [])
        made[k] = any(same(graph, other) for other in alike)
        if not made[k]:
            alike.append(graph)
    return made


def among(graphs: Sequence[Graph], known: Iterable[Graph]) -> np.ndarray:
    """Return which graphs are isomorphic to a known one, (n,)."""
    seen: dict[str, list[Graph]] = {}
    for other in known:
        seen.setdefault(colours(other), []).append(other)
    found = [any(same(g, other) for other in seen.get(colours(g), ())) for g in graphs]
    return np.array(found, dtype=bool)


def _told(graph: Graph) -> nx.Graph:
    """Return the graph with its labels, and of each node its degree and triangles, as text."""
    made = graph.networkx()
    a = graph.adjacency
    triangles = np.einsum("ij,ij->i", a @ a, a) // 2
    for k, (label, own) in enumerate(zip(graph.nodes, triangles.tolist(), strict=True)):
        made.nodes[k][TOLD] = f"{label!a} {a[k].sum()} {own}"  # it hashes ASCII alone
    for (k, j), label in zip(graph.edges.tolist(), graph.bonds, strict=True):
        made.edges[k, j][BOND] = ascii(label)
    return made
