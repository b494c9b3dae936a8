"""Graphs in memory: labelled nodes and edges, with columns beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from surveyor.errors import InputError

Label = tuple[Any, ...]
"""The values of a node's, or an edge's, attributes that are learnt."""


@dataclass(frozen=True, eq=False)
class Graph:
    """An undirected graph without loops: labels of its nodes, and edges (m, 2) with labels.

    An edge is (k, j), j < k; edges are in ascending order.
    """

    nodes: tuple[Label, ...]
    edges: np.ndarray
    bonds: tuple[Label, ...]

    def __len__(self) -> int:
        return len(self.nodes)

    @cached_property
    def adjacency(self) -> np.ndarray:
        """Return the adjacency matrix (nodes, nodes), of 0 and 1."""
        made = np.zeros((len(self), len(self)), dtype=np.int64)
        k, j = self.edges.T
        made[k, j] = made[j, k] = 1
        return made

    @cached_property
    def key(self) -> tuple[Any, ...]:
        """Return what two graphs share that are equal node by node."""
        return self.nodes, self.edges.tobytes(), self.bonds

    def __hash__(self) -> int:
        return hash(self.key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Graph) and self.key == other.key

    @classmethod
    def of(cls, found: nx.Graph, nodes: Sequence[str], edges: Sequence[str]) -> Graph:
        """Return a networkx graph with the labels that those attributes make up."""
        place = {name: k for k, name in enumerate(found)}
        labels = tuple(tuple(own.get(n) for n in nodes) for _, own in found.nodes(data=True))
        ends = [(place[u], place[v]) for u, v in found.edges()]
        pairs = np.array([(max(e), min(e)) for e in ends], dtype=np.int32).reshape(-1, 2)
        order = np.lexsort((pairs[:, 1], pairs[:, 0]))
        bonds = [tuple(own.get(n) for n in edges) for _, _, own in found.edges(data=True)]
        return cls(labels, pairs[order], tuple(bonds[k] for k in order))

    def networkx(self, nodes: Sequence[str] = (), edges: Sequence[str] = ()) -> nx.Graph:
        """Return the graph as networkx has it, with named attributes."""
        made = nx.Graph()
        made.add_nodes_from(
            (k, dict(zip(nodes, label, strict=False))) for k, label in enumerate(self.nodes)
        )
        made.add_edges_from(
            (j, k, dict(zip(edges, label, strict=False)))
            for (k, j), label in zip(self.edges.tolist(), self.bonds, strict=True)
        )
        return made

    def ordered(self, order: Sequence[int] | np.ndarray) -> Graph:
        """Return the graph with its nodes in the order of their numbers."""
        place = np.empty(len(self), dtype=np.int32)
        place[np.asarray(order)] = np.arange(len(self))
        ends = np.sort(place[self.edges], axis=1)[:, ::-1]
        at = np.lexsort((ends[:, 1], ends[:, 0]))
        bonds = tuple(self.bonds[k] for k in at)
        return Graph(tuple(self.nodes[k] for k in order), ends[at], bonds)


@dataclass(frozen=True, eq=False)
class Graphs:
    """Many graphs, (n,) of type object, with columns that can serve as conditions.

    ``node_names`` and ``edge_names`` are the attributes that labels are made of; ``form`` is the
    suffix of their files, with a slash before it where they are a folder.
    """

    graphs: np.ndarray
    node_names: tuple[str, ...] = ()
    edge_names: tuple[str, ...] = ()
    columns: Mapping[str, pd.Series] = field(default_factory=dict)
    form: str = ".g6"
    name: str = "graph"

    def __len__(self) -> int:
        return len(self.graphs)

    def take(self, index: np.ndarray) -> Graphs:
        """Return the chosen graphs."""
        columns = {
            n: values.iloc[index].reset_index(drop=True) for n, values in self.columns.items()
        }
        return replace(self, graphs=self.graphs[index], columns=columns)

    def joined(self, other: Graphs) -> Graphs:
        """Return the graphs of both, with the columns that both have.

        Raises:
            InputError: their labels are made of different attributes.
        """
        own, others = (s.node_names + s.edge_names for s in (self, other))
        if own != others:
            raise InputError(
                f"labels of nodes and edges are {list(own)} in the first graphs and "
                f"{list(others)} in the second; give both the same"
            )
        columns = {
            n: pd.concat([values, other.columns[n]], ignore_index=True)
            for n, values in self.columns.items()
            if n in other.columns
        }
        both = np.concatenate([self.graphs, other.graphs])
        return replace(self, graphs=both, columns=columns)


def as_array(graphs: Sequence[Graph]) -> np.ndarray:
    """Return graphs as an array of objects, (n,)."""
    made = np.empty(len(graphs), dtype=object)
    for k, one in enumerate(graphs):
        made[k] = one
    return made
