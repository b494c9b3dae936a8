"""Sizes and shapes of graphs that samples can be chosen by, computed from each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from surveyor.data.computed import Computed, Test, alternatives, read_range, within
from surveyor.data.where import TO
from surveyor.errors import InputError
from surveyor.kinds.graphs.descriptors import clustering, degrees, diameter
from surveyor.kinds.graphs.graphs import Graph

Value = Callable[[Graph], float]


@dataclass(frozen=True)
class Within(Computed):
    """A number of each graph within a range, or within one of several."""

    of: Value
    whole: bool = True

    def read(self, name: str, query: Any) -> Test:
        """Read ``low..high``, of which one end can be left out; of whole numbers also a number.

        Raises:
            InputError: no range, or one that no graph lies in.
        """
        ranges = [self._range(name, text) for text in alternatives(query)]

        def test(made: pd.DataFrame) -> np.ndarray:
            values = np.array([self.of(Graph.of(graph, (), ())) for graph in made.iloc[:, 0]])
            return within(values, ranges)

        return test

    def _range(self, name: str, text: str) -> tuple[float, float]:
        low, high = read_range(name, text, self.whole)
        if low > high or high < 0:
            raise InputError(f"--where {name}={text}: no graph has that; write LOW{TO}HIGH")
        return low, high


COMPUTED: Mapping[str, Computed] = {
    "nodes": Within(len),
    "edges": Within(lambda graph: len(graph.edges)),
    "parts": Within(lambda graph: nx.number_connected_components(graph.networkx())),
    "diameter": Within(lambda graph: diameter(graph) if len(graph) else 0),
    "degree": Within(lambda graph: float(degrees(graph).mean()) if len(graph) else 0.0, False),
    "clustering": Within(lambda g: float(clustering(g).mean()) if len(g) else 0.0, False),
}
"""Numbers of nodes, edges and parts, the diameter, and means over the nodes."""
