"""Pages of networks: what they say, names escaped, drawings bounded, places by distances."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import dijkstra

from surveyor.cli import main
from surveyor.networks import Network, layout
from surveyor.networks.layout import positions
from surveyor.panels import graphs
from surveyor.panels.graphs import Drawing, network_figure
from surveyor.transport import adjacency

EVIL = "<script>alert(1)</script>$x^2$"


def ring(n: int, tail: str = "") -> pd.DataFrame:
    return pd.DataFrame({"u": [f"{k}{tail}" for k in range(n)],
                         "v": [f"{(k + 1) % n}{tail}" for k in range(n)]})  # fmt: skip


def text(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"data:[^\"]*", "", page.read_text()))


def test_the_page_of_a_distance_names_edges_and_parts(tmp_path: Path) -> None:
    pd.concat([ring(40), ring(7, EVIL)]).to_csv(tmp_path / "net.csv", index=False)
    for name, at in (("one", "3"), ("two", "5")):
        rows = pd.DataFrame({"node": [at] * 300 + [f"0{EVIL}"] * 100})
        rows.to_csv(tmp_path / f"{name}.csv", index=False)
    page = tmp_path / "a.html"
    sets = [str(tmp_path / f"{name}.csv") for name in ("one", "two")]
    asked = ["distance", *sets, "--graph", str(tmp_path / "net.csv"), "--html", str(page)]
    assert main(asked) == 0
    said = text(page)
    assert "The two differ" in said
    assert "<b>1.5</b><span>W1" in said  # 3/4 of the mass goes two steps
    assert '<td>3</td><td>4</td><td class="n">75.00%</td><td class="n">50.00%</td>' in said
    assert "2 parts that are not connected" in said
    assert "<script" not in page.read_text()
    assert main(asked) == 2  # nothing is overwritten


def test_the_page_of_odd_nodes_gives_reasons(tmp_path: Path) -> None:
    far = pd.DataFrame({"u": [EVIL] * 3, "v": ["0", "20", "40"]})
    pd.concat([ring(60), far]).to_csv(tmp_path / "net.csv", index=False)
    page = tmp_path / "a.html"
    assert main(["score", "--network", str(tmp_path / "net.csv"), "--html", str(page)]) == 0
    said = text(page)
    assert "highest odd_links" in said
    assert "neighbours are" in said
    assert "No node stands out" in said  # nothing is dense
    assert "<script" not in page.read_text()


@pytest.mark.parametrize("n", [2, 3, 50, 3000])
def test_places_are_finite_and_near_where_the_network_is(n: int) -> None:
    edges = np.c_[np.arange(n - 1), np.arange(1, n)]
    own = Network([str(k) for k in range(n)], edges, np.ones(n - 1))
    places = positions(own)
    assert places.shape == (n, 2)
    assert np.isfinite(places).all()
    if n >= 50:
        some = np.random.default_rng(0).integers(0, n, 40)
        far = dijkstra(adjacency(edges, own.lengths, n), directed=False, indices=some)[:, some]
        drawn = np.linalg.norm(places[some, None] - places[some][None], axis=-1)
        assert np.corrcoef(far.ravel(), drawn.ravel())[0, 1] > 0.9


def test_parts_that_are_not_connected_have_places_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "PUSHED", 0)
    edges = np.r_[[[k, k + 1] for k in range(5)], [[k, k + 1] for k in range(6, 11)]]
    places = positions(Network([str(k) for k in range(12)], edges, np.ones(10)))
    between = np.linalg.norm(places[:6, None] - places[None, 6:], axis=-1)
    along = np.linalg.norm(places[edges[:, 0]] - places[edges[:, 1]], axis=1)
    assert between.min() > along.max()


def test_large_networks_are_drawn_in_part_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graphs, "NODES", 30)
    monkeypatch.setattr(graphs, "EDGES", 20)
    edges = np.c_[np.arange(99), np.arange(1, 100)]
    places = np.random.default_rng(0).standard_normal((100, 2))
    size = np.zeros(100)
    size[7] = 1
    _, said = network_figure(Drawing(places, edges, size, np.zeros(99), {7: "seven", 8: EVIL}))
    assert "of 100 nodes and 20 of 99 edges" in said
    monkeypatch.undo()
    _, said = network_figure(Drawing(places, edges, size, np.zeros(99), {}, size - 0.5))
    assert said == ""
