"""Graphs as tables of numbers: their descriptors, and the shares of labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

import surveyor.panels.drawing as draw
from surveyor.data.columns import Column
from surveyor.data.coordinates import Coordinates
from surveyor.data.fitting import fit_column
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.descriptors import COLUMNS, SPANS, clustering, degrees, described
from surveyor.kinds.graphs.drawing import sheet
from surveyor.kinds.graphs.graphs import Graph, Graphs
from surveyor.kinds.graphs.orbits import ORBITS, orbit_counts
from surveyor.panels import Picture, Section, Text, TwoSets
from surveyor.two_sample import Samples, some

MOST = 2_000  # graphs of a set that tests see
SHOWN = 12  # pictures of each set
COUNTED = ("triangles", "squares", "cliques of 4")


def numbered(graphs: Sequence[Graph]) -> pd.DataFrame:
    """Return what a reader knows a graph by: sizes, and means over its nodes."""
    rows = described(graphs)
    sizes = ("nodes", "edges", "parts", "diameter")
    made = {name: rows[:, SPANS[name]][:, 0].astype(np.int64) for name in sizes}
    orbits = np.array([orbit_counts(g.adjacency).mean(0) for g in graphs]).reshape(-1, len(ORBITS))
    return pd.DataFrame(
        made
        | {
            "mean degree": [float(degrees(g).mean()) for g in graphs],
            "largest degree": [int(degrees(g).max()) for g in graphs],
            "clustering": [float(clustering(g).mean()) for g in graphs],
        }
        | {f"{name} a node": orbits[:, ORBITS.index(name)] for name in COUNTED}
    )


def number_columns(*tables: pd.DataFrame) -> tuple[Column, ...]:
    """Return the columns of numbers fitted to all rows."""
    every = pd.concat(tables, ignore_index=True)
    return tuple(fit_column(str(name), every[name]) for name in every)


def coordinates(codec: GraphCodec, raw: tuple[Graphs, Graphs]) -> Coordinates:
    """Return the numbers of both sets of graphs, shares of labels, and the condition columns."""
    tables = []
    for side in raw:
        graphs = side.graphs.tolist()
        shares = pd.DataFrame(codec.shares_of(graphs), columns=codec.share_names)
        tables.append(pd.concat([numbered(graphs), shares], axis=1))
    columns = number_columns(*tables)
    for own in codec.condition.columns:
        if own.name not in tables[0] and all(own.name in side.columns for side in raw):
            for table, side in zip(tables, raw, strict=True):
                table[own.name] = side.columns[own.name].to_numpy()
            columns = (*columns, own)
    return Coordinates((tables[0], tables[1]), columns)


def samples(codec: GraphCodec, raw: tuple[Graphs, Graphs], points: Any) -> Samples:
    """Return some graphs of both sets by their descriptors."""
    sides = [side.graphs[some(len(side), MOST, 0)].tolist() for side in raw]
    return compared(codec, sides[0], sides[1], points)


def compared(
    codec: GraphCodec, first: Sequence[Graph], second: Sequence[Graph], points: Any
) -> Samples:
    """Return samples of two sets, whose columns are the descriptors and the shares of labels."""
    a, b = (
        np.concatenate([described(side), codec.shares_of(list(side))], axis=1)
        for side in (first, second)
    )
    names = [*COLUMNS, *codec.share_names]
    none = [False] * len(names)
    return Samples(names, none, lambda k: (a[:, k], b[:, k]), (len(a), len(b)), points)


def both_sets(sets: TwoSets) -> Iterator[Section]:
    """Yield pictures of both sets, and their numbers."""
    n = min(*map(len, sets.raw), SHOWN)
    first, second = (sheet(side.graphs[:n].tolist()) for side in sets.raw)
    names = [name[:1].upper() + name[1:] for name in sets.names]
    yield Section(
        "Graphs",
        (Picture(first, "graphs", names[0]), Picture(second, "graphs", names[1], beside=True)),
    )
    own = sets.coordinates
    if own.columns:
        picture, _ = draw.marginals(own.columns, *own.frames)
        note = Text(f"Grey: {sets.names[0]}. Orange: {sets.names[1]}.", note=True)
        yield Section("Numbers", (Picture(picture, "distributions of numbers"), note))
