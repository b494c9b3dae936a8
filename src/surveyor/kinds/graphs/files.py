"""Files of graphs: folders with one a file, graph6, tables of edges, TUDatasets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options
from surveyor.errors import InputError, notify
from surveyor.kinds.graphs.alphabet import Alphabet
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.graphs import Graph, Graphs
from surveyor.kinds.graphs.labels import Attributes
from surveyor.kinds.graphs.screening import (
    CORRECT,
    LEAVE_OUT,
    Reason,
    enough,
    one_network,
    screened,
)
from surveyor.kinds.graphs.sources import (
    LINES,
    PICKLES,
    SINGLE,
    TABLES,
    find,
    head_of,
    in_memory,
    is_folder_of_graphs,
    is_table_of_graphs,
)
from surveyor.kinds.graphs.writing import write, write_folder

DEFAULTS: Mapping[str, Any] = {
    "objective": "relativistic",
    "constraint": ("gradient-penalty:weight=0.1,points=both,target=0",),
    "generator": "graph-rnn:width=64,pointer=64,order=cardinality,triangles=true",
    "critic": "relational",
    "critic_steps": 1,
    "warm_start": 1.0,
    "warm_rate": 6e-3,
    "generator_rate": 1e-4,
    "critic_rate": 1e-3,
    "ema_decay": 0.99,
}
COST, FEWEST, MOST = 200_000, 4, 32  # nodes that a step looks at; graphs of a batch
EPOCHS, FEWEST_STEPS, MOST_STEPS = 50, 300, 2_000


class GraphFiles(Files):
    """Graphs as files of networkx's formats, one each, or many in one file."""

    suffixes = (*TABLES, *LINES)
    outputs = ("",)

    def recognises(self, source: Any) -> bool:
        """Take files by their suffix, tables by their columns, folders by their files."""
        if isinstance(source, Graphs) or in_memory(source):
            return True
        if isinstance(source, pd.DataFrame):
            return is_table_of_graphs(list(source.columns))
        if not isinstance(source, (str, Path)):
            return False
        path = Path(source)
        if path.is_dir():
            return is_folder_of_graphs(path)
        name = path.name.lower()
        return name.endswith((*LINES, *SINGLE, *PICKLES)) or (
            name.endswith(TABLES) and is_table_of_graphs(head_of(path))
        )

    def declines(self, options: Options) -> bool:
        """Leave a table to others if columns are to be dropped, or read as a type."""
        return bool(options.drop or options.type)

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Graphs:
        """Read graphs to learn from.

        Raises:
            InputError: graphs that cannot be used, unless the options are ``lenient``; too few.
        """
        if options.size is not None:
            raise InputError("--size: only for pictures; leave it out")
        if isinstance(source, Graphs):
            return source
        found = find(source)
        if len(found) == 1:
            raise one_network(found)
        raw = screened(found, options.lenient, LEAVE_OUT)
        asked = (*options.condition, *(() if options.group is None else (options.group,)))
        if unused := [name for name in raw.columns if name not in asked]:
            notify(
                f"{found.where}: not learnt: {', '.join(unused)}; name those to choose by with "
                "--condition"
            )
        return enough(raw, found.where)

    def reopen(self, source: Any, codec: Codec, options: Options = DEFAULT_OPTIONS) -> Graphs:
        """Read other graphs, all of them that a fitted codec can represent."""
        assert isinstance(codec, GraphCodec)
        own = codec.alphabet

        def strange(graphs: Sequence[Graph | None]) -> Iterator[Reason]:
            unknown = [g is not None and own.unknown(g) for g in graphs]
            beyond = [g is not None and own.beyond(g) for g in graphs]
            yield Reason(np.array(unknown), "have labels that no training graph has")
            yield Reason(
                np.array(beyond),
                f"are larger than training graphs (at most {own.nodes} nodes, {own.parts} "
                f"{'part' if own.parts == 1 else 'parts'}, {own.cycles} edges more than a tree)",
            )

        if isinstance(source, Graphs):
            return source
        names = Attributes(*codec.names, {})
        return screened(find(source), options.lenient, CORRECT, names, strange)

    def read_comparable(self, sources: Sequence[Any], options: Options) -> list[Graphs]:
        """Read several data sets, with labels of the attributes that are learnt in all of them."""
        if all(isinstance(source, Graphs) for source in sources):
            return list(sources)
        every = [find(source) for source in sources]
        for found in every:
            if len(found) == 1:
                raise one_network(found)
        first = [screened(found, options.lenient, CORRECT) for found in every]
        nodes, edges = (
            tuple(n for n in one if all(n in getattr(raw, which) for raw in first))
            for which, one in (
                ("node_names", first[0].node_names),
                ("edge_names", first[0].edge_names),
            )
        )
        if all((raw.node_names, raw.edge_names) == (nodes, edges) for raw in first):
            return first
        told = ", ".join((*nodes, *edges)) or "none"
        notify(f"the sets have different labels; compared are those of all: {told}")
        names = Attributes(nodes, edges, {})
        return [screened(found, options.lenient, CORRECT, names) for found in every]

    def defaults(self, raw: Graphs, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        space = Alphabet.of(raw.graphs.tolist()).space
        batch = min(max(COST // (space.steps * space.nodes), FEWEST), MOST)
        epochs = round(EPOCHS * len(raw) / batch)
        length = {"steps": min(max(epochs, FEWEST_STEPS), MOST_STEPS), "batch": batch}
        return {"latent": f"gaussian:dimensions={2 * space.steps}", **length, **DEFAULTS}

    def take(self, raw: Graphs, index: np.ndarray) -> Graphs:
        """Return the chosen graphs."""
        return raw.take(index)

    def columns(self, raw: Graphs) -> list[str]:
        """Return the names of the columns beside the graphs."""
        return list(raw.columns)

    def concatenate(self, a: Graphs, b: Graphs) -> Graphs:
        """Return the graphs of both sets."""
        return a.joined(b)

    def keys(self, raw: Graphs, codec: Codec) -> np.ndarray:
        """Return one number per graph, equal for isomorphic ones."""
        return codec.keys(raw)

    def fit(self, raw: Graphs, options: Options) -> GraphCodec:
        """Fit the codec of the graphs and their conditions."""
        return GraphCodec.fit(raw, options)

    def suffix_for(self, codec: Codec) -> str:
        """Return the suffix of the data's own file; none if they were a folder."""
        assert isinstance(codec, GraphCodec)
        return "" if codec.form.startswith("/") else codec.form

    def write(self, samples: pd.DataFrame, path: Path) -> None:
        """Write graph6, a line each, or a table of edges, as the suffix says."""
        write(samples, path)

    def write_folder(self, samples: Any, path: Path, names: Sequence[str] = ()) -> None:
        """Write a file a graph, or a TUDataset, as the data were."""
        write_folder(samples, path)
