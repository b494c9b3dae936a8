"""Which attributes of nodes and edges make up their labels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import networkx as nx

VALUES, TYPES = 32, 64  # most different values of an attribute, and of all of them together


@dataclass(frozen=True)
class Attributes:
    """The attributes of nodes and of edges that are learnt, and why others are not, by name."""

    nodes: tuple[str, ...]
    edges: tuple[str, ...]
    left_out: dict[str, str]


def attributes_of(graphs: Sequence[nx.Graph]) -> Attributes:
    """Return what is learnt: attributes that all nodes have, or all edges, of few values.

    Those whose values all differ within every graph are names, and are not learnt.
    """
    left_out: dict[str, str] = {}
    nodes = _chosen([[own for _, own in g.nodes(data=True)] for g in graphs], "node", left_out)
    edges = _chosen([[own for _, _, own in g.edges(data=True)] for g in graphs], "edge", left_out)
    return Attributes(nodes, edges, left_out)


def _chosen(
    graphs: Sequence[Sequence[dict[str, Any]]], what: str, left_out: dict[str, str]
) -> tuple[str, ...]:
    names = dict.fromkeys(str(name) for own in graphs for one in own for name in one)
    values: dict[str, set[Any]] = {}
    for name in names:
        reason, found = _seen([[one.get(name) for one in own] for own in graphs], what)
        if reason:
            left_out[f"{name} of {what}s"] = reason
        else:
            values[name] = found
    while math.prod(map(len, values.values())) > TYPES:
        most = max(values, key=lambda name: len(values[name]))
        left_out[f"{most} of {what}s"] = f"more than {TYPES} combinations of labels"
        del values[most]
    return tuple(values)


def _seen(graphs: Sequence[Sequence[Any]], what: str) -> tuple[str, set[Any]]:
    found: set[Any] = set()
    for own in graphs:
        if any(value is None or value == "" for value in own):
            return f"not every {what} has it", found
        if not all(isinstance(value, (str, int, float)) for value in own):
            return "neither text nor numbers", found
        found.update(own)
    if all(len(set(own)) == len(own) for own in graphs) and len(found) > 1:
        return f"a name of each {what}", found
    if len(found) > VALUES:
        return f"more than {VALUES} different values", found
    return "", found


def ordered(labels: Iterable[tuple[Any, ...]]) -> tuple[tuple[Any, ...], ...]:
    """Return different labels, the most frequent first."""
    counts: dict[tuple[Any, ...], int] = {}
    for label in labels:
        counts[label] = counts.get(label, 0) + 1
    return tuple(sorted(counts, key=lambda label: (-counts[label], str(label))))
