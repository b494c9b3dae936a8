"""Which graphs of a data set can be learnt; what is changed or left out is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx
import numpy as np

from surveyor.errors import InputError, notify
from surveyor.kinds.graphs.graphs import Graph, Graphs, as_array
from surveyor.kinds.graphs.isomorphism import repeats
from surveyor.kinds.graphs.labels import Attributes, attributes_of
from surveyor.kinds.graphs.sources import Found

MOST_NODES, MOST_EDGES = 300, 3_000
FEWEST = 20  # graphs to learn from
SHOWN = 3  # graphs named

CORRECT = "correct or remove them"
LEAVE_OUT = f"{CORRECT}, or leave them out with --lenient"


@dataclass(frozen=True, eq=False)
class Reason:
    """Why graphs cannot be used: which, (n,), and the words for it."""

    which: np.ndarray
    words: str


More = Callable[[Sequence[Graph | None]], Iterator[Reason]]


def screened(
    found: Found,
    lenient: bool,
    remedy: str,
    names: Attributes | None = None,
    more: More | None = None,
) -> Graphs:
    """Return the graphs that can be used, undirected and without loops.

    Labels are made of the attributes in ``names``, by default of those that ``attributes_of``
    chooses. ``more`` yields further reasons against graphs. With ``lenient`` what cannot be used
    is left out, with notices.

    Raises:
        InputError: there is no graph, or some cannot be used; a line for each reason.
    """
    if not len(found):
        raise InputError(f"{found.where}: no graphs")
    reasons = list(_unusable(found, names))
    lost = np.any([own.which for own in reasons], axis=0)
    simple = [None if out else _simple(g) for g, out in zip(found.graphs, lost, strict=True)]
    there = [graph for graph in simple if graph is not None]
    chosen = attributes_of(there) if names is None else names
    graphs = [None if g is None else Graph.of(g, chosen.nodes, chosen.edges) for g in simple]
    if more is not None:
        reasons += more(graphs)
    problems = [f"{_line(found, own)}; {remedy}" for own in reasons if own.which.any()]
    lost = np.any([own.which for own in reasons], axis=0)
    if problems and (not lenient or lost.all()):
        raise InputError(*problems)
    for own in reasons:
        if own.which.any():
            notify(f"{_line(found, own)}; left out")
    _tell_changes(found, lost)
    if chosen.left_out:
        told = ", ".join(f"{name} ({why})" for name, why in chosen.left_out.items())
        notify(f"{found.where}: not learnt: {told}")
    left = np.flatnonzero(~lost)
    columns = {n: values.iloc[left].reset_index(drop=True) for n, values in found.columns.items()}
    kept = as_array([g for k in left if (g := graphs[k]) is not None])
    return Graphs(kept, chosen.nodes, chosen.edges, columns, found.form)


def enough(raw: Graphs, where: str) -> Graphs:
    """Return graphs to learn from; how many repeat others is told.

    Raises:
        InputError: there are too few.
    """
    if len(raw) < FEWEST:
        raise InputError(f"{where}: {len(raw)} graphs are too few; give at least {FEWEST}")
    if count := int(repeats(raw.graphs.tolist()).sum()):
        rows = f"{count:,} graphs repeat" if count > 1 else "1 graph repeats"
        notify(
            f"{where}: {rows} others, up to the order of nodes; a graph may be among training and "
            "held-out ones"
        )
    return raw


def one_network(found: Found) -> InputError:
    """Return the error for a single graph where many are needed."""
    graph = found.graphs[0]
    size = "" if isinstance(graph, str) else f", of {len(graph):,} nodes"
    return InputError(
        f"{found.where}: one graph{size}, where many are needed; for one network there are "
        "surveyor score --network and surveyor distance A B --graph"
    )


def _unusable(found: Found, names: Attributes | None) -> Iterator[Reason]:
    texts = [one if isinstance(one, str) else "" for one in found.graphs]
    bad = [not isinstance(one, nx.Graph) for one in found.graphs]
    first = next((text for text in texts if text), "")
    yield Reason(np.array(bad), f"cannot be read ({first})")
    sizes = [
        (-1, -1) if isinstance(g, str) else (len(g), g.number_of_edges()) for g in found.graphs
    ]
    nodes, edges = np.array(sizes).T
    yield Reason(nodes == 0, "have no nodes")
    yield Reason(nodes > MOST_NODES, f"have more than {MOST_NODES:,} nodes")
    yield Reason(
        (edges > MOST_EDGES) & (nodes <= MOST_NODES), f"have more than {MOST_EDGES:,} edges"
    )
    for what, own in (("node", names.nodes), ("edge", names.edges)) if names is not None else ():
        for name in own:
            lack = [not isinstance(g, str) and not _all_have(g, what, name) for g in found.graphs]
            yield Reason(np.array(lack), f"have {what}s without the label {name!r}")


def _all_have(graph: nx.Graph, what: str, name: str) -> bool:
    every: Any = graph.nodes if what == "node" else graph.edges
    return all(own[-1].get(name) not in (None, "") for own in every(data=True))


def _simple(found: nx.Graph) -> nx.Graph:
    """Return a graph undirected, with the first of repeated edges, and without loops."""
    made = nx.Graph()
    made.add_nodes_from(found.nodes(data=True))
    for u, v, own in found.edges(data=True):
        if u != v and not made.has_edge(u, v):
            made.add_edge(u, v, **own)
    return made


def _tell_changes(found: Found, lost: np.ndarray) -> None:
    directed = loops = repeated = 0
    words = set[str]()
    for graph, out in zip(found.graphs, lost, strict=True):
        if out or isinstance(graph, str):
            continue
        directed += graph.is_directed()
        own = nx.number_of_selfloops(graph)
        loops += own > 0
        ends = {frozenset(e) for e in graph.edges() if e[0] != e[1]}
        repeated += not graph.is_directed() and graph.number_of_edges() - own > len(ends)
        words.update({graph.graph["left_out"]} if "left_out" in graph.graph else ())
    told = {
        "edges lose their direction in": directed,
        "loops are left out of": loops,
        "of repeated edges the first is kept in": repeated,
    }
    for what, count in told.items():
        if count:
            notify(f"{found.where}: {what} {count:,} of {len(found):,} graphs")
    for what in words:
        notify(f"{found.where}: {what} are left out")


def _line(found: Found, reason: Reason) -> str:
    at = np.flatnonzero(reason.which)
    shown = ", ".join(found.places[k] for k in at[:SHOWN]) + ", ..." * (len(at) > SHOWN)
    return f"{found.where}: {len(at):,} of {len(found):,} graphs {reason.words}: {shown}"
