"""Runs on graphs: trained, sampled by size, scored, measured, compared, drawn."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor.api import Model
from surveyor.cli import main
from surveyor.data import DEFAULT_OPTIONS
from surveyor.errors import InputError, Notice
from surveyor.kinds.graphs import drawing, measures, panels, writing
from surveyor.kinds.graphs.codec import GraphCodec
from surveyor.kinds.graphs.files import GraphFiles
from surveyor.kinds.graphs.graphs import Graph, Graphs, as_array
from surveyor.measures import Figure, measured
from surveyor.ruler.drift import drift
from tests.conftest import QUICK, labelled_graphs
from tests.test_graph_files import plain, samples

SMALL = {**QUICK, "generator": "graph-rnn:width=16,pointer=8,order=cardinality,triangles=true"}


def trees(n: int, seed: int = 0, nodes: int = 9) -> list[nx.Graph]:
    rng = np.random.default_rng(seed)
    return [
        nx.Graph([(k, int(rng.integers(k))) for k in range(1, nodes + int(rng.integers(4)))])
        for _ in range(n)
    ]


def own(found: list[nx.Graph]) -> list[Graph]:
    return [Graph.of(graph, (), ()) for graph in found]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Model:
    place = tmp_path_factory.mktemp("graphs")
    writing.write_folder(samples(labelled_graphs(60), "/.graphml"), place / "own")
    return surveyor.fit(place / "own", place / "run", **SMALL)


def test_samples_are_graphs_with_the_labels_of_the_data(run: Model) -> None:
    made = run.sample(20)["graph"]
    assert all(isinstance(one, nx.Graph) for one in made)
    for one in made:
        assert {kind for _, kind in one.nodes(data="kind")} <= {*"ab<c"}
        assert {bond for _, _, bond in one.edges(data="bond")} <= {0, 1}
        assert nx.is_connected(one)
        assert len(one) <= 14


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"nodes": "5..9"}, lambda g: 5 <= len(g) <= 9),
        ({"nodes": "6|8", "edges": "..9"}, lambda g: len(g) in (6, 8) and g.number_of_edges() <= 9),
        ({"parts": 1, "degree": "1.5.."}, lambda g: 2 * g.number_of_edges() >= 1.5 * len(g)),
        ({"diameter": "2..4", "clustering": "..0.9"}, lambda g: 2 <= nx.diameter(g) <= 4),
    ],
)
def test_what_is_asked_of_a_graph_holds(where: Any, holds: Any, run: Model) -> None:
    made = run.sample(6, where)["graph"]
    assert len(made) == 6
    assert all(holds(one) for one in made)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("node=3", "did you mean 'nodes'"),
        ("nodes=9..4", "no graph has that; write LOW..HIGH"),
        ("nodes=a", "write a range LOW..HIGH"),
        ("degree=2", "hardly ever exactly so"),
        ("edges=..-2", "no graph has that"),
    ],
)
def test_what_no_graph_can_have_is_refused(where: str, told: str, run: Model) -> None:
    name, _, query = where.partition("=")
    with pytest.raises(InputError, match=told):
        run.sample(3, {name: query})


def test_samples_are_written_in_the_format_that_came_in(run: Model, tmp_path: Path) -> None:
    place = str(run.run.path)
    assert main(["sample", place, "-n", "7", "-o", str(tmp_path / "new")]) == 0
    found = sorted((tmp_path / "new").iterdir())
    assert [p.name for p in found] == [f"{k}.graphml" for k in range(1, 8)]
    assert "kind" in next(iter(nx.read_graphml(found[0]).nodes(data=True)))[1]
    assert main(["sample", place, "-n", "7", "-o", str(tmp_path / "new.csv")]) == 0
    assert set(pd.read_csv(tmp_path / "new.csv")) == {"graph", "u", "v", "u_kind", "v_kind", "bond"}


def test_graph6_is_refused_before_samples_with_labels_are_lost(
    run: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sample", str(run.run.path), "-n", "7", "-o", str(tmp_path / "new.g6")]) == 2
    assert "graph6 cannot hold kind, bond; write .csv, or a folder" in capsys.readouterr().err
    assert not (tmp_path / "new.g6").exists()


def test_every_command_takes_graphs(
    run: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, graphs in (("own", trees(40)), ("other", trees(40, 1)), ("made", trees(40, 2, 14))):
        GraphFiles().write(samples(graphs, ".g6"), tmp_path / f"{name}.g6")
    assert main(["distance", "own.g6", "made.g6", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["p_value"] < 0.01
    assert main(["judge", "own.g6", "other.g6"]) == 0
    writing.write_folder(samples(labelled_graphs(12), "/.graphml"), tmp_path / "some")
    assert main(["score", str(run.run.path), "some", "-o", "scores.csv"]) == 0
    assert len(pd.read_csv("scores.csv")) == 12
    assert main(["evaluate", str(run.run.path)]) == 0


def test_a_distance_says_what_moved() -> None:
    found = drift(trees(120), trees(120, 1, 13))
    assert found.comparison.p_value < 0.001
    moved = {m.name: m for m in found.columns}
    assert (moved["nodes"].p_value or 0) < 0.001
    assert moved["nodes"].distance > 10 * moved["nodes"].floor
    assert surveyor.distance(trees(120), trees(120, 1)).p_value > 0.01


def test_scores_do_not_depend_on_files_but_graphs_beyond_the_data_are_refused(run: Model) -> None:
    scores = run.score(labelled_graphs(12))
    assert scores.shape == (12,)
    assert np.isfinite(scores).all()
    large = nx.path_graph(40)
    nx.set_node_attributes(large, "a", "kind")
    nx.set_edge_attributes(large, 0, "bond")
    strange = labelled_graphs(12)
    strange[3].nodes[0]["kind"] = "unheard of"
    with pytest.raises(InputError) as error:
        run.score([*strange, large, *plain(1)])
    assert [text.split(";")[0].partition("graphs ")[2] for text in error.value.problems] == [
        "have nodes without the label 'kind': graph 14",
        "have edges without the label 'bond': graph 14",
        "have labels that no training graph has: graph 4",
        "are larger than training graphs (at most 14 nodes, 1 part, 2 edges more than a tree): graph 13",
    ]


class Rows:
    """Graphs as measures see them."""

    seed, own = 0, True

    def __init__(self, real: list[nx.Graph], held: list[nx.Graph], made: list[nx.Graph]) -> None:
        self.data: Any = self
        self.train, self.holdout, self.made = real, held, made
        graphs = as_array(own([*real, *held]))
        self.codec = GraphCodec.fit(Graphs(graphs), DEFAULT_OPTIONS)

    def frame(self, graphs: list[nx.Graph]) -> pd.DataFrame:
        return samples(graphs, ".g6")

    def decoded(self, n: int) -> pd.DataFrame:
        return self.frame(self.made[:n])

    def held_out(self, n: int) -> pd.DataFrame:
        return self.frame(self.holdout[:n])

    def training(self, n: int) -> pd.DataFrame:
        return self.frame(self.train[:n])


def ladders(n: int, start: int = 2) -> list[nx.Graph]:
    """Return different graphs that are connected, planar and bipartite."""
    return [nx.ladder_graph(start + k) for k in range(n)]


def test_counts_are_those_of_the_graphs() -> None:
    """Of 20, two are not bipartite; of the rest 12 differ, of which 8 are no training graph."""
    real, held = ladders(30), ladders(10, 32)
    made: Any = [
        *real[:4] * 2,
        *held[:4] * 2,
        *ladders(4, 60)[:2],
        *(nx.complete_graph(k) for k in (3, 4)),
    ]
    made = [*made[:16], *ladders(2, 60), *made[18:]]
    seen: Any = Rows(real, held, made)
    found = {f.name: f for f in measures.Counts()(seen)}
    assert found["valid"].note == "connected, planar, bipartite"
    assert found["valid"].value == pytest.approx(18 / 20)
    assert found["unique"].value == pytest.approx(10 / 18)
    assert found["new"].value == pytest.approx(6 / 10)
    assert found["valid_unique_new"].value == pytest.approx(6 / 20)
    assert [found[name].floor for name in ("valid", "unique", "new")] == [1, 1, 1]


def test_findings_name_what_is_wrong() -> None:
    real, held = ladders(30), ladders(10, 32)
    cases = [
        ([*real[:5] * 4, *[nx.complete_graph(5)] * 20], {"G01", "G02", "G03"}),
        (ladders(10, 42), set[str]()),
    ]
    for made, codes in cases:
        seen: Any = Rows(real, held, made)
        _, findings = measured(seen, [measures.Counts()])
        assert {f.code for f in findings} == codes


def test_valid_unique_and_new_graphs_far_from_the_data_are_named() -> None:
    """Graphs that keep a rule can be nothing like the data."""
    seen: Any = Rows(trees(60), trees(40, 1), [nx.path_graph(k + 4) for k in range(40)])
    figures, findings = measured(seen, [measures.Counts(), measures.Distances()])
    assert figures["valid_unique_new"].known > 0.9
    assert {f.code for f in findings} == {"G04"}
    seen = Rows(trees(60), trees(40, 1), trees(40, 2))
    figures, findings = measured(seen, [measures.Counts(), measures.Distances()])
    assert not findings
    for figure in figures.parts("distance", "column"):
        assert figure.known < 3 * figure.known_floor + 1e-9


def test_a_ratio_is_told_only_where_its_floor_is_clear_of_noise() -> None:
    assert panels._ratio(Figure("mmd", 0.3, 0.1, spread=0.02)) == pytest.approx(3)
    assert panels._ratio(Figure("mmd", 0.3, 0.1, spread=0.07)) is None


def test_pictures_are_the_same_every_time_and_escape_labels() -> None:
    graphs = [Graph.of(one, ("kind",), ("bond",)) for one in labelled_graphs(8)]
    text = drawing.drawing(graphs)
    assert text == drawing.drawing(graphs)
    assert "<title>&lt;</title>" in text
    root = ET.fromstring(text)
    assert len(root.findall("{*}line")) == sum(len(g.edges) for g in graphs)
    assert len(root.findall("{*}circle")) == sum(map(len, graphs))
    assert drawing.painting(graphs).size == (600, 300)


def test_the_report_draws_graphs(run: Model) -> None:
    page = (run.run.path / "report.html").read_text()
    assert "Generated, uncurated" in page
    assert "eigenvalues" in page
    assert "All training graphs are: connected, planar" in page
    assert "<script" not in page


def test_labels_of_graphs_are_conditions(tmp_path: Path) -> None:
    graphs = labelled_graphs(60)
    for k, one in enumerate(graphs):
        one.graph["class"] = "ab"[k % 2]
    writing.write_folder(samples(graphs, "/.gml"), tmp_path / "own")
    with pytest.warns(Notice, match=r"not learnt: label of nodes \(a name of each node\)"):
        model = surveyor.fit(tmp_path / "own", tmp_path / "run", condition=["class"], **SMALL)
    made = model.sample(5, {"class": "b", "nodes": "5.."})
    assert set(made["class"]) == {"b"}
    assert main(["sample", str(tmp_path / "run"), "-n", "3", "-o", str(tmp_path / "new")]) == 0
    assert nx.read_gml(tmp_path / "new" / "1.gml", label=None).graph["class"] in ("a", "b")


def test_sets_with_different_labels_are_compared_by_those_of_both() -> None:
    some = labelled_graphs(30)
    for one in some:
        for _, _, own in one.edges(data=True):
            own.clear()
    with pytest.warns(
        Notice, match="the sets have different labels; compared are those of all: kind"
    ):
        drift(labelled_graphs(60)[30:], some)
