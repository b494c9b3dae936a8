"""The ruler: a bracket that holds, and a test that is exact."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import surveyor
from surveyor.errors import InputError
from surveyor.ruler import Budget, compare, drift, same_distribution
from surveyor.ruler.comparison import Comparison
from tests.conftest import gaussian


def test_any_seed_of_63_bits_is_taken() -> None:
    a, b = gaussian(12, 2), gaussian(12, 2, seed=1)
    assert drift(a, b, seed=2**63 - 1, explain=False).comparison.n == 6
    for seed in (-1, 2**63):
        with pytest.raises(InputError, match=f"seed {seed}: give a number from 0 to 2"):
            drift(a, b, seed=seed)


def test_the_same_seed_gives_the_same_critic_and_every_step_is_told() -> None:
    a, b = gaussian(200, 2), gaussian(200, 2, 1.0, seed=1)
    told: list[tuple[int, int]] = []
    values = {
        compare(
            a, b, "critic", budget=Budget(steps=10, batch=32),
            watch=lambda step, steps: told.append((step, steps)),
        ).value
        for _ in range(2)
    }  # fmt: skip
    assert len(values) == 1
    assert told == [(k, 10) for k in range(1, 11)] * 2


def test_drift_tells_every_step_of_its_critic() -> None:
    told: list[tuple[int, int]] = []
    budget = Budget(steps=3, batch=16)
    a, b = gaussian(60, 2), gaussian(60, 2, seed=1)
    drift(a, b, "critic", budget=budget, watch=lambda *at: told.append(at), explain=False)
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.parametrize(("d", "limit", "n"), [(2, 20, 20), (1100, 20, 10), (1100, 10, 8)])
def test_of_wide_rows_half_as_many_are_moved_and_never_fewer_than_eight(
    d: int, limit: int, n: int
) -> None:
    a, b = gaussian(50, d), gaussian(50, d, seed=1)
    assert drift(a, b, limit=limit, explain=False).comparison.n == n


def test_sets_of_different_widths_are_refused_with_both() -> None:
    with pytest.raises(InputError, match="a has 2 columns and b has 3; they must agree"):
        compare(gaussian(12, 2), gaussian(12, 3))


@pytest.mark.parametrize("method", ["exact", "critic"])
@pytest.mark.parametrize("d", [1, 2, 8])
def test_the_bracket_holds_the_true_distance(d: int, method: str) -> None:
    """A shifted Gaussian is exactly its shift away."""
    found = compare(
        gaussian(1200, d), gaussian(1000, d, 1.5, seed=1), method,  # type: ignore[arg-type]
        budget=Budget(steps=60, batch=128),
    )  # fmt: skip
    assert found.low <= 1.5 <= found.high
    assert found.low > 0.7  # measured: .76 in 8 dimensions, 1.3 and more in fewer
    assert found.floor < found.value
    assert found.p_value <= 0.01
    assert found.bound == pytest.approx(1, abs=1e-6)
    assert found.gradient_norm_max is not None
    assert found.gradient_norm_max <= 1 + 1e-4


@pytest.mark.parametrize("d", [1, 2, 20])
def test_a_samples_distance_is_not_above_the_upper_end(d: int) -> None:
    for seed in range(4):
        found = compare(gaussian(120, d, seed=seed), gaussian(300, d, seed=100 + seed), limit=100)
        assert found.low <= found.value <= found.high


@pytest.mark.parametrize("sizes", [(200, 200), (200, 60), (60, 200)])
def test_the_ratio_of_equal_sets_is_one_whatever_their_sizes(sizes: tuple[int, int]) -> None:
    found = [
        compare(gaussian(sizes[0], 4, seed=k), gaussian(sizes[1], 4, seed=1000 + k))
        for k in range(25)
    ]
    assert found[0].n == min(sizes[0] // 2, sizes[1])
    # A ratio scatters by .05 to .07: four standard errors of the mean of 25 are .05.
    assert np.mean([one.ratio for one in found]) == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("sizes", [(40, 400), (400, 40)])
@pytest.mark.parametrize("d", [1, 2])
def test_the_bracket_covers_as_often_as_it_says(d: int, sizes: tuple[int, int]) -> None:
    """Each end holds at 97.5%: of 60 brackets of 95% fewer than 52 hold once in some 200 suites."""
    hits = 0
    for k in range(60):
        a, b = gaussian(sizes[0], d, seed=k), gaussian(sizes[1], d, 3.0, seed=1000 + k)
        found = compare(a, b)
        hits += found.low <= 3 <= found.high
    assert hits >= 52


def test_a_trained_critic_is_measured_on_rows_it_was_not_trained_on() -> None:
    """Of equal sets the lower end is 0 in 97.5%; on its own rows a critic finds a gap for sure."""
    above = 0
    for seed in range(4):
        a, b = gaussian(60, 6, seed=seed), gaussian(60, 6, seed=1000 + seed)
        found = compare(a, b, "critic", seed, budget=Budget(steps=12, batch=16, seed=seed))
        above += found.low > 0
    assert above <= 2


def test_equal_distributions_are_not_told_apart() -> None:
    found = compare(gaussian(500, 3, seed=5), gaussian(400, 3, seed=6))
    assert found.low == 0
    assert found.method == "exact"
    assert found.p_value > 0.05
    assert found.value == pytest.approx(found.floor, rel=0.15)
    assert "No difference seen" in found.verdict


def test_the_permutation_test_is_exact_and_has_power() -> None:
    """Under the null p is uniform: of 200 tests at 5% at most 19 reject but once in a thousand."""
    null = [
        same_distribution(gaussian(30, 2, seed=k), gaussian(40, 2, seed=1000 + k), 99, k)
        for k in range(200)
    ]
    assert sum(p <= 0.05 for p in null) <= 19
    small = [
        same_distribution(gaussian(400, 2, seed=k), gaussian(400, 2, 0.3, seed=99 + k), 199, k)
        for k in range(10)
    ]
    assert sum(p <= 0.01 for p in small) >= 8


def test_relabellings_that_tie_with_the_truth_count() -> None:
    same = np.ones((15, 2))
    assert same_distribution(same, same, 99) == 1
    rng = np.random.default_rng(0)
    null = []
    for seed in range(200):
        a, b = rng.integers(0, 2, (2, 12, 1)).astype(float)
        null.append(same_distribution(a, b, 99, seed))
    assert sum(p <= 0.05 for p in null) <= 19


def test_the_p_value_repeats_with_its_seed() -> None:
    pairs = [(gaussian(30, 2, seed=k), gaussian(30, 2, 0.3, seed=50 + k)) for k in range(4)]
    told = [[compare(*pair, seed=seed).p_value for pair in pairs] for seed in (3, 3, 4)]
    assert told[0] == told[1] != told[2]


@pytest.mark.parametrize(
    ("p", "words"),
    [
        (0.001, "The two differ"),
        (0.01, "The two differ"),
        (0.011, "The two probably differ"),
        (0.05, "The two probably differ"),
        (0.051, "No difference seen"),
    ],
)
def test_a_level_that_is_just_reached_is_reached(p: float, words: str) -> None:
    assert Comparison(1, 1, 0, 2, p, "exact", 9, (9, 9)).verdict.startswith(words)


def test_callables_are_drawn_from() -> None:
    rng = np.random.default_rng(0)
    found = surveyor.distance(
        lambda n: rng.normal(size=(n, 2)), lambda n: rng.normal((3, 4), size=(n, 2)),
        method="critic", steps=60, batch=64,
    )  # fmt: skip
    assert found.low <= 5 <= found.high
    assert found.value == pytest.approx(5, rel=0.02)
    assert found.critic is not None
    with torch.no_grad():
        scores = found.critic(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    assert scores[0] > scores[1]  # high on the first


def test_one_callable_is_refused() -> None:
    with pytest.raises(InputError, match="callable"):
        surveyor.distance(lambda n: np.zeros((n, 2)), np.zeros((20, 2)))
