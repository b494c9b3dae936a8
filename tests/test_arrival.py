"""New nodes of a network: a proper distribution, fitted as a node arrives, and better than chance."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from scipy.special import logsumexp

from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.networks import arrival as room
from surveyor.networks.arrival import Arrival, arrival

Sets = list[np.ndarray]


def clustered(seed: int = 0, n: int = 240) -> tuple[np.ndarray, int]:
    """Return a network that grows node by node, and closes triangles."""
    return np.array(nx.powerlaw_cluster_graph(n, 3, 0.8, seed=seed).edges), n


def apart(edges: np.ndarray, n: int, first: int) -> tuple[np.ndarray, Sets]:
    """Return the network of the nodes before ``first``, and the neighbours there of the others."""
    inside = (edges < first).all(1)
    sets = [
        np.setdiff1d(edges[(edges == v).any(1)].ravel(), np.arange(first, n))
        for v in range(first, n)
    ]
    return edges[inside], [own for own in sets if len(own)]


def test_a_set_in_an_order_has_a_probability() -> None:
    edges, n = np.array([[0, 1], [1, 2], [2, 3], [3, 0], [3, 4]]), 6
    rng = np.random.default_rng(0)
    model = Arrival(edges, n, rng.normal(size=5), rng.normal(size=room.FEATURES))
    around, total = model.around(), 0.0
    first = model.scores(around, around.nothing(), 2)
    for node in range(n):
        seen = around.joined(around.nothing(), node)
        later = model.scores(around, seen, 2)
        later[node] = -np.inf
        assert np.isfinite(np.delete(later, node)).all()
        total += float(np.exp(first[node] - logsumexp(first)))
    assert total == pytest.approx(1)
    drawn = np.array([s[0] for s in model.sample(4_000, 1, np.ones(4_000, dtype=int))])
    one = np.exp(model.scores(around, around.nothing(), 1))
    share = np.bincount(drawn, minlength=n) / len(drawn)
    assert np.abs(share - one / one.sum()).max() < 5 * np.sqrt(0.25 / 4_000)
    exact = [np.log(one[k] / one.sum()) for k in range(n)]
    assert model.log_likelihood([np.array([k]) for k in range(n)]) == pytest.approx(np.mean(exact))


@pytest.mark.parametrize("seed", range(3))
def test_a_node_is_seen_as_if_it_had_never_been_there(seed: int) -> None:
    edges, n = clustered(seed, 60)
    around = Arrival(edges, n, np.empty(0), np.empty(0)).around()
    for node in (5, 0, 31):
        own = around.without(node)
        other = Arrival(edges[(edges != node).all(1)], n, np.empty(0), np.empty(0)).around()
        seen, known = around.nothing(), other.nothing()
        left = np.delete(np.arange(n), node)
        for neighbour in own:
            assert np.array_equal(
                around.features(seen, len(own), left), other.features(known, len(own), left)
            )
            seen = around.joined(seen, int(neighbour))
            known = other.joined(known, int(neighbour))


def test_it_learns_where_new_nodes_are_joined() -> None:
    edges, n = clustered()
    known, sets = apart(edges, n, 200)
    model = arrival(known, 200)
    degree = np.bincount(known.ravel(), minlength=200)
    hubs = np.log(degree / degree.sum())
    preferential = np.mean([hubs[v] for own in sets for v in own])
    assert model.log_likelihood(sets) > preferential + 0.2 > -np.log(200) + 0.2
    joined = nx.Graph(known.tolist())

    def triangles(made: Sets) -> float:
        return float(np.mean([joined.subgraph(own).number_of_edges() for own in made]))

    sizes = np.array([len(own) for own in sets] * 10)
    rng = np.random.default_rng(0)
    alike = [rng.choice(200, k, replace=False, p=degree / degree.sum()) for k in sizes]
    assert triangles(alike) < 0.6 * triangles(model.sample(len(sizes), 0, sizes))


def test_a_sample_of_alternatives_gives_about_the_same_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    edges, n = clustered()
    known, sets = apart(edges, n, 200)
    whole = arrival(known, 200).log_likelihood(sets)
    monkeypatch.setattr(room, "WHOLE", 20)
    monkeypatch.setattr(room, "SAMPLED", 40)
    monkeypatch.setattr(room, "CLOSE", 1)
    assert arrival(known, 200).log_likelihood(sets) == pytest.approx(whole, abs=0.05)


def test_neighbours_differ_and_follow_the_seed() -> None:
    edges, n = clustered()
    model = arrival(edges, n)
    made, again = model.sample(80, 3), model.sample(80, 3)
    assert all(np.array_equal(a, b) for a, b in zip(made, again, strict=True))
    assert all(len(set(own)) == len(own) > 0 for own in made)
    degree = np.bincount(edges.ravel())
    assert {len(own) for own in made} <= set(degree)
    assert len({tuple(own) for own in model.sample(80, 4)} & {tuple(own) for own in made}) < 40


def test_the_command_writes_edges_of_new_nodes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    edges, n = clustered()
    names = np.array(["new-1", *(f"stop {k}" for k in range(1, n))])
    path, made = tmp_path / "edges.csv", tmp_path / "new.csv"
    pd.DataFrame(names[edges], columns=["source", "target"]).to_csv(path, index=False)
    assert main(["sample", "--network", str(path), "-n", "20", "-o", str(made)]) == 0
    frame = pd.read_csv(made)
    assert set(frame["target"]) <= set(names)
    assert set(frame["source"]) == {f"new-new-{k}" for k in range(1, 21)}
    assert main(["sample", "--network", str(path), "-n", "20", "-o", str(made)]) == 2
    assert main(["sample", "--network", str(path), "-n", "0", "--where", "a=1"]) == 2
    said = capsys.readouterr().err
    assert "--where: not with --network" in said
    assert "-n 0" in said
    assert main(["sample"]) == 2
    assert "give RUN, or --network" in capsys.readouterr().err


def test_too_few_nodes_are_refused() -> None:
    with pytest.raises(InputError, match="has 20 nodes with a neighbour; at least 50"):
        arrival(np.c_[np.arange(19), np.arange(1, 20)], 30)
