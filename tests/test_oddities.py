"""Odd nodes: triangles and ways round are counted right, planted oddities found and explained."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import dijkstra
from sklearn.metrics import roc_auc_score

from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.networks import Network, triangles, ways
from surveyor.networks.links import Links, spectrum
from surveyor.networks.oddity import Oddities, oddities
from surveyor.networks.ways import adjacent, ways_round


def distinct(edges: np.ndarray) -> np.ndarray:
    once = np.unique(np.sort(edges, axis=1), axis=0)
    return np.asarray(once[once[:, 0] != once[:, 1]])


def drawn(seed: int, n: int = 40, m: int = 90) -> np.ndarray:
    return distinct(np.random.default_rng(seed).integers(0, n, (m, 2)))


def lattice(side: int) -> np.ndarray:
    place = np.arange(side**2).reshape(side, side)
    pairs = [(place[:, :-1], place[:, 1:]), (place[:-1], place[1:])]
    return np.concatenate([np.c_[a.ravel(), b.ravel()] for a, b in pairs])


def network(edges: np.ndarray, n: int) -> Network:
    return Network([f"n{k}" for k in range(n)], edges, np.ones(len(edges)))


@pytest.mark.parametrize("at_once", [1, 7, 2**22])
@pytest.mark.parametrize("seed", range(4))
def test_triangles_are_paths_of_two_edges_that_an_edge_closes(
    seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(triangles, "AT_ONCE", at_once)
    edges = drawn(seed, m=300)
    lines = adjacent(edges, 40).toarray()
    paths = lines @ lines
    assert (triangles.closed(edges, 40) == paths[edges[:, 0], edges[:, 1]]).all()


def test_density_is_the_h_index_of_triangles_and_known_in_a_clique() -> None:
    clique = np.stack(np.triu_indices(7, 1), axis=1)
    found = triangles.density(np.r_[clique, [[0, 7], [7, 8]]], 9)
    assert found.tolist() == [5] * 7 + [0, 0]  # 6 links that each close 5 triangles
    edges = drawn(1, m=300)
    counts, values = triangles.closed(edges, 40), triangles.density(edges, 40)
    for node in range(40):
        own = counts[(edges == node).any(1)]
        assert values[node] == max(h for h in range(len(own) + 1) if (own >= h).sum() >= h)


@pytest.mark.parametrize("seed", range(6))
def test_the_way_round_is_the_shortest_path_without_the_link(seed: int) -> None:
    edges = drawn(seed, m=60)
    found = ways_round(edges, 40, np.arange(len(edges)))
    for k, (u, v) in enumerate(edges):
        far = dijkstra(adjacent(np.delete(edges, k, axis=0), 40), indices=u, unweighted=True)
        assert found[k] == far[v]
    assert np.isinf(found).any()


def test_ways_round_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    ring = np.sort(np.c_[np.arange(30), np.roll(np.arange(30), -1)], axis=1)
    assert (ways_round(ring, 30, np.arange(30)) == 29).all()
    monkeypatch.setattr(ways, "STEPS", 28)
    assert np.isinf(ways_round(ring, 30, np.arange(30))).all()
    monkeypatch.undo()
    monkeypatch.setattr(ways, "REACH", 5)
    hubs = np.r_[[[0, 1]], [[a, b] for a in (0, 1) for b in range(2, 10)]]
    assert np.isinf(ways_round(hubs, 10, np.arange(1))).all()  # each end has 9 links


def test_the_spectrum_tells_two_halves_apart() -> None:
    half = lattice(8)
    edges = np.concatenate([half, half + 64, [[0, 64]]])
    second = spectrum(edges, 128)[:, 1]
    assert (np.sign(second[:64]) == np.sign(second[63])).all()
    assert (np.sign(second[64:]) == -np.sign(second[63])).all()


def test_nodes_whose_links_were_moved_are_found_and_explained() -> None:
    edges, n = lattice(24), 576
    rng = np.random.default_rng(0)
    odd = np.isin(np.arange(n), rng.permutation(n)[:20])
    ends = np.repeat(np.flatnonzero(odd), 4)
    moved = np.c_[ends, rng.integers(0, n, len(ends))]
    edges = distinct(np.r_[edges[~odd[edges].any(1)], moved])
    found = oddities(network(edges, n))
    assert roc_auc_score(odd, found.odd_links) > 0.97
    top = found.most("odd_links")
    assert odd[top].all()
    assert "neighbours are" in found.reason(top[0])
    assert "steps apart without it" in found.reason(top[0])
    again = oddities(network(edges, n))
    assert (found.odd_links == again.odd_links).all()


def test_a_clique_is_dense_and_said_so() -> None:
    clique = np.arange(0, 400, 40)[np.stack(np.triu_indices(10, 1), axis=1)]
    found = oddities(network(distinct(np.r_[lattice(20), clique]), 400))
    assert set(found.most("dense")) <= set(range(0, 400, 40))
    assert "8 of its links each close 8 triangles or more" in found.reason(found.most("dense")[0])
    assert found.dense.max() == 8


def test_reasons_tell_where_odd_links_lead() -> None:
    """A ring of 6 with a chord, and a tail."""
    edges = np.array([[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 5], [0, 6]])
    around = np.array([5.0, 5, 5, 5, 5, 5, np.inf])

    def said(odd: list[int], node: int) -> str:
        evidence = np.where(np.isin(np.arange(7), odd), 1.0, -1.0)
        links = Links(evidence, around)
        scores = np.bincount(edges.T.ravel(), np.tile(np.maximum(evidence, 0), 2), 7)
        found = Oddities(network(edges, 7), np.zeros(7, dtype=int), scores, links)
        found.__dict__["_usual"] = 3.0
        return found.reason(node)

    assert said([0, 1], 1) == "its 2 neighbours are 4 steps apart without it"
    assert said([0], 1) == "its neighbour n0 is 4 steps from the others without it"
    assert said([0, 5], 0) == "2 of its 3 neighbours are 4 steps from the others without it"
    assert said([6], 6) == "its one neighbour is joined to its part of the network by it alone"
    assert said([6], 3) == ""


def test_few_edges_are_refused() -> None:
    with pytest.raises(InputError, match="9 edges; at least 50 are needed"):
        oddities(network(np.c_[np.arange(9), np.arange(1, 10)], 10))


@pytest.fixture
def edges_csv(tmp_path: Path) -> Path:
    clique = np.arange(0, 100, 20)[np.stack(np.triu_indices(5, 1), axis=1)]
    path = tmp_path / "edges.csv"
    rows = distinct(np.r_[lattice(10), clique])
    pd.DataFrame(rows, columns=["u", "v"]).map(lambda v: f"[b]{v}").to_csv(path, index=False)
    return path


def test_the_command_prints_and_writes(
    edges_csv: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "nodes.csv"
    assert main(["score", "--network", str(edges_csv), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "100 nodes, 190 edges" in said
    assert "[b]40: dense 3; 3 of its links each close 3 triangles or more" in said
    table = pd.read_csv(out, keep_default_na=False)
    assert list(table.columns) == ["node", "dense", "odd_links", "reason"]
    assert len(table) == 100
    assert main(["score", "--network", str(edges_csv), "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["most"]["dense"][0]["dense"] == 3
    assert numbers["edges"] == 190


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["run", "rows.csv", "--network", "{}"], "RUN and DATA: not with --network"),
        (["--network", "{}", "--by", "critic"], "--by: not with --network"),
        (["--network", "{}", "-o", "a.parquet"], "a.parquet: unknown format"),
        (["--network", "nowhere.csv"], "nowhere.csv"),
        (["-o", "a.csv"], "give RUN and DATA, or --network EDGES"),
        (["run", "rows.csv"], "give -o FILE.csv"),
        (["run", "rows.csv", "-o", "a.csv", "--json"], "--json: only with --network"),
    ],
)
def test_the_command_refuses(
    words: list[str], message: str, edges_csv: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["score", *(w.format(edges_csv) for w in words)]) == 2
    assert message in capsys.readouterr().err
