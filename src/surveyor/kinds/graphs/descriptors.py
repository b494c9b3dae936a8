"""What graphs are measured by: sizes, and distributions over their nodes and their spectrum."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, shortest_path

from surveyor.kinds.graphs.graphs import Graph
from surveyor.kinds.graphs.orbits import ORBITS, orbit_counts

GRID = 16  # quantiles of a distribution
CACHED = 2**16  # graphs whose descriptors are kept


@dataclass(frozen=True)
class Descriptor:
    """One of the descriptors: numbers (width,) of a graph, and the least that counts as a spread.

    The mean absolute difference of two graphs' numbers is the distance of both: for quantiles of a
    distribution W1 between the two distributions, to the width of the grid.
    """

    of: Callable[[Graph], np.ndarray]
    columns: tuple[str, ...]
    least: float
    unit: str = ""
    whole: bool = False


def degrees(graph: Graph) -> np.ndarray:
    """Return the degree of each node."""
    return np.asarray(graph.adjacency.sum(1))


def clustering(graph: Graph) -> np.ndarray:
    """Return the share of pairs of neighbours that are neighbours, of each node; 0 without any."""
    a, d = graph.adjacency, degrees(graph)
    triangles = ((a @ a) * a).sum(1)
    pairs = d * (d - 1)
    return np.asarray(np.divide(triangles, pairs, out=np.zeros(len(a)), where=d > 1))


def spectrum(graph: Graph) -> np.ndarray:
    """Return the eigenvalues of the normalised Laplacian, I - D^-1/2 A D^-1/2, in [0, 2].

    Nodes without edges have the eigenvalue 0.
    """
    d = degrees(graph)
    scale = np.divide(1.0, np.sqrt(d), out=np.zeros(len(d)), where=d > 0)
    laplacian = np.diag((d > 0).astype(float)) - scale[:, None] * graph.adjacency * scale
    return np.linalg.eigvalsh(laplacian).clip(0, 2)


def diameter(graph: Graph) -> int:
    """Return the greatest distance of two nodes in the part with the most nodes."""
    matrix = csr_array(graph.adjacency)
    part = connected_components(matrix, directed=False)[1]
    inside = np.flatnonzero(part == np.bincount(part).argmax())
    near = matrix[inside][:, inside]
    return int(shortest_path(near, unweighted=True, directed=False).max())


def _quantiles(values: np.ndarray) -> np.ndarray:
    """Return the quantile function at the middles of ``GRID`` cells, a step function."""
    places = (np.arange(GRID) + 0.5) / GRID
    return np.asarray(np.quantile(values, places, method="inverted_cdf"))


def _orbits(graph: Graph) -> np.ndarray:
    return np.asarray(np.log1p(orbit_counts(graph.adjacency).mean(0)))


def _grid(name: str) -> tuple[str, ...]:
    return tuple(f"{name}, quantile {(k + 0.5) / GRID:.3f}" for k in range(GRID))


def _size(of: Callable[[Graph], float], name: str) -> Descriptor:
    return Descriptor(lambda graph: np.array([float(of(graph))]), (name,), 1.0, "", whole=True)


def _parts(graph: Graph) -> int:
    return int(connected_components(csr_array(graph.adjacency), directed=False)[0])


DESCRIPTORS: Mapping[str, Descriptor] = {
    "nodes": _size(len, "nodes"),
    "edges": _size(lambda graph: len(graph.edges), "edges"),
    "parts": _size(_parts, "parts"),
    "diameter": _size(diameter, "diameter"),
    "degree": Descriptor(lambda g: _quantiles(degrees(g)), _grid("degree"), 0.1, "edges of a node"),
    "clustering": Descriptor(
        lambda g: _quantiles(clustering(g)), _grid("clustering"), 0.02, "share of pairs"
    ),
    "spectrum": Descriptor(
        lambda g: _quantiles(spectrum(g)), _grid("spectrum"), 0.02, "eigenvalues"
    ),
    "orbits": Descriptor(
        _orbits, tuple(f"{name} a node" for name in ORBITS), 0.05, "log(1 + mean count)"
    ),
}
SPANS: dict[str, slice] = {}
for _name, _own in DESCRIPTORS.items():
    _start = max((span.stop for span in SPANS.values()), default=0)
    SPANS[_name] = slice(_start, _start + len(_own.columns))
COLUMNS = tuple(name for own in DESCRIPTORS.values() for name in own.columns)


@lru_cache(CACHED)
def _described(graph: Graph) -> np.ndarray:
    return np.concatenate([own.of(graph) for own in DESCRIPTORS.values()])


def described(graphs: Sequence[Graph] | np.ndarray) -> np.ndarray:
    """Return the descriptors of graphs, (n, columns); zeros for a graph without nodes."""
    none = np.zeros(len(COLUMNS))
    return np.array([_described(g) if len(g) else none for g in graphs]).reshape(-1, len(COLUMNS))


def spreads(rows: np.ndarray) -> dict[str, float]:
    """Return of rows by ``described`` the root mean square distance from their mean, by name."""
    made = {}
    for name, own in DESCRIPTORS.items():
        block = rows[:, SPANS[name]]
        made[name] = max(float(np.sqrt(((block - block.mean(0)) ** 2).mean())), own.least)
    return made


def scaled(rows: np.ndarray, scales: Mapping[str, float]) -> np.ndarray:
    """Return rows by ``described`` so that every descriptor weighs as much as another.

    The Euclidean distance of two graphs is the root of a sum of squares: of each descriptor's
    distance over its scale, of distributions W2 between the two, to the width of the grid.
    """
    made = np.empty_like(rows)
    for name, own in DESCRIPTORS.items():
        made[:, SPANS[name]] = rows[:, SPANS[name]] / (scales[name] * len(own.columns) ** 0.5)
    return made
