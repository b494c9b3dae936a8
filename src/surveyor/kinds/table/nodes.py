"""A column of a table whose values are nodes of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse.csgraph import dijkstra

from surveyor.data import NodeSpace, Options, check_columns
from surveyor.data.columns import Column
from surveyor.errors import InputError, did_you_mean
from surveyor.kinds.table.frames import Frame
from surveyor.networks import Network
from surveyor.networks.files import read_network
from surveyor.transport import adjacency, ground_costs

MOST = 2_000  # nodes of a column, whose distances are a dense matrix
SHOWN = 3
NEAR = 1e-9  # relative: a way through a third node is as short


@dataclass(frozen=True, eq=False)
class Nodes:
    """The shortest paths between the nodes of a ``column``.

    ``paths`` (size + 1, size + 1) are those between the column's codes, the last of which stands
    for nodes that the training rows lack. These, and a missing node, are as far from every other
    node as the two furthest are from each other. One unit is ``length`` of the edges' lengths:
    sqrt(E d^2 / 2) of two training rows, as the standard deviation is of numbers.
    """

    column: str
    paths: np.ndarray
    length: float

    def costs(self, a: np.ndarray, b: np.ndarray, start: int) -> np.ndarray:
        """Return the distances (n, m) of points whose block of nodes begins at ``start``.

        They are those along paths plus Euclidean ones in all other entries. A critic has slope 1
        under their sum if and only if it has slope 1 in the other entries, and changes by no more
        than its length along every edge.
        """
        block = slice(start, start + len(self.paths) - 1)
        codes, rest = [], []
        for side in (a, b):
            hot = side[:, block]
            codes.append(np.where(hot.max(1) > 0, hot.argmax(1), len(self.paths) - 1))
            rest.append(np.delete(side, block, axis=1))
        apart = self.paths[np.ix_(*codes)]
        return apart + ground_costs(rest[0], rest[1]) if rest[0].shape[1] else apart

    def space(self, start: int) -> NodeSpace:
        """Return the edges between codes: the pairs between which no third node lies.

        Every shortest path consists of such pairs.
        """
        paths = self.paths[:-1, :-1]
        through = np.full_like(paths, np.inf)
        for k, far in enumerate(paths):
            via = far[:, None] + far
            via[k] = via[:, k] = np.inf
            np.minimum(through, via, out=through)
        edges = np.argwhere(np.triu(through > paths * (1 + NEAR), 1))
        return NodeSpace(start, len(paths), edges, paths[edges[:, 0], edges[:, 1]])


def check_nodes(frame: Frame, options: Options) -> None:
    """Check that all values of the column of nodes are nodes of the network.

    Raises:
        InputError: they are not, or column or network cannot be read.
    """
    name = options.node
    if name is None or options.graph is None:
        return
    problems = check_columns([name], frame.names, "--node")
    problems += [
        f"--node {name}: also in {flag}; leave one of them out"
        for flag, others in (("--condition", options.condition), ("--drop", options.drop))
        if name in others
    ]
    if problems:
        raise InputError(*problems)
    network = _network(options)
    seen: dict[str, int] = {}
    for chunk in frame.chunks():
        for value, count in chunk[name].dropna().astype(str).value_counts().items():
            seen[str(value)] = seen.get(str(value), 0) + int(count)
    unknown = sorted(value for value in seen if value not in network.places)
    if unknown:
        shown = ", ".join(unknown[:SHOWN]) + (", ..." if len(unknown) > SHOWN else "")
        rows = sum(seen[value] for value in unknown)
        raise InputError(
            f"--node {name}: {len(unknown):,} names in {rows:,} rows are not in {options.graph} "
            f"({shown}){did_you_mean(unknown[0], network.names)}; add their edges, or remove "
            "these rows"
        )
    if len(seen) > MOST:
        raise InputError(
            f"--node {name}: {len(seen):,} different nodes; at most {MOST:,} can be learnt, merge "
            "some into larger ones"
        )
    _one_part(name, network, list(seen))


def fit_nodes(column: Column, options: Options) -> Nodes:
    """Return the shortest paths between the nodes of a fitted column."""
    network = _network(options)
    places = [network.places[label] for label in column.labels]
    graph = adjacency(network.edges, network.lengths, len(network.names))
    known = dijkstra(graph, directed=False, indices=places)[:, places]
    paths = np.full((column.size + 1, column.size + 1), known.max())
    paths[: len(known), : len(known)] = known
    np.fill_diagonal(paths, 0)
    share = column.frequency / column.frequency.sum()
    length = float(np.sqrt(share @ paths[:-1, :-1] ** 2 @ share / 2)) or 1.0
    return Nodes(column.name, paths / length, length)


def nodes_state(nodes: Nodes | None) -> tuple[Mapping[str, Any], dict[str, np.ndarray]]:
    """Return what ``nodes_restore`` reads back."""
    if nodes is None:
        return {}, {}
    own = {"column": nodes.column, "length": nodes.length}
    return {"nodes": own}, {"nodes.paths": nodes.paths}


def nodes_restore(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Nodes | None:
    """Return the nodes that ``nodes_state`` described."""
    if "nodes" not in meta:
        return None
    own = meta["nodes"]
    return Nodes(str(own["column"]), arrays["nodes.paths"], float(own["length"]))


def _network(options: Options) -> Network:
    assert options.graph is not None
    return read_network(options.graph, options.length)


def _one_part(name: str, network: Network, nodes: list[str]) -> None:
    part = network.parts[[network.places[node] for node in nodes]]
    if len(np.unique(part)) > 1:
        one, other = (nodes[int(np.argmax(part == k))] for k in np.unique(part)[:2])
        raise InputError(
            f"--node {name}: no path leads from {one} to {other}, so their distance is infinite; "
            "add an edge between their parts of the network, or keep the rows of one part"
        )
