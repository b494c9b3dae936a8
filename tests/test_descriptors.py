"""What graphs are measured by, against closed forms, brute force, and networkx."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import networkx as nx
import numpy as np
import pytest

from surveyor.kinds.graphs.descriptors import (
    COLUMNS,
    DESCRIPTORS,
    GRID,
    SPANS,
    clustering,
    degrees,
    described,
    diameter,
    scaled,
    spectrum,
    spreads,
)
from surveyor.kinds.graphs.graphs import Graph
from surveyor.kinds.graphs.isomorphism import among, repeats, same
from surveyor.kinds.graphs.mmd import KERNELS, mmd
from surveyor.kinds.graphs.orbits import ORBITS, orbit_counts
from surveyor.kinds.graphs.properties import have, shared_properties
from surveyor.transport import wasserstein_1_line


def graph(found: nx.Graph, *names: str) -> Graph:
    return Graph.of(found, names, ())


def random(n: int, seed: int = 0, nodes: int = 12, p: float = 0.3) -> list[Graph]:
    return [graph(nx.gnp_random_graph(nodes, p, seed=100 * seed + k)) for k in range(n)]


KINDS = {(1, 1, 2, 2): {1: 4, 2: 5}, (1, 1, 1, 3): {1: 6, 3: 7}, (2, 2, 2, 2): {2: 8}, (1, 2, 2, 3): {1: 9, 2: 10, 3: 11},
         (2, 2, 3, 3): {2: 12, 3: 13}, (3, 3, 3, 3): {3: 14}, (1, 1, 2): {1: 1, 2: 2}, (2, 2, 2): {2: 3}, (1, 1): {1: 0}}  # fmt: skip


def counted(a: np.ndarray) -> np.ndarray:
    """Return the orbits of every connected induced subgraph of up to four nodes, one by one."""
    found = np.zeros((len(a), len(ORBITS)), dtype=int)
    for size in (2, 3, 4):
        for chosen in itertools.combinations(range(len(a)), size):
            inside = a[np.ix_(chosen, chosen)]
            if nx.is_connected(nx.from_numpy_array(inside)):
                own = inside.sum(1)
                for node, degree in zip(chosen, own.tolist(), strict=True):
                    found[node, KINDS[tuple(sorted(own.tolist()))][degree]] += 1
    return found


@pytest.mark.parametrize("seed", range(6))
def test_orbits_are_those_of_every_subgraph(seed: int) -> None:
    a = nx.to_numpy_array(nx.gnp_random_graph(9, 0.2 + 0.12 * seed, seed=seed)).astype(int)
    assert (orbit_counts(a) == counted(a)).all()


def test_orbits_of_known_graphs() -> None:
    """A clique of n has (n - 1)(n - 2)(n - 3) / 6 cliques of 4 a node; a long ring, paths alone."""
    clique = orbit_counts(nx.to_numpy_array(nx.complete_graph(7)))
    assert (clique[:, ORBITS.index("cliques of 4")] == 20).all()
    assert (clique[:, ORBITS.index("triangles")] == 15).all()
    assert clique[0].sum() == 6 + 15 + 20
    ring = orbit_counts(nx.to_numpy_array(nx.cycle_graph(9)))
    assert (ring[:, :6] == [2, 2, 1, 0, 2, 2]).all()
    assert not ring[:, 6:].any()


def test_descriptors_of_known_graphs() -> None:
    """The spectrum of a clique is 0 and n / (n - 1); that of a ring 1 - cos(2 pi k / n)."""
    clique, ring = graph(nx.complete_graph(5)), graph(nx.cycle_graph(8))
    assert spectrum(clique) == pytest.approx([0, *[1.25] * 4], abs=1e-9)
    assert spectrum(ring) == pytest.approx(sorted(1 - np.cos(np.pi / 4 * np.arange(8))), abs=1e-9)
    assert (clustering(clique) == 1).all()
    assert (clustering(ring) == 0).all()
    assert (degrees(ring) == 2).all()
    assert (diameter(clique), diameter(ring)) == (1, 4)
    apart = graph(nx.disjoint_union(nx.path_graph(5), nx.empty_graph(2)))
    row = described([apart])[0]
    assert row[:4].tolist() == [7, 4, 3, 4]
    assert spectrum(apart)[:3] == pytest.approx([0, 0, 0], abs=1e-9)


def test_clustering_and_spectrum_agree_with_networkx() -> None:
    made = nx.gnp_random_graph(30, 0.15, seed=3)
    own = graph(made)
    assert clustering(own) == pytest.approx(list(nx.clustering(made).values()))
    assert spectrum(own) == pytest.approx(np.sort(nx.normalized_laplacian_spectrum(made)), abs=1e-9)


def test_descriptors_do_not_depend_on_the_order_of_nodes() -> None:
    for one in random(5):
        other = one.ordered(np.random.default_rng(0).permutation(len(one)))
        assert described([one])[0] == pytest.approx(described([other])[0], abs=1e-9)
        assert same(one, other)
        assert one != other


def test_the_difference_of_quantiles_is_w1_between_degrees() -> None:
    """Of graphs whose nodes number a divisor of the grid it is exact."""
    one, other = random(2, nodes=GRID)
    rows = described([one, other])[:, SPANS["degree"]]
    exact = wasserstein_1_line(degrees(one), degrees(other))
    assert np.abs(rows[0] - rows[1]).mean() == pytest.approx(exact)
    assert exact > 0


def test_every_descriptor_has_the_same_weight() -> None:
    rows = described(random(60) + random(60, 1, 20))
    scales = spreads(rows)
    points = scaled(rows, scales)
    for name, own in DESCRIPTORS.items():
        spread = np.sqrt(
            ((points[:, SPANS[name]] - points[:, SPANS[name]].mean(0)) ** 2).sum(1).mean()
        )
        assert spread == pytest.approx(1) if scales[name] > own.least else spread <= 1
    assert rows.shape[1] == len(COLUMNS)
    assert not described([graph(nx.empty_graph(0))]).any()


def test_repeats_are_found_in_any_order_and_labels_count() -> None:
    """Two triangles and a ring of 6 have equal degrees, and every node equal colours."""
    triangles = nx.disjoint_union(nx.cycle_graph(3), nx.cycle_graph(3))
    made = [graph(g) for g in (nx.cycle_graph(6), triangles, nx.cycle_graph([3, 1, 4, 0, 5, 2]))]
    assert repeats(made).tolist() == [False, False, True]
    assert among(made, made[1:2]).tolist() == [False, True, False]
    paths = []
    for kinds in ("aab", "baa", "aba"):
        path = nx.path_graph(3)
        nx.set_node_attributes(path, dict(enumerate(kinds)), "kind")
        paths.append(graph(path, "kind"))
    assert repeats(paths).tolist() == [False, True, False]


def test_isomorphism_is_exact_where_colours_are_not() -> None:
    """The rook's graph and Shrikhande's are strongly regular with equal parameters: 16, 6, 2, 2."""
    rook = nx.line_graph(nx.complete_bipartite_graph(4, 4))
    steps = [(0, 1), (1, 0), (1, 1)]
    shrikhande = nx.Graph(
        ((a, b), ((a + x) % 4, (b + y) % 4)) for a in range(4) for b in range(4) for x, y in steps
    )
    one, other = graph(rook), graph(shrikhande)
    assert (orbit_counts(one.adjacency)[:, :4] == orbit_counts(other.adjacency)[:, :4]).all()
    assert not same(one, other)
    assert same(other, other.ordered(np.arange(16)[::-1]))


def test_mmd_is_zero_between_equal_sets_and_grows_with_the_difference() -> None:
    own, again, far = random(40), random(40, 1), random(40, 2, p=0.6)
    for name in KERNELS:
        assert mmd(name, own, own) == pytest.approx(0, abs=1e-12)
        assert mmd(name, own, far) > mmd(name, own, again) > 0


def test_mmd_of_two_graphs_in_closed_form() -> None:
    """TV between the degrees of a ring and of a clique is 1, so that MMD^2 = 2 - 2 exp(-1/2)."""
    ring, clique = [graph(nx.cycle_graph(6))], [graph(nx.complete_graph(6))]
    assert mmd("degree", ring, clique) == pytest.approx(2 - 2 * np.exp(-0.5))


@pytest.mark.parametrize(
    ("graphs", "names"),
    [
        ([nx.path_graph(4), nx.star_graph(5)], ("connected", "planar", "without cycles", "bipartite")),
        ([nx.cycle_graph(5), nx.path_graph(3)], ("connected", "planar")),
        ([nx.complete_graph(5), nx.path_graph(3)], ("connected",)),
        ([nx.complete_bipartite_graph(3, 3), nx.empty_graph(2)], ("bipartite",)),
    ],
)  # fmt: skip
def test_what_all_graphs_are(graphs: Sequence[nx.Graph], names: tuple[str, ...]) -> None:
    found = [graph(one) for one in graphs]
    assert shared_properties(found) == names
    assert have([*found, graph(nx.empty_graph(0))], names).tolist() == [True, True, False]
