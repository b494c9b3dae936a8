"""Graphs as files and objects in memory have them, each with its place."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd

from surveyor.errors import InputError
from surveyor.kinds.graphs.tudataset import is_tudataset, read_tudataset
from surveyor.reading import read_bytes, shortened

MOST = 2**30  # bytes of a file
LINES, TABLES = (".g6",), (".csv",)
XML, LISTS = (".graphml", ".gml", ".gexf"), (".edgelist",)
SINGLE = (*XML, *LISTS)  # one graph a file
PICKLES = (".gpickle", ".pkl", ".pickle", ".pt", ".pth")
ENDS = (("u", "v"), ("source", "target"), ("from", "to"), ("src", "dst"), ("node1", "node2"))
NAMES = ("graph", "graph_id")


@dataclass(frozen=True, eq=False)
class Found:
    """Graphs of ``where``, or in place of one why it cannot be read; number k is at ``places`` k.

    ``form`` is the suffix of their files, with a slash before it where they are a folder;
    ``columns`` hold a value for each.
    """

    graphs: Sequence[nx.Graph | str]
    where: str
    places: Sequence[str]
    form: str
    columns: Mapping[str, pd.Series] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.graphs)


def in_memory(source: Any) -> bool:
    """Return whether ``source`` is a graph of networkx, or a list of such."""
    if isinstance(source, nx.Graph):
        return True
    return (
        isinstance(source, (list, tuple))
        and len(source) > 0
        and all(isinstance(one, nx.Graph) for one in source)
    )


def is_folder_of_graphs(folder: Path) -> bool:
    """Return whether a folder is a TUDataset, or holds files of graphs or pickles of them."""
    if is_tudataset(folder):
        return True
    names = [path.name.lower() for path in folder.iterdir() if path.is_file()]
    if any(name.endswith((*SINGLE, ".gpickle", ".pt")) for name in names):
        return True
    tables = [path for path in folder.iterdir() if path.name.lower().endswith(TABLES)]
    return bool(tables) and len(tables) == len(names) and ends_of(head_of(tables[0])) is not None


def head_of(path: Path) -> list[str]:
    """Return the names of a CSV's columns; none if it has no such line."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            line = file.readline(2**16)
    except (OSError, UnicodeError):
        return []
    return [word.strip().strip('"') for word in line.split(",")]


def ends_of(names: Sequence[Any]) -> tuple[str, str] | None:
    """Return which columns hold the two ends of an edge; None if none are named so."""
    by_name = {str(name).lower(): str(name) for name in names}
    for one, other in ENDS:
        if one in by_name and other in by_name:
            return by_name[one], by_name[other]
    return None


def graph_of(names: Sequence[Any]) -> str | None:
    """Return which column says to which graph an edge belongs; None if none is named so."""
    return next((str(name) for name in names if str(name).lower() in NAMES), None)


def is_table_of_graphs(names: Sequence[Any]) -> bool:
    """Return whether a table with such columns is one of edges of several graphs."""
    return ends_of(names) is not None and graph_of(names) is not None


def find(source: Any) -> Found:
    """Read graphs, with what could not be read in their place.

    Raises:
        InputError: the file or folder cannot be read as a whole.
    """
    if isinstance(source, nx.Graph):
        return Found([source], "data", ["graph 1"], ".g6")
    if isinstance(source, pd.DataFrame):
        return _of_table(source.astype(str).mask(source.isna(), ""), "DataFrame")
    if not isinstance(source, (str, Path)):
        places = [f"graph {k}" for k in range(1, len(source) + 1)]
        return Found(list(source), "data", places, ".g6")
    path = Path(source)
    if path.is_dir():
        return _of_folder(path)
    refuse_pickle(path)
    name = path.name.lower()
    if name.endswith(LINES):
        return _of_lines(path)
    if name.endswith(SINGLE):
        return Found([_one(path)], str(path), [path.name], path.suffix.lower())
    return _of_table(_table(path), str(path))


def refuse_pickle(path: Path) -> None:
    """Refuse pickles by name.

    Raises:
        InputError: the file is one.
    """
    if path.name.lower().endswith(PICKLES):
        raise InputError(
            f"{path}: a pickle can run code and is not opened; save graphs as .graphml, one a "
            "file, or as .g6, one a line"
        )


def _of_folder(folder: Path) -> Found:
    if is_tudataset(folder):
        graphs, columns = read_tudataset(folder)
        places = [f"graph {k}" for k in range(1, len(graphs) + 1)]
        return Found(graphs, str(folder), places, "/tudataset", columns)
    files = sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))
    if pickles := [p for p in files if p.name.lower().endswith(PICKLES)]:
        refuse_pickle(pickles[0])
    kinds = {s: [p for p in files if p.name.lower().endswith(s)] for s in (*SINGLE, *TABLES)}
    there = {suffix: own for suffix, own in kinds.items() if own}
    if len(there) != 1:
        raise InputError(
            f"{folder}: files of several formats ({', '.join(there)}); give those of one"
        )
    ((suffix, own),) = there.items()
    found = [_or_reason(_edges if suffix in TABLES else _one, path) for path in own]
    return Found(found, str(folder), [p.name for p in own], f"/{suffix}", _beside(found))


def _beside(graphs: Sequence[nx.Graph | str]) -> dict[str, pd.Series]:
    """Return the attributes of whole graphs that all of them have, and that differ, as columns."""
    rows = [{} if isinstance(graph, str) else graph.graph for graph in graphs]
    made = {}
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        if all(isinstance(v, (str, int, float)) for v in values) and len(set(values)) > 1:
            made[str(name)] = pd.Series(values)
    return made


def _or_reason(read: Callable[[Path], nx.Graph], path: Path) -> nx.Graph | str:
    try:
        return read(path)
    except InputError as error:
        return error.problems[0].removeprefix(f"{path}: ")


def _one(path: Path) -> nx.Graph:
    """Read a file with one graph.

    Raises:
        InputError: it cannot be read.
    """
    if path.name.lower().endswith(LISTS):
        return _edge_list(path)
    readers = {
        ".graphml": lambda data: nx.read_graphml(io.BytesIO(data)),
        ".gexf": lambda data: nx.read_gexf(io.BytesIO(data)),
        ".gml": lambda data: nx.parse_gml(data.decode(), label=None),
    }
    data = read_bytes(path, MOST)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return readers[path.suffix.lower()](data)
    except Exception as error:  # whatever a broken file makes the readers raise
        why = str(error).strip() or type(error).__name__
        raise InputError(f"{path}: cannot be read ({shortened(why)}); check the file") from error


def _edge_list(path: Path) -> nx.Graph:
    """Read two nodes a line, or one without edges; further words of a line are left out."""
    made, more = nx.MultiGraph(), False
    for line in _text(path).splitlines():
        words = line.partition("#")[0].split()
        more |= len(words) > 2
        if len(words) == 1:
            made.add_node(words[0])
        elif words:
            made.add_edge(words[0], words[1])
    if more:
        made.graph["left_out"] = "words after the two nodes"
    return made


def _text(path: Path) -> str:
    try:
        return read_bytes(path, MOST).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 text; convert it") from error


def _of_lines(path: Path) -> Found:
    found, places = list[nx.Graph | str](), list[str]()
    for number, line in enumerate(read_bytes(path, MOST).splitlines(), 1):
        text = line.strip().removeprefix(b">>graph6<<")
        if not text:
            continue
        places.append(f"line {number}")
        try:
            found.append(nx.from_graph6_bytes(text))
        except Exception as error:  # whatever broken lines make the reader raise
            found.append(shortened(error) or "not graph6")
    return Found(found, str(path), places, ".g6")


def _table(path: Path) -> pd.DataFrame:
    text = _text(path)
    try:
        return pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False, index_col=False)
    except ValueError as error:
        raise InputError(f"{path}: cannot be read ({shortened(error)}); check the file") from error


def _edges(path: Path) -> nx.Graph:
    """Read a CSV with the edges of one graph.

    Raises:
        InputError: no columns are named as the ends of edges.
    """
    frame = _table(path)
    ends = ends_of(list(frame.columns))
    if ends is None:
        raise InputError(f"{path}: no columns u and v; name those that hold the ends of edges so")
    return _built(_typed(frame, ends), ends)


def _of_table(frame: pd.DataFrame, where: str) -> Found:
    """Read a table of the edges of several graphs.

    Columns that are constant in every graph, and differ between graphs, are of whole graphs.
    """
    ends, name = ends_of(list(frame.columns)), graph_of(list(frame.columns))
    if ends is None:
        raise InputError(f"{where}: no columns u and v; name those that hold the ends of edges so")
    if name is None:
        return Found([_built(_typed(frame, ends), ends)], where, ["graph 1"], ".csv")
    frame = _typed(frame, (name, *ends))
    by = frame.groupby(name, sort=False)
    beside = [
        own
        for own in frame.columns
        if own not in (name, *ends) and frame[own].nunique() > 1 and by[own].nunique().max() == 1
    ]
    columns = {str(own): by[own].first().reset_index(drop=True) for own in beside}
    parts = list(frame.drop(columns=[name, *beside]).groupby(frame[name], sort=False))
    made = [_built(part, ends) for _, part in parts]
    return Found(made, where, [f"graph {own}" for own, _ in parts], ".csv", columns)


def _built(frame: pd.DataFrame, ends: tuple[str, str]) -> nx.Graph:
    """Return the graph of edges; an empty end stands for a node without any.

    Columns such as u_kind and v_kind are labels of the two ends.
    """
    made = nx.MultiGraph()
    prefixes = tuple(f"{end}_" for end in ends)
    names = [str(n) for n in frame.columns if n not in ends]
    of_nodes = [n for n in names if n.startswith(prefixes)]
    shared = {n.split("_", 1)[1] for n in of_nodes if n.startswith(prefixes[0])}
    shared &= {n.split("_", 1)[1] for n in of_nodes if n.startswith(prefixes[1])}
    labels = {p + own: frame[p + own].tolist() for p in prefixes for own in shared}
    edges = {n: frame[n].tolist() for n in names if n not in labels}
    both = [frame[end].str.strip().tolist() for end in ends]
    for k, pair in enumerate(zip(*both, strict=True)):
        for node, prefix in zip(pair, prefixes, strict=True):
            if node:
                given = {own: labels[prefix + own][k] for own in sorted(shared)}
                made.add_node(node, **given)
        if all(pair):
            made.add_edge(*pair, **{n: values[k] for n, values in edges.items()})
    return made


def _typed(frame: pd.DataFrame, texts: Sequence[str]) -> pd.DataFrame:
    """Return a table of text with whole numbers in columns of such, apart from those in ``texts``.

    Empty cells there are None.
    """
    made = frame.copy()
    for name in frame.columns:
        cells = frame[name].tolist()
        there = [cell for cell in cells if cell]
        if name not in texts and there and all(map(_is_whole, there)):
            made[name] = pd.Series(
                [int(c) if c else None for c in cells], frame.index, dtype=object
            )
    return made


def _is_whole(cell: str) -> bool:
    return cell.lstrip("-").isdecimal() and str(int(cell)) == cell
