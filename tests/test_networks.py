"""W1 on one network: exact, proven by a flow and a potential, tested, and read from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import io as matrices
from scipy import sparse
from scipy.sparse.csgraph import minimum_spanning_tree

from surveyor.cli import main
from surveyor.errors import InputError
from surveyor.networks import Network
from surveyor.networks.compare import _Tree, network_distance
from surveyor.networks.files import read_network
from surveyor.networks.masses import Masses, read_masses
from surveyor.transport import (
    GraphTransport,
    adjacency,
    flow,
    graph_transport,
    slope_one,
    wasserstein_1_graph,
    wasserstein_1_tree,
)


def graph(seed: int, n: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Return a connected graph with parallel edges and loops, in both directions."""
    rng = np.random.default_rng(seed)
    edges = np.r_[np.c_[np.arange(n - 1), np.arange(1, n)], rng.integers(0, n, (2 * n, 2))]
    edges = np.where(rng.random((len(edges), 1)) < 0.5, edges, edges[:, ::-1])
    return edges, rng.uniform(0.1, 2, len(edges))


def certified(
    found: GraphTransport, edges: np.ndarray, lengths: np.ndarray, surplus: np.ndarray
) -> None:
    """Assert that the flow carries what is asked, and that the potential's slope is at most 1."""
    left = np.zeros(len(surplus))
    np.add.at(left, edges[:, 0], found.flow)
    np.add.at(left, edges[:, 1], -found.flow)
    assert np.allclose(left, surplus, atol=1e-9)
    steps = np.abs(found.potential[edges[:, 0]] - found.potential[edges[:, 1]])
    assert (steps <= lengths * (1 + 1e-12)).all()


def network(seed: int, n: int = 24) -> Network:
    edges, lengths = graph(seed, n)
    apart = edges[:, 0] != edges[:, 1]
    return Network([f"n{k}" for k in range(n)], edges[apart], lengths[apart])


@pytest.mark.parametrize("few", [2_000, 3])
@pytest.mark.parametrize("seed", range(8))
def test_flow_and_potential_prove_each_other(
    seed: int, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Solved as it is, and from the potentials of coarser and coarser graphs."""
    monkeypatch.setattr(flow, "FEW", few)
    (edges, lengths), n = graph(seed), 24
    p, q = np.random.default_rng(seed).dirichlet(np.full(n, 0.3), 2)
    found = graph_transport(edges, lengths, p, q)
    certified(found, edges, lengths, p - q)
    exact = wasserstein_1_graph(edges, lengths, p, q)
    assert found.low == pytest.approx(exact, abs=1e-9)
    assert found.high == pytest.approx(exact, abs=1e-9)


def test_equal_distributions_need_no_flow() -> None:
    edges, lengths = graph(0)
    found = graph_transport(edges, lengths, np.full(24, 1 / 24), np.full(24, 1 / 24))
    assert (found.low, found.high) == (0, 0)
    assert not found.flow.any()


@pytest.mark.parametrize("seed", range(4))
def test_any_function_becomes_the_largest_one_of_slope_one_below_it(seed: int) -> None:
    edges, lengths = graph(seed)
    lines, rng = adjacency(edges, lengths, 24), np.random.default_rng(seed)
    f = 5 * rng.standard_normal(24)
    made = slope_one(lines, f)
    assert (made <= f + 1e-12).all()
    assert (np.abs(made[edges[:, 0]] - made[edges[:, 1]]) <= lengths + 1e-12).all()
    assert np.allclose(slope_one(lines, made), made)  # it has slope 1 already
    assert np.isclose(made.min(), f.min())  # nothing is lower than needed


def test_the_statistic_of_the_test_is_w1_on_a_tree_and_never_below_that_on_the_network() -> None:
    own = network(3)
    p, q = np.random.default_rng(0).dirichlet(np.ones(24), 2)
    (above,) = _Tree.of(own, 5).w1((p - q)[None])
    assert above >= wasserstein_1_graph(own.edges, own.lengths, p, q)
    tree = minimum_spanning_tree(adjacency(own.edges, own.lengths, 24)).tocoo()
    edges = np.c_[tree.row, tree.col].astype(np.int64)
    (exact,) = _Tree.of(Network(own.names, edges, tree.data), 7).w1((p - q)[None])
    assert exact == pytest.approx(wasserstein_1_tree(edges, tree.data, p, q))


def counts(shares: np.ndarray, n: int, seed: int) -> Masses:
    return Masses(np.random.default_rng(seed).multinomial(n, shares).astype(float), True)


def test_the_permutation_test_keeps_its_level_and_sees_a_shift() -> None:
    own, even = network(1), np.full(24, 1 / 24)
    p = []
    for k in range(200):
        found = network_distance(own, counts(even, 80, 2 * k), counts(even, 90, 2 * k + 1), k)
        assert found.p_value is not None
        p.append(found.p_value)
    assert np.mean(np.array(p) <= 0.05) <= 0.09  # 5%, and 2.6 standard errors
    uneven = np.where(np.arange(24) < 12, 1.5, 0.5) / 24
    seen = network_distance(own, counts(even, 400, 1), counts(uneven, 400, 2))
    assert seen.p_value is not None
    assert seen.p_value <= 0.01
    assert "differ" in seen.verdict


def test_the_floor_is_w1_between_samples_of_the_first() -> None:
    own, even = network(1), np.full(24, 1 / 24)
    few, many = (network_distance(own, counts(even, n, 1), counts(even, n, 2)) for n in (50, 5000))
    assert few.floor is not None
    assert many.floor is not None
    assert 5 < few.floor / many.floor < 20  # falls as the root of n: ten times
    assert 0.5 < few.w1 / few.floor < 2
    point = Masses(50 * np.eye(24)[0], True)
    assert network_distance(own, point, counts(even, 50, 1)).floor == 0


def test_weights_that_are_no_counts_have_no_floor_and_no_test() -> None:
    rng = np.random.default_rng(0)
    one, other = (Masses(rng.random(24), False) for _ in range(2))
    found = network_distance(network(1), one, other)
    assert (found.floor, found.p_value) == (None, None)
    assert "no counts" in found.verdict


def test_a_coarser_graph_gives_a_potential_of_slope_one_that_proves_much(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    side = 40
    place = np.arange(side**2).reshape(side, side)
    pairs = [(place[:, :-1], place[:, 1:]), (place[:-1], place[1:])]
    edges = np.concatenate([np.c_[a.ravel(), b.ravel()] for a, b in pairs])
    rng = np.random.default_rng(0)
    lengths = rng.uniform(0.5, 1.5, len(edges))
    p, q = rng.dirichlet(np.ones(side**2), 2)
    lines = adjacency(edges, lengths, side**2).tocoo()
    exact = graph_transport(edges, lengths, p, q)
    monkeypatch.setattr(flow, "FEW", 100)
    guess = flow._guessed(lines, p - q)
    assert (np.abs(guess[edges[:, 0]] - guess[edges[:, 1]]) <= lengths + 1e-9).all()
    assert 0.6 * exact.low < guess @ (p - q) <= exact.high + 1e-9
    again = graph_transport(edges, lengths, p, q)
    assert again.low == pytest.approx(exact.low)
    assert again.high == pytest.approx(exact.high)


def test_many_small_parts_do_not_become_coarser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow, "FEW", 3)
    edges = np.arange(40).reshape(20, 2)  # 20 pairs
    p, q = (np.tile(own, 20) / 20 for own in ([0.75, 0.25], [0.5, 0.5]))
    assert graph_transport(edges, np.ones(20), p, q).high == pytest.approx(0.25)


def test_mass_that_cannot_arrive_is_refused_and_equal_parts_are_measured() -> None:
    lines = Network(list("abcd"), np.array([[0, 1], [2, 3]]), np.ones(2))
    one, other = Masses(np.array([3.0, 1, 2, 2]), True), Masses(np.array([1.0, 3, 2, 2]), True)
    found = network_distance(lines, one, other)
    assert found.w1 == pytest.approx(0.25)
    assert found.floor is not None
    with pytest.raises(InputError, match=r"not connected.*c, d holds 50.00% .* and 25.00%"):
        network_distance(lines, one, Masses(np.array([3.0, 3, 1, 1]), True))


def saved(folder: Path, form: str) -> tuple[Path, str | None]:
    """Return a file of the path a-b-c-d with lengths 1, 2, 3, and the name of the lengths."""
    edges, lengths = [("a", "b"), ("b", "c"), ("c", "d")], [1.0, 2.0, 3.0]
    dense = np.zeros((4, 4))
    for (u, v), w in zip(edges, lengths, strict=True):
        dense["abcd".index(u), "abcd".index(v)] = dense["abcd".index(v), "abcd".index(u)] = w
    path = folder / f"net{form}"
    if form == ".csv":
        pd.DataFrame([(v, w, u) for (u, v), w in zip(edges, lengths, strict=True)],
                     columns=["target", "km", "source"]).to_csv(path, index=False)  # fmt: skip
        return path, "km"
    if form == ".tsv.gz":
        pd.DataFrame([(*e, w) for e, w in zip(edges, lengths, strict=True)],
                     columns=["u", "v", "km"]).to_csv(path, index=False, sep="\t")  # fmt: skip
        return path, "km"
    if form == ".edgelist":
        path.write_text("# a comment\n" + "".join(f"{u} {v} {{}}\n" for u, v in edges))
        return path, None
    if form == ".mtx":
        matrices.mmwrite(path, sparse.coo_matrix(dense))
        return path, "entries"
    if form == ".npz":
        sparse.save_npz(path, sparse.csr_matrix(dense))
        return path, "entries"
    pd.DataFrame(dense, columns=list("abcd")).to_csv(path.with_suffix(".csv"), index=False)
    return path.with_suffix(".csv"), "entries"


@pytest.mark.parametrize("form", [".csv", ".tsv.gz", ".edgelist", ".mtx", ".npz", ".dense"])
def test_every_format_is_the_same_network(form: str, tmp_path: Path) -> None:
    path, length = saved(tmp_path, form)
    own = read_network(path, length)
    names = [own.names["abcd".index(w)] if form in (".mtx", ".npz") else w for w in "abcd"]
    p, q = np.zeros((2, 4))
    p[own.places[names[0]]] = q[own.places[names[3]]] = 1
    assert sorted(own.names) == (["0", "1", "2", "3"] if form in (".mtx", ".npz") else list("abcd"))
    far = graph_transport(own.edges, own.lengths, p, q).high
    assert far == pytest.approx(3.0 if length is None else 6.0)


def test_loops_and_repeated_edges_are_told(tmp_path: Path) -> None:
    (tmp_path / "net.csv").write_text("u,v,km\na,b,2\nb,a,1\na,a,5\nb,c,1\n")
    own = read_network(tmp_path / "net.csv", "km")
    assert own.lengths.tolist() == [1.0, 1.0]
    assert "1 edges from a node to itself" in own.notes[0]
    assert "the shortest is kept" in own.notes[1]


def test_masses_are_rows_or_weights(tmp_path: Path) -> None:
    own = Network(["007", "b"], np.array([[0, 1]]), np.ones(1))
    forms: dict[str, tuple[str, list[float], bool]] = {
        "rows": ("node\n007\nb\n007\n", [2, 1], True),
        "counts": ("node,count,colour\nb,3,x\n007,1,y\n", [1, 3], True),
        "shares": ("place,share\nb,.25\n007,.75\n", [0.75, 0.25], False),
    }
    for name, (text, weights, whole) in forms.items():
        path = tmp_path / f"{name}.csv"
        path.write_text(text)
        found = read_masses(path, own)
        assert (found.weights.tolist(), found.counts) == (weights, whole)
    with pytest.raises(InputError, match=r"rows.parquet: unknown format of masses"):
        read_masses(tmp_path / "rows.parquet", own)


def written(name: str, text: str) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_text(text)
        return folder / name

    return write


@pytest.mark.parametrize(
    ("make", "length", "message"),
    [
        (written("a.pkl", "x"), None, "a pickle can run code"),
        (written("a.json", "x"), None, "unknown format of a network; known: .csv"),
        (written("a.csv", "# nothing\n"), None, "no lines but comments"),
        (written("a.csv", "u\na\n"), None, "one column"),
        (written("a.csv", "u,v\na\n"), None, "1 lines have fewer than 2 values"),
        (written("a.csv", "u,v\na,\n"), None, "1 edges lack a node"),
        (written("a.csv", "u,v\na,a\n"), None, "no edges between two nodes"),
        (written("a.csv", "u,v,km\na,b,0\nb,c,x\n"), "km", "2 edges have a length .*a-b, b-c"),
        (written("a.csv", "u,v,km\na,b,1\n"), "kmm", "length kmm: .*did you mean 'km'"),
        (written("a.csv.gz", "u,v\na,b\n"), None, "not a gzip file"),
        (written("a.mtx", "u,v\na,b\n"), None, "not a Matrix Market file"),
        (written("a.npz", "u,v\na,b\n"), None, "not a SciPy sparse matrix"),
    ],
)
def test_networks_that_cannot_be_read(
    make: Callable[[Path], Path], length: str | None, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message) as refused:
        read_network(make(tmp_path), length)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ("real general\n999999999 999999999 1\n1 2 1\n", "999,999,999 nodes; at most 10,000,000"),
        ("complex general\n3 3 1\n1 2 1 1\n", "complex entries"),
        ("real general\n3 4 1\n1 2 1\n", "3 x 4; an adjacency matrix is square"),
    ],
)
def test_matrices_that_are_no_network(entries: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.mtx").write_text(f"%%MatrixMarket matrix coordinate {entries}")
    with pytest.raises(InputError, match=message):
        read_network(tmp_path / "a.mtx", "entries")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("node\nb\nzz\n", r"1 nodes are not in the network \(zz\)"),
        ('node\nb\n""\n', "rows without a node"),
        ("node,weight\nb,-1\na,x\n", r"2 weights in 'weight' .*b: -1, a: x"),
        ("node,weight\nb,0\n", "no mass"),
        ("x,y,z\nb,1,2\n", "3 columns, none of them 'node'"),
    ],
)
def test_masses_that_cannot_be_read(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text(text)
    own = Network(["a", "b"], np.array([[0, 1]]), np.ones(1))
    with pytest.raises(InputError, match=message):
        read_masses(tmp_path / "m.csv", own)


@pytest.fixture
def three(tmp_path: Path) -> list[str]:
    """Return the paths of two sets and of the edges."""
    (tmp_path / "edges.csv").write_text("u,v,km\na,b,1\nb,c,2\nc,d,3\n")
    (tmp_path / "one.csv").write_text("node,count\na,60\nb,40\n")
    (tmp_path / "two.csv").write_text("node,count\nc,50\nd,50\n")
    return [str(tmp_path / f"{name}.csv") for name in ("one", "two", "edges")]


def test_the_command_measures_tells_and_writes(
    three: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    *sets, edges = three
    asked = ["distance", *sets, "--graph", edges, "--length", "km"]
    assert main([*asked, "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["w1"] == pytest.approx(0.6 * 1 + 2 + 0.5 * 3)  # mass over each edge
    assert numbers["low"] == pytest.approx(numbers["w1"])
    assert numbers["busiest"][0] == {"from": "b", "to": "c", "share": pytest.approx(1.0)}
    out = tmp_path / "nodes.csv"
    assert main([*asked, "-o", str(out), "--fail-above", "4"]) == 3
    said = capsys.readouterr()
    assert "The two differ, with 100 and 100 observations" in said.out
    assert "above the limit of 4" in said.err
    nodes = pd.read_csv(out).set_index("node")
    assert nodes.potential.diff().dropna().abs().tolist() == pytest.approx([1, 2, 3])
    gap = (nodes.potential * (nodes["first"] - nodes["second"])).sum()
    assert gap == pytest.approx(numbers["w1"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--graph", "{edges}", "--html", "a.txt"], "--html a.txt: unknown format"),
        (["--graph", "{edges}", "--junit", "a.xml"], "--junit: not with --graph"),
        (["--graph", "{edges}", "--drop", "a"], "--drop, --type, --missing: not with --graph"),
        (["--graph", "{edges}", "--fail-above", "-1"], "--fail-above -1.0: give a number"),
        (["--graph", "nowhere.csv"], "nowhere.csv"),
        (["--graph", "{edges}", "--bracket", "two"], "--bracket two: give a share of W1"),
        (["--bracket", "2%"], "--bracket: only with --graph"),
        (["--length", "km"], "--length: only with --graph"),
    ],
)
def test_the_command_refuses(
    words: list[str], message: str, three: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    *sets, edges = three
    assert main(["distance", *sets, *(w.format(edges=edges) for w in words)]) == 2
    assert message in capsys.readouterr().err
