"""The codec of graphs: labels of nodes and edges, and descriptors to measure them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Codec, Options, Rows, Space, State
from surveyor.data.array_columns import column_codes, fit_columns
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.errors import InputError
from surveyor.kinds.graphs.alphabet import Alphabet
from surveyor.kinds.graphs.descriptors import described, scaled, spreads
from surveyor.kinds.graphs.graphs import Graph, Graphs, as_array
from surveyor.kinds.graphs.isomorphism import colours
from surveyor.privacy import CodecAccount

MOST = 2_000  # graphs whose descriptors the scales are fitted to


@dataclass(frozen=True, eq=False)
class GraphCodec(Codec):
    """x = one-hot labels of nodes, then one-hot labels of the edges of all pairs of nodes.

    The critic's distance is Euclidean between such graphs. W1 is measured between descriptors,
    each over its spread in training graphs (``scales``), and shares of labels: neither depends on
    the order of nodes. ``names`` are the attributes that labels of nodes and of edges are made of.
    """

    name: str
    form: str
    names: tuple[tuple[str, ...], tuple[str, ...]]
    alphabet: Alphabet
    scales: Mapping[str, float]
    condition: Columns
    group: Column | None = None
    account: CodecAccount | None = None

    kind = "graphs"
    unit_name = "distance of descriptors in standard deviations"
    continuous = False

    @classmethod
    def fit(cls, raw: Graphs, options: Options) -> GraphCodec:
        """Return the codec of graphs, their conditions and groups.

        Raises:
            InputError: differential privacy is asked for.
        """
        if options.epsilon is not None:
            raise InputError("--privacy: not for graphs, whose sizes and labels are not private")
        conditions, group, fits = fit_columns(raw, options)
        names = raw.node_names, raw.edge_names
        alphabet = Alphabet.of(raw.graphs.tolist())
        scales = spreads(described(raw.graphs[:MOST]))
        return cls(raw.name, raw.form, names, alphabet, scales, conditions, group, fits.account)

    @property
    def space(self) -> Space:
        """Return the shapes and the graphs."""
        graph = self.alphabet.space
        return Space((graph.width,), self.condition.width, (graph.width,), graph=graph)

    def rows(self, raw: Graphs) -> Rows:
        """Store the labels of nodes and edges as whole numbers."""
        nodes, edges = self.alphabet.numbers(raw.graphs.tolist())
        return {"nodes": nodes, "edges": edges} | column_codes(raw, self.condition, self.group)

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return graphs as points."""
        return self.alphabet.space.points(rows["nodes"][index], rows["edges"][index])

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return each node and edge as the most likely one, straight through to a softmax."""
        return self.alphabet.space.straight_through(raw)

    def graphs(self, x: Tensor) -> list[Graph]:
        """Return the graphs of points (n, width)."""
        kinds, bonds = (types.numpy() for types in self.alphabet.space.types(x))
        return [self.alphabet.graph(*own) for own in zip(kinds, bonds, strict=True)]

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> pd.DataFrame:
        """Return networkx graphs and their conditions; how they came is kept in ``attrs``."""
        made = [graph.networkx(*self.names) for graph in self.graphs(batch.x)]
        columns = {self.name: as_array(made)} | dict(self.condition.decode(codes, draws))
        frame = pd.DataFrame(columns)
        frame.attrs = {"form": self.form, "names": [list(own) for own in self.names]}
        return frame

    def metric_points(self, batch: Batch) -> Tensor:
        """Return descriptors and shares of labels, with the condition."""
        graphs = self.graphs(batch.x)
        rows = [scaled(described(graphs), self.scales), self.shares_of(graphs)]
        made = torch.from_numpy(np.concatenate(rows, axis=1).astype(np.float32))
        return Batch(made, batch.cond).joint()

    def shares_of(self, graphs: list[Graph]) -> np.ndarray:
        """Return the shares of nodes, and of edges, with each label; of labels that differ."""
        own = self.alphabet
        every = [(own.node_labels, [g.nodes for g in graphs])]
        every.append((own.edge_labels, [g.bonds for g in graphs]))
        made = [np.zeros((len(graphs), 0))]
        for labels, rows in every:
            if len(labels) > 1:
                counts = np.array([[row.count(one) for one in labels] for row in rows], dtype=float)
                made.append(counts / np.maximum(counts.sum(1, keepdims=True), 1))
        return np.concatenate(made, axis=1)

    @property
    def share_names(self) -> list[str]:
        """Return the names of what ``shares_of`` returns."""
        both = ("nodes", self.alphabet.node_labels), ("edges", self.alphabet.edge_labels)
        return [
            f"share of {what} {', '.join(map(str, label))}"
            for what, labels in both
            if len(labels) > 1
            for label in labels
        ]

    def keys(self, rows: Any) -> np.ndarray:
        """Return one number per graph, equal for isomorphic ones, and rarely for others."""
        texts = [colours(graph) for graph in self.graphs_of(rows)]
        return pd.util.hash_array(np.array(texts, dtype=object))

    def graphs_of(self, rows: Graphs | pd.DataFrame) -> list[Graph]:
        """Return graphs as read, or those of samples, whose first column they are."""
        if isinstance(rows, Graphs):
            return list(rows.graphs)
        return [Graph.of(graph, *self.names) for graph in rows.iloc[:, 0]]

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.condition.state()
        groups, more = columns_state([] if self.group is None else [self.group], "group")
        own = self.alphabet
        labels = [[list(label) for label in part] for part in (own.node_labels, own.edge_labels)]
        meta = {
            "name": self.name,
            "form": self.form,
            "names": [list(part) for part in self.names],
            "labels": labels,
            "sizes": [own.nodes, own.cycles, own.parts],
            "scales": dict(self.scales),
            "condition": cond,
            "group": groups,
        }
        return meta | account_state(self.account), arrays | more

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> GraphCodec:
        """Rebuild the codec."""
        groups = columns_restore(meta["group"], arrays, "group")
        nodes, edges = (tuple(tuple(label) for label in part) for part in meta["labels"])
        first, second = (tuple(part) for part in meta["names"])
        return cls(
            meta["name"],
            meta["form"],
            (first, second),
            Alphabet(nodes, edges, *meta["sizes"]),
            meta["scales"],
            Columns.restore(meta["condition"], arrays),
            groups[0] if groups else None,
            account_of(meta),
        )
