"""Sizes and shapes of graphs that samples can be chosen by, computed from each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from surveyor.data.computed import Computed, Test
from surveyor.data.where import OR, TO
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
        several = isinstance(query, (list, tuple, set, frozenset))
        texts = [str(q) for q in query] if several else str(query).split(OR)
        spans = [self._span(name, text.strip()) for text in texts or [""]]

        def test(made: pd.DataFrame) -> np.ndarray:
            values = np.array([self.of(Graph.of(graph, (), ())) for graph in made.iloc[:, 0]])
            found: np.ndarray = np.any(
                [(lo <= values) & (values <= hi) for lo, hi in spans], axis=0
            )
            return found

        return test

    def _span(self, name: str, text: str) -> tuple[float, float]:
        ends, what = text.split(TO), f"--where {name}={text}"
        try:
            low, high = (_end(e, k) for k, e in enumerate(ends if len(ends) > 1 else ends * 2))
        except ValueError:
            raise InputError(f"{what}: write a range LOW{TO}HIGH") from None
        if len(ends) == 1 and not self.whole:
            raise InputError(f"{what}: hardly ever exactly so; write a range LOW{TO}HIGH")
        if low > high or high < 0:
            raise InputError(f"{what}: no graph has that; write LOW{TO}HIGH")
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


def _end(text: str, k: int) -> float:
    """Return one end of a range; infinite where it is left out."""
    if not text.strip():
        return (-np.inf, np.inf)[k]
    value = float(text)
    if np.isnan(value):
        raise ValueError(text)
    return value
