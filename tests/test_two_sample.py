"""Two-sample tests: their level on equal sets, their power, and agreement with other rulers."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from surveyor.two_sample import (
    Outcome,
    Proof,
    Samples,
    holm,
    of_points,
    prove,
    two_sample_tests,
)
from surveyor.two_sample.classifier import Classifier, separate
from surveyor.two_sample.columns import chi_squared, kolmogorov_smirnov

TESTS = sorted(two_sample_tests())


def mixed(rng: np.random.Generator, n: int) -> np.ndarray:
    """Return dependent columns: normal, with long tails, with ties, and two of categories."""
    x = rng.normal(size=(n, 5))
    x[:, 1] = np.exp(3 * x[:, 0])
    x[:, 2] = rng.geometric(0.3, n)
    x[:, 3] = rng.poisson(0.1, n)
    x[:, 4] = x[:, 4] > 1.5
    return x


def of_both(a: np.ndarray, b: np.ndarray) -> Samples:
    plain = of_points(a, b)
    categorical = [k >= 3 for k in range(a.shape[1])]
    return Samples(plain.names, categorical, plain.column, plain.rows, plain.points)


@pytest.mark.parametrize("name", TESTS)
@pytest.mark.parametrize("sizes", [(60, 60), (40, 200)])
def test_equal_sets_are_rejected_at_most_at_the_level(name: str, sizes: tuple[int, int]) -> None:
    """At level .05 more than 12 of 100 are rejected once in some 700 suites."""
    test = two_sample_tests()[name]()
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        found = test(of_both(mixed(rng, sizes[0]), mixed(rng, sizes[1])), seed)
        assert found is not None
        hits += found.p_value <= 0.05
    assert hits <= 12


def test_all_tests_together_keep_the_level() -> None:
    hits = 0
    for seed in range(100):
        rng = np.random.default_rng(1000 + seed)
        hits += prove(of_both(mixed(rng, 80), mixed(rng, 80)), seed).p_value <= 0.05
    assert hits <= 12


DIFFERENCES = {"moved": "columns", "wider": "columns", "correlated": "pairs", "ring": "classifier"}


@pytest.mark.parametrize("what", DIFFERENCES)
def test_what_differs_is_proven_and_named(what: str) -> None:
    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(2, 3000, 6))
    if what == "moved":
        b[:, 2] += 0.2
    if what == "wider":
        b[:, 2] *= 1.3
    if what == "correlated":
        b[:, 3] = 0.3 * b[:, 2] + np.sqrt(1 - 0.3**2) * b[:, 3]
    if what == "ring":  # neither a column nor a pair of ranks shows it
        a[:, 2] *= np.sign(a[:, 3] * a[:, 4] * a[:, 2])
    found = prove(of_points(a, b))
    assert found.p_value < 1e-3
    two = sorted(found.outcomes, key=lambda o: o.p_value)[:2]
    assert DIFFERENCES[what] in {o.test for o in two}
    if what == "ring":
        assert found.seen == found.sharpest.witness
    else:
        assert "coordinate 3" in found.seen


def test_each_column_has_a_p_value_of_its_own() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 500, 4))
    b[:, 1] += 1
    outcome = next(o for o in prove(of_points(a, b)).outcomes if o.test == "columns")
    p = dict(outcome.parts)
    assert p["coordinate 2"] == outcome.p_value < 1e-6
    assert min(p[f"coordinate {k}"] for k in (1, 3, 4)) > 0.05


def test_kolmogorov_smirnov_agrees_with_scipy() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=400).round(1), rng.normal(0.1, 1, 300).round(1)
    other = stats.ks_2samp(a, b, method="asymp")
    p, statistic = kolmogorov_smirnov(a, b)
    assert statistic == pytest.approx(other.statistic, abs=1e-12)
    assert p == pytest.approx(other.pvalue, rel=0.1)


def test_chi_squared_agrees_with_scipy() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.integers(0, 5, 400), rng.integers(0, 5, 700)
    table = [np.bincount(x) for x in (a, b)]
    p, variation = chi_squared(a, b)
    assert p == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue)
    assert variation == pytest.approx(abs(table[0] / 400 - table[1] / 700).sum() / 2)


def test_rare_categories_are_pooled() -> None:
    """Names that occur once each differ between any two sets, and prove nothing."""
    a, b = np.arange(300), np.arange(300, 600)
    assert chi_squared(a, b)[0] > 0.5


def test_holm_multiplies_the_smallest_by_their_number() -> None:
    assert holm(np.array([0.03, 0.01, 0.04])) == pytest.approx([0.06, 0.03, 0.06])
    assert holm(np.array([0.9, 0.5])).max() <= 1


def test_the_p_value_of_all_is_bonferronis() -> None:
    outcomes = tuple(Outcome(str(p), p, (9, 9), "") for p in (0.5, 0.02, 0.3))
    assert Proof(outcomes).p_value == pytest.approx(0.06)
    assert Proof(outcomes).sharpest.p_value == 0.02


def test_a_classifier_of_equal_rows_is_never_sure() -> None:
    same = np.ones((50, 2))
    found = Classifier()(of_points(same, same), 0)
    assert found is not None
    assert found.p_value == pytest.approx(0.5)


def test_the_error_of_an_auc_bounds_how_it_scatters() -> None:
    """Folds that share training rows scatter together: 1 / sqrt(6 n) would be too small."""
    sides = [np.random.default_rng(seed).normal(size=(2, 300, 2)) for seed in range(30)]
    found = [separate(a, b, seed) for seed, (a, b) in enumerate(sides)]
    assert 1 / np.sqrt(6 * 300) < np.std([f.auc for f in found]) < found[0].error


def test_a_small_difference_of_dependence_is_proven_by_the_classifier() -> None:
    """Neither columns nor W1 show that a column follows another less closely."""

    def rows(seed: int, noise: float) -> np.ndarray:
        x = np.random.default_rng(seed).normal(size=(4000, 6))
        x[:, 5] = np.sin(2 * x[:, 1]) + noise * x[:, 5]
        return x

    p = []
    for seed in range(5):
        found = Classifier()(of_points(rows(seed, 0.1), rows(100 + seed, 0.15)), seed)
        assert found is not None
        p.append(found.p_value)
    assert np.median(p) < 0.01


def test_many_coordinates_are_reduced_alike_for_both_sets() -> None:
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 200, 600))
    b[:, :300] += 0.3
    both = of_points(a, b)
    assert len(both.names) == 64
    assert prove(both).p_value < 1e-3
    assert prove(of_points(a, rng.normal(size=(200, 600)))).p_value > 0.05
