"""Tables compared column by column, and by a classifier."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor import fit
from surveyor.data.fitting import fit_column
from surveyor.measures.columns import features, table_fidelity
from surveyor.two_sample.classifier import separate
from tests.conftest import QUICK, mixed


def test_a_column_is_compared_in_its_own_unit() -> None:
    frame = pd.DataFrame({"dollars": np.arange(500) * 10.0, "kind": ["a", "b"] * 250})
    moved = frame.assign(dollars=frame["dollars"] + 70, kind=["a", "a", "a", "b"] * 125)
    columns = tuple(fit_column(str(name), frame[name]) for name in frame)
    fidelity = table_fidelity(columns, moved, frame, frame)
    by_name = {c.name: c for c in fidelity.columns}
    assert by_name["dollars"].distance == pytest.approx(70)
    assert by_name["kind"].distance == pytest.approx(0.25)
    assert by_name["dollars"].floor == by_name["kind"].floor == 0
    assert fidelity.trends_floor == 1


def test_tables_are_compared_at_as_many_rows_as_the_shortest_has() -> None:
    rng = np.random.default_rng(0)
    whole = pd.DataFrame({"x": rng.normal(size=900), "c": rng.choice(["a", "b"], 900)})
    columns = tuple(fit_column(str(name), whole[name]) for name in whole)
    same = whole.head(300)
    for sides in ((same, whole, whole), (whole, same, whole), (whole, whole, same)):
        found = table_fidelity(columns, *sides)
        assert [(c.distance, c.floor) for c in found.columns] == [(0, 0), (0, 0)]
        assert found.trends == found.trends_floor == 1


def test_a_lost_correlation_lowers_the_trends() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=800)
    frame = pd.DataFrame({"x": x, "y": x + 0.1 * rng.normal(size=800), "c": x > 0})
    shuffled = frame.apply(lambda c: c.sample(frac=1, random_state=len(str(c.name)) + 3).to_numpy())
    shuffled["y"] = rng.permutation(shuffled["y"])
    columns = tuple(fit_column(str(name), frame[name]) for name in frame)
    assert table_fidelity(columns, shuffled, frame, frame).trends < 0.75


def test_a_classifier_tells_apart_what_differs_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    real, more, moved = (
        rng.normal(size=(600, 3)),
        rng.normal(size=(600, 3)),
        rng.normal(1, 1, (600, 3)),
    )
    # The best classifier of a shift by (1, 1, 1) has AUC Phi(sqrt(3 / 2)) = .89.
    assert 0.8 < separate(real, moved).auc < 0.9
    assert separate(real, more).indistinguishable > 0.88
    assert separate(*rng.normal(size=(2, 300, 100))).right < 0.6


def gaps(n: int, columns: int, share: float, seed: int) -> pd.DataFrame:
    """Return dates in seconds beside small numbers, a ``share`` of which is missing."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"c{k}": 0.01 * rng.normal(size=n) for k in range(columns)})
    frame = frame.mask(rng.random(frame.shape) < share)
    return frame.assign(t=1.6e9 + 1e7 * rng.normal(size=n), s=[1.0, *[np.nan] * (n - 1)])


@pytest.mark.parametrize("columns", [4, 70])
def test_a_classifier_sees_what_is_missing_and_small_numbers_beside_large_ones(
    columns: int,
) -> None:
    held, train, full = (gaps(300, columns, s, k) for k, s in enumerate((0.3, 0.3, 0.0)))
    moved = gaps(300, columns, 0.3, 3)
    moved[[f"c{k}" for k in range(columns)]] += 0.02
    fitted = tuple(fit_column(str(name), train[name]) for name in train)
    for made, least, most in (
        (full, 0.8, 1.0),
        (moved, 0.8, 1.0),
        (gaps(300, columns, 0.3, 4), 0.5, 0.6),
    ):
        seen, real, _ = features(fitted, made, held, train)
        assert np.isfinite(seen).all()
        assert least <= separate(real, seen).right <= most


def test_a_small_number_beside_many_large_ones_is_not_lost() -> None:
    def rows(seed: int, shift: float) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        frame = pd.DataFrame({f"c{k}": 1e6 * rng.normal(size=300) for k in range(70)})
        return frame.assign(small=rng.normal(size=300) + shift)

    held, train, moved = rows(0, 0.0), rows(1, 0.0), rows(2, 6.0)
    fitted = tuple(fit_column(str(name), train[name]) for name in train)
    seen, real, _ = features(fitted, moved, held, train)
    assert separate(real, seen).auc > 0.9


def test_features_do_not_overflow() -> None:
    frame = pd.DataFrame({"huge": [1e308, -1e308, np.nan, 0.5] * 5, "tiny": [1e-320] * 20})
    fitted = tuple(fit_column(str(name), frame[name]) for name in frame)
    (side,) = features(fitted, frame, frame)[:1]
    assert np.isfinite(side).all()
    assert side[2, 0] < side[1, 0] < side[3, 0] < side[0, 0]


@pytest.mark.parametrize("present", [0, 1, 3])
@pytest.mark.parametrize("what", ["number", "date", "text"])
def test_a_column_with_hardly_a_value_is_trained_on_and_measured(
    what: str, present: int, tmp_path: Any
) -> None:
    frame = mixed(90)[["age", "member"]]
    values: dict[str, Any] = {
        "number": np.arange(90.0),
        "date": pd.date_range("2020-01-01", periods=90),
        "text": np.array(["p", "q", "r"] * 30, dtype=object),
    }
    frame["rare"] = pd.Series(values[what]).where(np.arange(90) < present)
    model = fit(frame, tmp_path / "run", **QUICK)
    assert np.isfinite(model.evaluation["auc"].known)
    for name in frame:
        assert "W1" in model.evaluate(frame.assign(**{str(name): None})).verdict


def test_more_columns_than_trees_look_at_with_gaps_are_trained_on_and_measured(
    tmp_path: Any,
) -> None:
    model = fit(gaps(80, 70, 0.2, 0), tmp_path / "run", **QUICK)
    assert np.isfinite(model.evaluation["auc"].known)
