"""Files of graphs: read, refused, changed and told, written in the format they came in."""

from __future__ import annotations

import contextlib
import pickle
import warnings
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

from surveyor.cli import main
from surveyor.data import Options
from surveyor.data.sources import resolve
from surveyor.errors import InputError, Notice
from surveyor.kinds.graphs import writing
from surveyor.kinds.graphs.files import GraphFiles
from surveyor.kinds.graphs.graphs import Graph, Graphs
from surveyor.kinds.loading import recognise
from tests.conftest import labelled_graphs

FILES = GraphFiles()
LENIENT = Options(lenient=True)
FORMS = (".graphml", ".gml", ".gexf", ".edgelist", ".csv")


def plain(n: int = 24) -> list[nx.Graph]:
    """Return ``n`` different graphs without labels."""
    return [nx.lollipop_graph(3 + k % 4, 1 + k // 4) for k in range(n)]


def samples(graphs: list[nx.Graph], form: str, **columns: Any) -> pd.DataFrame:
    nodes = sorted({n for g in graphs for _, own in g.nodes(data=True) for n in own})
    edges = sorted({n for g in graphs for _, _, own in g.edges(data=True) for n in own})
    frame = pd.DataFrame({"graph": pd.Series(graphs, dtype=object), **columns})
    frame.attrs = {"form": form, "names": [nodes, edges]}
    return frame


def lines(path: Path, graphs: list[nx.Graph], *more: bytes) -> Path:
    path.write_bytes(b"".join([*(nx.to_graph6_bytes(g, header=False) for g in graphs), *more]))
    return path


def alike(found: Graphs, graphs: list[nx.Graph]) -> bool:
    own = [Graph.of(g, found.node_names, found.edge_names) for g in graphs]
    return [g.key for g in found.graphs] == [g.key for g in own]


@pytest.mark.parametrize("suffix", FORMS)
def test_a_folder_is_read_as_it_was_written(suffix: str, tmp_path: Path) -> None:
    """Labels and columns come back, apart from what the format cannot hold, which is told."""
    graphs, kinds = labelled_graphs(24), [*"xy" * 12]
    lost = {".edgelist": "kind, kind, bond", ".gexf": "kind"}.get(suffix)
    with pytest.warns(Notice, match=f"no place for: {lost}$") if lost else contextlib.nullcontext():
        writing.write_folder(samples(graphs, f"/{suffix}", kind=kinds), tmp_path / "made")
    assert len(list((tmp_path / "made").glob(f"*{suffix}"))) == 24
    found = read(tmp_path / "made")
    assert found.form == f"/{suffix}"
    if suffix == ".edgelist":
        assert (found.node_names, found.edge_names) == ((), ())
        return
    assert (found.node_names, found.edge_names) == (("kind",), ("bond",))
    if suffix != ".csv":  # where nodes are numbered as they come
        assert alike(found, graphs)
    if suffix in (".graphml", ".gml"):
        assert found.columns["kind"].tolist() == kinds


def read(path: Path) -> Graphs:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Notice)  # columns that are not learnt
        return FILES.read(path)


def test_a_tudataset_is_read_as_it_was_written(tmp_path: Path) -> None:
    graphs = labelled_graphs(24)
    for one in graphs:
        numbers = {node: "ab<c".index(kind) for node, kind in one.nodes(data="kind")}
        bonds = {(u, v): own for u, v, own in one.edges(data="bond")}
        for _, own in one.nodes(data=True):
            own.clear()
        for _, _, own in one.edges(data=True):
            own.clear()
        nx.set_node_attributes(one, numbers, "label")
        nx.set_edge_attributes(one, bonds, "label")
    writing.write_folder(samples(graphs, "/tudataset", label=[0, 1] * 12), tmp_path / "MINE")
    names = {path.name for path in (tmp_path / "MINE").iterdir()}
    assert {"MINE_A.txt", "MINE_graph_indicator.txt", "MINE_node_labels.txt"} <= names
    found = FILES.read(tmp_path / "MINE", Options(condition=("label",)))
    assert found.form == "/tudataset"
    assert alike(found, graphs)
    assert found.columns["label"].tolist() == [0, 1] * 12


def test_a_table_of_edges_holds_labels_and_nodes_without_edges(tmp_path: Path) -> None:
    graphs = labelled_graphs(24)
    graphs[0].add_node(99, kind="a")
    FILES.write(samples(graphs, ".csv", kind=[*"xy" * 12]), tmp_path / "made.csv")
    assert recognise(tmp_path / "made.csv").name == "graphs"
    found = FILES.read(tmp_path / "made.csv", Options(condition=("kind",)))
    assert (found.node_names, found.edge_names) == (("kind",), ("bond",))
    for own, graph in zip(found.graphs, graphs, strict=True):
        again = own.networkx(found.node_names, found.edge_names)
        assert nx.is_isomorphic(again, graph, lambda a, b: a == b, lambda a, b: a == b)
    assert found.columns["kind"].tolist() == [*"xy" * 12]


def test_tables_are_of_graphs_only_with_such_columns(tmp_path: Path) -> None:
    table = pd.DataFrame({"graph": [1, 1, 2], "u": [1, 2, 1], "v": [2, 3, 2]})
    for frame, kind in ((table, "graphs"), (table.rename(columns={"u": "x"}), "table")):
        frame.to_csv(tmp_path / "some.csv", index=False)
        assert recognise(frame).name == kind
        assert recognise(tmp_path / "some.csv").name == kind
    table.to_csv(tmp_path / "some.csv", index=False)
    assert recognise(tmp_path / "some.csv", Options(drop=("u",))).name == "table"


def test_lists_of_networkx_are_graphs() -> None:
    assert alike(FILES.read(resolve(plain())), plain())


BAD: dict[str, tuple[bytes, str]] = {
    "graph6": (b"\x01\x02\n", r"1 of 25 graphs cannot be read \(.*\): line 25"),
    "no nodes": (nx.to_graph6_bytes(nx.empty_graph(0), header=False), "1 of 25 graphs have no nodes: line 25"),
    "nodes": (nx.to_graph6_bytes(nx.path_graph(301), header=False), "have more than 300 nodes"),
    "edges": (nx.to_graph6_bytes(nx.complete_graph(80), header=False), "have more than 3,000 edges"),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_what_cannot_be_used_is_refused_or_left_out(bad: str, tmp_path: Path) -> None:
    path = lines(tmp_path / "own.g6", plain(), BAD[bad][0])
    with pytest.raises(InputError, match=BAD[bad][1]) as error:
        FILES.read(path)
    assert "leave them out with lenient" in str(error.value)
    with pytest.warns(Notice, match="left out"):
        assert len(FILES.read(path, LENIENT)) == 24


def test_every_reason_has_a_line_of_its_own(tmp_path: Path) -> None:
    path = lines(tmp_path / "own.g6", plain(), *(text for text, _ in BAD.values()))
    with pytest.raises(InputError) as error:
        FILES.read(path)
    assert len(error.value.problems) == 4


def test_directions_loops_and_repeated_edges_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    odd = nx.MultiDiGraph([(0, 1), (1, 0), (1, 2), (2, 2)])
    many = nx.MultiGraph([(0, 1), (0, 1), (1, 2)])
    for k, graph in enumerate([odd, many, *plain()]):
        nx.write_graphml(graph, folder / f"{k:02d}.graphml")
    with pytest.warns(Notice) as notices:
        found = FILES.read(folder)
    told = " ".join(str(own.message) for own in notices)
    assert "edges lose their direction in 1 of 26 graphs" in told
    assert "loops are left out of 1 of 26 graphs" in told
    assert "of repeated edges the first is kept in 1 of 26 graphs" in told
    assert [len(g.edges) for g in found.graphs[:2]] == [2, 2]


def test_weights_and_names_are_not_labels_and_told(tmp_path: Path) -> None:
    graphs = plain()
    rng = np.random.default_rng(0)
    for graph in graphs:
        nx.set_edge_attributes(graph, {e: float(rng.random()) for e in graph.edges}, "weight")
        nx.set_node_attributes(graph, {v: f"node {v}" for v in graph}, "name")
        graph.nodes[0]["seen"] = True
    with pytest.warns(Notice) as notices:
        found = FILES.read(graphs)
    assert (found.node_names, found.edge_names) == ((), ())
    told = str(notices[0].message)
    assert "name of nodes (a name of each node)" in told
    assert "seen of nodes (not every node has it)" in told
    assert "weight of edges (" in told


def test_graphs_that_repeat_in_another_order_are_told() -> None:
    graphs = [*plain(), nx.relabel_nodes(plain()[5], {0: 3, 3: 0})]
    with pytest.warns(Notice, match="1 graph repeats others, up to the order of nodes"):
        assert len(FILES.read(graphs)) == 25


@pytest.mark.parametrize("name", ["own.gpickle", "own.pkl", "own.pt"])
def test_pickles_are_refused_by_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "made" / name
    path.parent.mkdir()
    path.write_bytes(pickle.dumps(plain()))
    assert main(["train", str(path), "--out", str(tmp_path / "run")]) == 2
    assert "a pickle can run code and is not opened" in capsys.readouterr().err
    if name != "own.pkl":
        assert main(["train", str(path.parent), "--out", str(tmp_path / "run")]) == 2
        assert "a pickle can run code" in capsys.readouterr().err


@pytest.mark.parametrize("suffix", [".graphml", ".edgelist", ".g6"])
def test_one_graph_is_no_data_set(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"one{suffix}"
    if suffix == ".g6":
        lines(path, plain(1))
    else:
        writing.WRITERS[suffix](nx.path_graph(7), path)
    with pytest.raises(
        InputError,
        match=r"one graph, of \d nodes, where many are needed; for one network there are surveyor",
    ):
        FILES.read(path)


def test_few_graphs_and_folders_of_several_formats_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="19 graphs are too few; give at least 20"):
        FILES.read(plain(19))
    folder = tmp_path / "made"
    folder.mkdir()
    nx.write_gexf(nx.path_graph(3), folder / "a.gexf")
    nx.write_graphml(nx.path_graph(3), folder / "b.graphml")
    with pytest.raises(InputError, match="files of several formats"):
        FILES.read(folder)
    (folder / "b.graphml").write_text("<graphml><broken")
    (folder / "a.gexf").unlink()
    nx.write_graphml(nx.path_graph(3), folder / "c.graphml")
    with pytest.raises(InputError, match=r"1 of 2 graphs cannot be read .*: b.graphml"):
        FILES.read(folder)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("MINE_graph_indicator.txt", "1\n1\n2\n", "edges of nodes that are not there"),
        ("MINE_A.txt", "1, 3\n", "edges between nodes of different graphs"),
        ("MINE_A.txt", "1, x\n", "not lines of whole numbers"),
        ("MINE_A.txt", "1, 2, 3\n", "3 numbers a line; 2 are needed"),
        ("MINE_node_labels.txt", "1\n", "1 lines in MINE_node_labels.txt; 4 are needed"),
    ],
)
def test_broken_tudatasets_are_refused(name: str, text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "MINE_A.txt").write_text("1, 2\n2, 1\n3, 4\n4, 3\n")
    (tmp_path / "MINE_graph_indicator.txt").write_text("1\n1\n2\n2\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(InputError, match=told):
        FILES.read(tmp_path)


@pytest.mark.parametrize("suffix", [".gml", ".graphml", ".gexf", ".csv"])
def test_labels_of_any_text_are_kept(suffix: str, tmp_path: Path) -> None:
    graphs, kinds = plain(), ('say "no"', "R&amp;D <b>", "größer, \\")
    for graph in graphs:
        nx.set_node_attributes(graph, {v: kinds[v % 3] for v in graph}, "kind")
    writing.write_folder(samples(graphs, f"/{suffix}"), tmp_path / "made")
    found = read(tmp_path / "made")
    assert {label for g in found.graphs for (label,) in g.nodes} == set(kinds)


def test_of_repeated_edges_the_label_of_the_first_is_kept() -> None:
    graphs = [nx.MultiGraph(graph) for graph in plain()]
    for graph in graphs:
        nx.set_edge_attributes(graph, "first", "kind")
        graph.add_edge(0, 1, kind="second")
    with pytest.warns(Notice, match="of repeated edges the first is kept in 24 of 24 graphs"):
        found = FILES.read(graphs)
    assert {label for g in found.graphs for (label,) in g.bonds} == {"first"}
