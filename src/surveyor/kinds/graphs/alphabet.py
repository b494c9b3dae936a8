"""Labels and sizes of graphs, and graphs as whole numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from surveyor.data.graphs import GraphSpace
from surveyor.kinds.graphs.graphs import Graph, Label
from surveyor.kinds.graphs.labels import ordered


def parts_of(graph: Graph) -> int:
    """Return the number of connected parts."""
    return int(connected_components(csr_array(graph.adjacency), directed=False)[0])


@dataclass(frozen=True)
class Alphabet:
    """The labels of nodes and edges, and how large graphs are.

    ``nodes``, ``parts`` and ``cycles``, edges that close a cycle, are the most that a graph has.
    """

    node_labels: tuple[Label, ...]
    edge_labels: tuple[Label, ...]
    nodes: int
    cycles: int
    parts: int

    @classmethod
    def of(cls, graphs: Sequence[Graph]) -> Alphabet:
        """Return the alphabet of graphs."""
        parts = [parts_of(graph) for graph in graphs]
        cycles = [len(g.edges) - len(g) + p for g, p in zip(graphs, parts, strict=True)]
        return cls(
            ordered(label for graph in graphs for label in graph.nodes),
            ordered(label for graph in graphs for label in graph.bonds) or ((),),
            max(2, *(len(graph) for graph in graphs)),
            max(cycles),
            max(parts),
        )

    @cached_property
    def space(self) -> GraphSpace:
        """Return the space of graphs: every node can have every edge."""
        kinds, bonds = len(self.node_labels), len(self.edge_labels)
        return GraphSpace(
            self.nodes,
            kinds,
            bonds,
            (self.nodes,) * kinds,
            (1,) * bonds,
            (0,) * kinds,
            self.cycles,
            self.parts,
        )

    @cached_property
    def _numbers(self) -> tuple[Mapping[Label, int], Mapping[Label, int]]:
        both = self.node_labels, self.edge_labels
        first, second = ({label: k for k, label in enumerate(own)} for own in both)
        return first, second

    def unknown(self, graph: Graph) -> bool:
        """Return whether a graph has a label that is not known."""
        nodes, bonds = self._numbers
        return not (nodes.keys() >= set(graph.nodes) and bonds.keys() >= set(graph.bonds))

    def beyond(self, graph: Graph) -> bool:
        """Return whether a graph has more nodes, parts or cycles than any known."""
        parts = parts_of(graph)
        cycles = len(graph.edges) - len(graph) + parts
        return len(graph) > self.nodes or parts > self.parts or cycles > self.cycles

    def numbers(self, graphs: Sequence[Graph]) -> tuple[np.ndarray, np.ndarray]:
        """Return types of nodes (n, nodes) and edges (n, most), -1 for none, as points take them.

        What is beyond the alphabet is left out.
        """
        nodes = np.full((len(graphs), self.nodes), -1, dtype=np.int16)
        edges = np.full((len(graphs), self.nodes + self.cycles), -1, dtype=np.int32)
        kinds, bonds = self._numbers
        for row, graph in enumerate(graphs):
            own = [kinds.get(label, 0) for label in graph.nodes[: self.nodes]]
            nodes[row, : len(own)] = own
            k, j = graph.edges.astype(np.int64).T
            types = np.array([bonds.get(label, 0) for label in graph.bonds], dtype=np.int64)
            code = len(bonds) * (k * (k - 1) // 2 + j) + types
            kept = code[k < self.nodes][: edges.shape[1]]
            edges[row, : len(kept)] = kept
        return nodes, edges

    def graph(self, kinds: np.ndarray, bonds: np.ndarray) -> Graph:
        """Return the graph of types (nodes,) and (nodes, nodes), -1 for none."""
        there = np.flatnonzero(kinds >= 0)
        between = np.tril(bonds[np.ix_(there, there)] + 1, -1)
        k, j = np.nonzero(between)
        labels = tuple(self.edge_labels[t - 1] for t in between[k, j].tolist())
        nodes = tuple(self.node_labels[t] for t in kinds[there].tolist())
        return Graph(nodes, np.stack([k, j], axis=1).astype(np.int32), labels)
