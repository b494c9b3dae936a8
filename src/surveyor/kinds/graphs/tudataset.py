"""Folders of TUDatasets (Morris et al. 2020): edges, graphs and labels, a line each."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd

from surveyor.errors import InputError
from surveyor.reading import read_bytes

EDGES, OWNER = "_A.txt", "_graph_indicator.txt"
NODES, BONDS, CLASSES = "_node_labels.txt", "_edge_labels.txt", "_graph_labels.txt"
MOST = 2**30  # bytes of a file
LABEL = "label"


def is_tudataset(folder: Path) -> bool:
    """Return whether a folder has the two files that every TUDataset has."""
    return _name(folder) is not None


def _name(folder: Path) -> str | None:
    for path in sorted(folder.glob(f"*{EDGES}")):
        name = path.name.removesuffix(EDGES)
        if (folder / f"{name}{OWNER}").is_file():
            return name
    return None


def read_tudataset(folder: Path) -> tuple[list[nx.Graph | str], dict[str, pd.Series]]:
    """Return the graphs of a folder, and the column of their labels if there is one.

    Raises:
        InputError: lines that are no whole numbers, or refer to nodes that are not there.
    """
    name = _name(folder)
    edges = _numbers(folder / f"{name}{EDGES}", 2)
    owner = _numbers(folder / f"{name}{OWNER}", 1)[:, 0]
    labels = {s: _labels(folder / f"{name}{s}") for s in (NODES, BONDS, CLASSES)}
    graphs = int(owner.max(initial=0))
    problems = []
    if len(edges) and (edges.min() < 1 or edges.max() > len(owner)):
        problems.append(f"{folder}: edges of nodes that are not there; nodes are 1 to {len(owner)}")
    if len(owner) and owner.min() < 1:
        problems.append(f"{folder}: graphs are numbered from 1")
    expected = {NODES: len(owner), BONDS: len(edges), CLASSES: graphs}
    problems += [
        f"{folder}: {len(own):,} lines in {name}{s}; {expected[s]:,} are needed"
        for s, own in labels.items()
        if own is not None and len(own) != expected[s]
    ]
    if not problems and len(edges) and (owner[edges[:, 0] - 1] != owner[edges[:, 1] - 1]).any():
        problems.append(f"{folder}: edges between nodes of different graphs; remove them")
    if problems:
        raise InputError(*problems)
    made = [nx.Graph() for _ in range(graphs)]
    own, bonds, classes = labels[NODES], labels[BONDS], labels[CLASSES]
    for node, graph in enumerate(owner.tolist()):
        made[graph - 1].add_node(node, **({} if own is None else {LABEL: own[node]}))
    for k, (u, v) in enumerate((edges - 1).tolist()):
        given = {} if bonds is None else {LABEL: bonds[k]}
        made[int(owner[u]) - 1].add_edge(u, v, **given)
    columns = {} if classes is None else {LABEL: pd.Series(classes)}
    return list(made), columns


def _numbers(path: Path, width: int) -> np.ndarray:
    """Return lines of whole numbers with commas between, (n, width)."""
    data = read_bytes(path, MOST)
    try:
        frame = pd.read_csv(io.BytesIO(data), header=None, dtype=np.int64, skipinitialspace=True)
    except pd.errors.EmptyDataError:
        return np.zeros((0, width), dtype=np.int64)
    except ValueError as error:
        raise InputError(f"{path}: not lines of whole numbers; check the file") from error
    if frame.shape[1] != width:
        raise InputError(f"{path}: {frame.shape[1]} numbers a line; {width} are needed")
    return frame.to_numpy()


def _labels(path: Path) -> list[int] | None:
    """Return one label a line; of several, which are rare, the first."""
    if not path.is_file():
        return None
    data = read_bytes(path, MOST)
    try:
        frame = pd.read_csv(io.BytesIO(data), header=None, skipinitialspace=True)
        return [int(value) for value in frame[0]]
    except ValueError as error:
        raise InputError(f"{path}: not lines of whole numbers; check the file") from error


def write_tudataset(
    graphs: Sequence[nx.Graph],
    columns: Mapping[str, Sequence[object]],
    labels: tuple[str, str],
    folder: Path,
    name: str,
) -> None:
    """Write graphs as the TUDataset ``name``; ``labels`` name those of nodes and of edges, if any.

    Each edge stands there twice, once for each direction.
    """
    first = 1
    lines: dict[str, list[str]] = {s: [] for s in (EDGES, OWNER, NODES, BONDS, CLASSES)}
    for number, graph in enumerate(graphs, 1):
        place = {node: first + k for k, node in enumerate(graph)}
        first += len(place)
        for _, own in graph.nodes(data=True):
            lines[OWNER].append(str(number))
            if labels[0]:
                lines[NODES].append(str(own[labels[0]]))
        both = [(place[u], place[v], own) for u, v, own in graph.edges(data=True)]
        for u, v, own in sorted([*both, *((v, u, o) for u, v, o in both)], key=lambda e: e[:2]):
            lines[EDGES].append(f"{u}, {v}")
            if labels[1]:
                lines[BONDS].append(str(own[labels[1]]))
    lines[CLASSES] = [str(value) for value in columns.get(LABEL, ())]
    for suffix, own in lines.items():
        if own or suffix in (EDGES, OWNER):
            text = "".join(f"{line}\n" for line in own)
            (folder / f"{name}{suffix}").write_text(text, encoding="utf-8")
