"""Graphs written: a file each, all in one file, or as a TUDataset."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import networkx as nx
import pandas as pd

from surveyor.errors import InputError, notify
from surveyor.kinds.graphs.tudataset import write_tudataset
from surveyor.writing import replacing_folder


def write(samples: pd.DataFrame, path: Path) -> None:
    """Write all samples to one file: graph6, a line each, or a table of edges.

    Raises:
        InputError: graph6 is asked for, and there are labels or columns, which it cannot hold.
    """
    graphs = list(samples.iloc[:, 0])
    if path.name.lower().endswith(".g6"):
        nodes, edges = _names(samples)
        if lost := [*nodes, *edges, *samples.columns[1:]]:
            raise InputError(
                f"-o {path}: graph6 cannot hold {', '.join(map(str, lost))}; write .csv, or a "
                "folder (a name without a suffix)"
            )
        path.write_bytes(b"".join(nx.to_graph6_bytes(g, header=False) for g in graphs))
        return
    tables = [edge_table(g).assign(graph=k) for k, g in enumerate(graphs, 1)]
    frame = pd.concat(tables, ignore_index=True)
    frame = frame[["graph", *(name for name in frame if name != "graph")]]
    for name in samples.columns[1:]:
        frame[name] = samples[name].to_numpy()[frame["graph"] - 1]
    frame.to_csv(path, index=False)


def write_folder(samples: pd.DataFrame, path: Path) -> None:
    """Write a file for each sample, in the format of the data, or all of them as a TUDataset.

    Columns beside the graphs become attributes of each.
    """
    form = str(samples.attrs.get("form", ""))
    columns = {str(name): samples[name].tolist() for name in samples.columns[1:]}
    graphs = [g.copy() for g in samples.iloc[:, 0]]
    if form == "/tudataset":
        nodes, edges = _names(samples)
        with replacing_folder(path) as new:
            write_tudataset(
                graphs, columns, ("".join(nodes[:1]), "".join(edges[:1])), new, path.name
            )
        return
    suffix = form.removeprefix("/") if form.startswith("/") else ".graphml"
    for k, graph in enumerate(graphs):
        graph.graph.update({name: values[k] for name, values in columns.items()})
    nodes, edges = _names(samples)
    lost = {".edgelist": [*columns, *nodes, *edges], ".gexf": [*columns]}.get(suffix)
    if lost:
        notify(f"{path.name}: {suffix} has no place for: {', '.join(lost)}")
    width = len(str(len(graphs)))
    with replacing_folder(path) as new:
        for k, graph in enumerate(graphs, 1):
            WRITERS[suffix](graph, new / f"{k:0{width}d}{suffix}")


def _names(samples: pd.DataFrame) -> Sequence[Sequence[str]]:
    names: Sequence[Sequence[str]] = samples.attrs.get("names", ((), ()))
    return names


def edge_table(graph: nx.Graph) -> pd.DataFrame:
    """Return a row for each edge, and one with an empty end for each node without any.

    Labels of nodes have a column for each end, such as u_kind and v_kind.
    """
    rows: list[dict[str, Any]] = []
    for u, v, own in sorted(graph.edges(data=True), key=lambda e: e[:2]):
        rows.append({"u": u, "v": v} | _ends(graph, u, v) | own)
    for node in sorted(nx.isolates(graph)):
        rows.append({"u": node, "v": None} | _ends(graph, node, None))
    frame = pd.DataFrame(rows, columns=list(dict.fromkeys(n for row in rows for n in row)))
    whole = [n for n in frame if pd.api.types.is_float_dtype(frame[n]) and _whole(frame[n])]
    return frame.astype(dict.fromkeys(whole, "Int64"))


def _ends(graph: nx.Graph, u: int, v: int | None) -> dict[str, Any]:
    made = {f"u_{name}": value for name, value in graph.nodes[u].items()}
    return made | ({} if v is None else {f"v_{n}": value for n, value in graph.nodes[v].items()})


def _whole(values: pd.Series) -> bool:
    return bool((values.dropna() % 1 == 0).all())


def _edge_list(graph: nx.Graph, path: Path) -> None:
    lines = [f"{u} {v}" for u, v in sorted(graph.edges())]
    lines += [str(node) for node in sorted(nx.isolates(graph))]
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _gml(graph: nx.Graph, path: Path) -> None:
    """Write GML, in which an attribute called label stays one: networkx would replace it."""
    lines = ["graph [", *_gml_values(graph.graph)]
    for node, own in graph.nodes(data=True):
        lines += ["node [", f"id {node}", *_gml_values({"label": str(node)} | own), "]"]
    for u, v, own in sorted(graph.edges(data=True), key=lambda e: e[:2]):
        lines += ["edge [", f"source {u}", f"target {v}", *_gml_values(own), "]"]
    path.write_text("\n".join([*lines, "]", ""]), encoding="ascii")


def _gml_values(values: Mapping[str, Any]) -> list[str]:
    return [f"{name} {_gml_value(value)}" for name, value in values.items()]


def _gml_value(value: Any) -> str:
    if isinstance(value, (int, float)):
        return str(value)
    return (
        '"'
        + escape(str(value)).encode("ascii", "xmlcharrefreplace").decode().replace('"', "&#34;")
        + '"'
    )


def _edge_table(graph: nx.Graph, path: Path) -> None:
    edge_table(graph).to_csv(path, index=False)


WRITERS: Mapping[str, Callable[[nx.Graph, Path], None]] = {
    ".graphml": nx.write_graphml_xml,
    ".gml": _gml,
    ".gexf": nx.write_gexf,
    ".edgelist": _edge_list,
    ".csv": _edge_table,
}
