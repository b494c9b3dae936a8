"""A column of a table that holds nodes of a network."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.sparse.csgraph import dijkstra
from torch import Tensor, nn

import surveyor
from surveyor.batch import Batch, Draws
from surveyor.cli import main
from surveyor.data import NodeSpace, Options, Space
from surveyor.errors import InputError
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.nodes import Nodes
from surveyor.lipschitz.edge_penalty import EdgePenalty
from surveyor.transport import adjacency, wasserstein_1_discrete, wasserstein_1_graph

PLACES = 12


def trips(n: int = 400, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    at = rng.binomial(PLACES - 1, 0.4, n)
    return pd.DataFrame({"origin": [f"z{k}" for k in at], "minutes": at + rng.gamma(2, 2, n)})


@pytest.fixture
def line(tmp_path: Path) -> str:
    """Return the file of a line of places, 3 km apart."""
    path = tmp_path / "line.csv"
    ends = [f"z{k},z{k + 1},3" for k in range(PLACES - 1)]
    path.write_text("\n".join(["from,to,km", *ends]) + "\n")
    return str(path)


def options(line: str) -> Options:
    return Options(node="origin", graph=line, length="km")


def fitted(frame: pd.DataFrame, own: Options) -> TableCodec:
    codec = load(frame, own).codec
    assert isinstance(codec, TableCodec)
    return codec


def test_on_a_line_the_unit_is_the_standard_deviation(line: str) -> None:
    data = load(trips(), options(line))
    codec = data.codec
    assert isinstance(codec, TableCodec)
    assert codec.nodes is not None
    rows = data.training(len(data.train))
    along = 3.0 * rows["origin"].str[1:].astype(int)
    assert codec.nodes.length == pytest.approx(along.std(ddof=0))
    at = data.train.first(50)
    assert callable(codec.metric)
    costs = np.asarray(codec.metric(at.joint().numpy(), at.joint().numpy()))
    shown = codec.decode(at, np.zeros((50, 0), dtype=int), Draws(0))
    where = 3.0 * shown["origin"].str[1:].astype(int).to_numpy()
    block = codec.space.nodes
    assert block is not None
    rest = np.delete(at.x.numpy(), slice(block.start, block.start + block.size), axis=1)
    apart = np.abs(where[:, None] - where) / codec.nodes.length
    assert np.allclose(costs, apart + np.linalg.norm(rest[:, None] - rest, axis=2), atol=1e-3)


def test_w1_of_nodes_alone_is_w1_on_the_network(line: str) -> None:
    first, second = trips(300)[["origin"]], trips(300, 1)[["origin"]]
    codec = fitted(pd.concat([first, second]), options(line))
    assert codec.nodes is not None
    one, other = (
        codec.points(codec.rows(codec.reopen(load(f, Options()).raw)), np.arange(300)).numpy()
        for f in (first, second)
    )
    edges = np.c_[np.arange(PLACES - 1), np.arange(1, PLACES)]
    p, q = (
        np.bincount(f["origin"].str[1:].astype(int), minlength=PLACES) / 300
        for f in (first, second)
    )
    exact = wasserstein_1_graph(edges, np.full(len(edges), 3.0), p, q)
    found = wasserstein_1_discrete(one, other, metric=codec.metric)
    assert found * codec.nodes.length == pytest.approx(exact)


@pytest.mark.parametrize("seed", range(4))
def test_the_edges_between_some_nodes_keep_all_their_distances(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 30
    edges = np.r_[np.c_[np.arange(n - 1), np.arange(1, n)], rng.integers(0, n, (n, 2))]
    lengths = rng.integers(1, 4, len(edges)).astype(float)  # many ways are equally long
    some = rng.permutation(n)[:12]
    paths = dijkstra(adjacency(edges, lengths, n), directed=False, indices=some)[:, some]
    padded = np.pad(paths, (0, 1), constant_values=paths.max())
    space = Nodes("origin", padded, 1.0).space(0)
    kept = adjacency(space.edges, space.lengths, len(some))
    assert np.allclose(dijkstra(kept, directed=False), paths)
    assert len(space.edges) < len(some) * (len(some) - 1) / 2


class Potential(nn.Module):
    """f(u, rest) = g(u) + rest."""

    def __init__(self, g: Tensor) -> None:
        super().__init__()
        self.g = g

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        return 2**0.5 * x[:, 1 : 1 + len(self.g)] @ self.g + 5 * x[:, 0]


def test_the_penalty_is_the_excess_slope_on_edges() -> None:
    edges, lengths = np.array([[0, 1], [1, 2]]), np.array([0.5, 2.0])
    space = Space((5,), 0, (5,), nodes=NodeSpace(1, 3, edges, lengths))
    rows = Batch(Draws(0).normal(64, 5))
    penalty = EdgePenalty(7.0).within(space)

    def found(*g: float) -> float:
        return float(penalty.penalty(Potential(torch.tensor(g)), rows, rows, Draws(1)))

    assert found(0, 0.5, -1.5) == pytest.approx(0, abs=1e-9)  # slope 1 on both edges
    assert found(0, 1.5, 7.5) == pytest.approx(7 * 4, rel=1e-5)  # slope 3 on both
    assert 0 < found(0, 1.5, 1.5) < 7 * 4  # on one of them
    assert EdgePenalty().within(replace(space, nodes=None)).penalty(
        Potential(torch.ones(3)), rows, rows, Draws(1)
    ) == torch.zeros(())


def test_unseen_and_missing_nodes_are_the_furthest(line: str) -> None:
    frame = trips()
    frame.loc[frame["origin"].isin(["z0", "z11"]), "origin"] = "z1"
    frame.loc[:20, "origin"] = None
    codec = fitted(frame, options(line))
    other = trips(4)
    other["origin"] = ["z0", "z1", None, "z2"]
    rows = codec.rows(codec.reopen(load(pd.concat([other] * 3), Options()).raw))
    points = codec.batch(rows, np.arange(4)).joint().numpy()
    points[:, -1] = 0
    assert callable(codec.metric)
    assert codec.nodes is not None
    node = codec.space.nodes
    assert node is not None
    alone = replace(codec.nodes).costs(
        points[:, node.start : node.start + node.size],
        points[:, node.start : node.start + node.size],
        0,
    )
    most = codec.nodes.paths.max()
    assert np.allclose(alone[0], [0, most, most, most])
    assert np.allclose(alone[2], [most, most, 0, most])
    assert alone[1, 3] * codec.nodes.length == pytest.approx(3)


def test_the_codec_is_restored(line: str) -> None:
    codec = fitted(trips(), options(line))
    again = TableCodec.restore(*codec.state())
    assert again.nodes is not None
    assert codec.nodes is not None
    assert np.array_equal(again.nodes.paths, codec.nodes.paths)
    assert again.unit_name == codec.unit_name
    assert codec.without(["origin"]).metric == "euclidean"


def test_a_run_with_nodes_is_held_on_edges(line: str, tmp_path: Path) -> None:
    run = tmp_path / "run"
    more = {"node": "origin", "graph": line, "length": "km", "steps": 12, "critic": "mlp:width=8"}
    model = surveyor.fit(trips(), out=run, **more)  # type: ignore[arg-type]
    assert [type(c).__name__ for c in model.run.game.constraints] == [
        "GradientPenalty",
        "EdgePenalty",
    ]
    penalty = model.run.game.constraints[1]
    assert isinstance(penalty, EdgePenalty)
    assert penalty.nodes is not None
    assert "along edges" in model.evaluation.unit
    assert set(model.sample(50)["origin"]) <= {f"z{k}" for k in range(PLACES)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"origin": "zone 7"}, "is not an edge"),
        ({"length": None, "graph": None}, "--node and --graph: give both"),
        ({"node": None}, "--node and --graph: give both"),
        ({"node": None, "graph": None}, "--length: only with --graph"),
        ({"node": "orign"}, "did you mean 'origin'"),
        ({"condition": ("origin",)}, "also in --condition"),
    ],
)
def test_bad_input_is_one_line(
    change: dict[str, Any], said: str, line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = trips()
    if "origin" in change:
        frame.loc[3, "origin"] = change.pop("origin")
        said = "--node origin: 1 names in 1 rows are not in"
    frame.to_csv(tmp_path / "trips.csv", index=False)
    own = {"node": "origin", "graph": line, "length": "km"} | change
    flags = [
        word
        for name, value in own.items()
        if value is not None
        for word in (f"--{name}", *([value] if isinstance(value, str) else value))
    ]
    out = tmp_path / "run"
    assert main(["train", str(tmp_path / "trips.csv"), *flags, "--out", str(out)]) == 2
    words = " ".join(capsys.readouterr().err.split())
    assert said in words
    assert not out.exists()


def test_parts_without_a_path_are_named(tmp_path: Path) -> None:
    path = tmp_path / "two.csv"
    ends = [f"z{k},z{k + 1}" for k in range(PLACES - 1) if k != 5]
    path.write_text("\n".join(["from,to", *ends]) + "\n")
    with pytest.raises(InputError, match="no path leads from z"):
        load(trips(), Options(node="origin", graph=str(path)))


def test_only_tables_have_columns_of_nodes(line: str) -> None:
    with pytest.raises(InputError, match="node: only for tables"):
        load("toy:ring:100", options(line))


def test_the_penalty_needs_nodes() -> None:
    with pytest.raises(InputError, match="edge-penalty: which nodes"):
        surveyor.fit(trips(), constraint=["gradient-penalty", "edge-penalty"], steps=2)
