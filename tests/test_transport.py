"""Independent rulers must agree, and closed forms must hold."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import ot
import pytest
from scipy import sparse
from scipy.optimize import linprog
from scipy.spatial.distance import cdist

from surveyor.errors import InputError, SurveyorError
from surveyor.transport import (
    ground_costs,
    sliced_wasserstein_1,
    transport,
    wasserstein_1_columns,
    wasserstein_1_discrete,
    wasserstein_1_gaussians,
    wasserstein_1_graph,
    wasserstein_1_line,
    wasserstein_1_tree,
    wasserstein_2_gaussians,
)
from surveyor.transport.exact import exact_with_error

Array = np.ndarray


def by_linprog(costs: Array, mu: Array, nu: Array) -> float:
    """The transport problem as a plain linear programme: an independent ruler."""
    n, m = costs.shape
    rows = sparse.kron(sparse.eye(n), np.ones((1, m)))
    columns = sparse.kron(np.ones((1, n)), sparse.eye(m))
    solved = linprog(
        costs.ravel(), A_eq=sparse.vstack([rows, columns]), b_eq=np.r_[mu, nu], method="highs"
    )
    return float(solved.fun)


def weights(rng: np.random.Generator, n: int) -> Array:
    w = rng.random(n)
    return np.asarray(w / w.sum())


@pytest.mark.parametrize("seed", range(5))
def test_line_simplex_and_linprog_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=17), rng.normal(1, 2, size=23)
    mu, nu = weights(rng, 17), weights(rng, 23)
    line = wasserstein_1_line(a, b, mu, nu)
    assert wasserstein_1_discrete(a, b, mu, nu) == pytest.approx(line, abs=1e-9)
    assert by_linprog(np.abs(a[:, None] - b), mu, nu) == pytest.approx(line, abs=1e-9)


@pytest.mark.parametrize("metric", ["euclidean", "cityblock", "chebyshev"])
def test_simplex_agrees_with_linprog_under_any_metric(metric: str) -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(12, 3)), rng.normal(size=(9, 3))
    mu, nu = weights(rng, 12), weights(rng, 9)
    expected = by_linprog(cdist(a, b, metric), mu, nu)
    assert wasserstein_1_discrete(a, b, mu, nu, metric) == pytest.approx(expected, abs=1e-9)


def test_a_metric_may_be_a_function() -> None:
    a, b = np.array([[0.0], [1.0]]), np.array([[5.0], [9.0]])
    discrete = lambda x, y: (x != y.T).astype(float)  # noqa: E731
    assert wasserstein_1_discrete(a, b, metric=discrete) == pytest.approx(1.0)


def test_the_dual_potentials_prove_the_plan() -> None:
    rng = np.random.default_rng(0)
    costs = cdist(rng.normal(size=(30, 2)), rng.normal(size=(40, 2)))
    solved = transport(costs)
    assert (solved.u[:, None] + solved.v[None] <= costs + 1e-9).all()
    assert solved.u.mean() + solved.v.mean() == pytest.approx(solved.cost, abs=1e-9)
    assert solved.plan.sum(1) == pytest.approx(np.full(30, 1 / 30))


@pytest.mark.parametrize("more", [0, 2], ids=["on the line", "in space"])
def test_the_error_of_a_distance_is_that_of_the_potentials_means(more: int) -> None:
    """Two intervals apart: the potential is the coordinate itself, whatever the coupling."""
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(40, 1)), 3 + 2 * rng.uniform(size=(90, 1))
    value, error = exact_with_error(*(np.pad(side, ((0, 0), (0, more))) for side in (x, y)))
    assert value == pytest.approx(y.mean() - x.mean())
    assert error == pytest.approx(math.sqrt(x.var() / 40 + y.var() / 90))


def test_fast_ground_costs_are_the_euclidean_ones() -> None:
    rng = np.random.default_rng(0)
    a, b = 1e3 + rng.normal(size=(50, 40)), 1e3 + rng.normal(size=(60, 40))
    assert ground_costs(a, b) == pytest.approx(cdist(a, b), abs=1e-6)


def test_w1_is_a_metric_on_samples() -> None:
    rng = np.random.default_rng(1)
    a, b, c = (rng.normal(size=(20, 4)) + shift for shift in (0, 1, 3))
    ab, bc, ac = (wasserstein_1_discrete(x, y) for x, y in ((a, b), (b, c), (a, c)))
    assert wasserstein_1_discrete(a, a) == pytest.approx(0, abs=1e-7)
    assert ab == pytest.approx(wasserstein_1_discrete(b, a))
    assert ac <= ab + bc + 1e-9


def test_a_translation_costs_its_length() -> None:
    rng = np.random.default_rng(2)
    a, shift = rng.normal(size=(40, 5)), np.array([3.0, 0, 4.0, 0, 0])
    assert wasserstein_1_discrete(a, a + shift) == pytest.approx(5.0)


def test_gaussians_on_the_line() -> None:
    assert wasserstein_1_gaussians(0, 1, 3, 1) == pytest.approx(3)
    assert wasserstein_1_gaussians(2, 0, 2, 1) == pytest.approx(math.sqrt(2 / math.pi))
    quantiles = (np.arange(200_000) + 0.5) / 200_000
    from scipy.stats import norm

    z = norm.ppf(quantiles)
    expected = np.abs((1 + 0.5 * z) - (-0.3 + 2 * z)).mean()
    assert wasserstein_1_gaussians(1, 0.5, -0.3, 2) == pytest.approx(expected, rel=1e-4)


def test_w2_between_gaussians_bounds_w1() -> None:
    assert wasserstein_2_gaussians([1, 0], np.eye(2), [4, 4], np.eye(2)) == pytest.approx(5)
    assert wasserstein_2_gaussians([0], [[4]], [0], [[1]]) == pytest.approx(1)
    w1, w2 = wasserstein_1_gaussians(0, 1, 1, 3), wasserstein_2_gaussians([0], [[1]], [1], [[9]])
    assert w1 <= w2


def random_graph(rng: np.random.Generator, n: int, extra: int) -> tuple[Array, Array]:
    tree = np.array([(rng.integers(0, k), k) for k in range(1, n)])
    more = rng.integers(0, n, size=(extra, 2))
    edges = np.vstack([tree, more[more[:, 0] != more[:, 1]]])
    return edges, rng.uniform(0.1, 2, len(edges))


@pytest.mark.parametrize("seed", range(5))
def test_graph_dual_beckmann_and_shortest_paths_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges, lengths = random_graph(rng, 25, 20)
    mu, nu = weights(rng, 25), weights(rng, 25)
    values = [
        wasserstein_1_graph(edges, lengths, mu, nu, method)
        for method in ("dual", "beckmann", "paths")
    ]
    assert values[0] == pytest.approx(values[1], abs=1e-9)
    assert values[1] == pytest.approx(values[2], abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_tree_formula_is_exact(seed: int) -> None:
    rng = np.random.default_rng(seed)
    edges, lengths = random_graph(rng, 30, 0)
    mu, nu = weights(rng, 30), weights(rng, 30)
    exact = wasserstein_1_graph(edges, lengths, mu, nu, "paths")
    assert wasserstein_1_tree(edges, lengths, mu, nu) == pytest.approx(exact, abs=1e-12)


def test_parallel_edges_count_as_the_shortest() -> None:
    edges, lengths = [[0, 1], [1, 0], [1, 2]], [5.0, 1.0, 1.0]
    for method in ("dual", "beckmann", "paths"):
        assert wasserstein_1_graph(edges, lengths, [1, 0, 0], [0, 0, 1], method) == pytest.approx(2)


def test_unconnected_mass_is_refused() -> None:
    with pytest.raises(InputError, match="infinite"):
        wasserstein_1_graph([[0, 1]], [1.0], [1, 0, 0], [0, 0, 1])


def test_a_cycle_is_no_tree() -> None:
    with pytest.raises(InputError, match="not a tree"):
        wasserstein_1_tree([[0, 1], [1, 2], [2, 0]], [1, 1, 1], [1, 0, 0], [0, 0, 1])


def test_sliced_is_a_lower_bound_and_exact_on_the_line() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(60, 3)), rng.normal(0.5, 1, size=(60, 3))
    mean, largest = sliced_wasserstein_1(a, b)
    assert mean <= largest <= wasserstein_1_discrete(a, b) + 1e-9
    x, y = rng.normal(size=50), rng.normal(1, 1, size=70)
    assert sliced_wasserstein_1(x, y)[0] == pytest.approx(wasserstein_1_line(x, y))


def test_a_solver_that_stops_before_the_optimum_gives_no_distance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plain = ot.emd
    monkeypatch.setattr(ot, "emd", lambda *args, **said: plain(*args, **said | {"numItermax": 1}))
    rng = np.random.default_rng(0)
    with pytest.raises(SurveyorError, match="network simplex stopped early: numItermax"):
        wasserstein_1_discrete(rng.normal(size=(60, 2)), rng.normal(size=(60, 2)))


def test_no_direction_at_all_is_refused() -> None:
    with pytest.raises(InputError, match="directions must be at least 1, got 0"):
        sliced_wasserstein_1([[1.0, 2.0]], [[1.0, 3.0]], directions=0)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [
        ([[1.0, np.nan]], [[1.0, 2.0]], "row 0"),
        ([[1.0, 2.0]], [[1.0]], "columns"),
        ([], [1.0], "empty"),
        (["x"], [1.0], "not numeric"),
    ],
)
def test_bad_samples_are_refused(a: Any, b: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        wasserstein_1_discrete(a, b)


@pytest.mark.parametrize(
    "ruler", [wasserstein_1_columns, wasserstein_1_discrete, sliced_wasserstein_1]
)
def test_the_bad_one_of_two_samples_is_named(ruler: Any) -> None:
    good, bad = [[1.0, 2.0]], [[1.0, np.inf]]
    for name, pair in (("a", (bad, good)), ("b", (good, bad))):
        with pytest.raises(InputError, match=f"^{name}: NaN or infinite entry in row 0"):
            ruler(*pair)
