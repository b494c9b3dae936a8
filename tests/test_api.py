"""What a notebook does."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor import InputError, Model
from surveyor.errors import Notice
from tests.conftest import QUICK, mixed


def test_where_holds_in_every_row(table_run: Model) -> None:
    made = table_run.sample(200, where={"town": "Rome"})
    assert set(made["town"]) == {"Rome"}
    both = table_run.sample(100, where={"town": "Oslo", "member": True})
    assert set(both["town"]) == {"Oslo"}
    assert both["member"].all()
    assert len(both) == 100


def test_a_combination_never_seen_is_called_a_guess(tmp_path: Path) -> None:
    frame = mixed(300)
    frame = frame[~((frame["town"] == "Oslo") & frame["member"])]
    model = surveyor.fit(frame, tmp_path / "run", condition=["town", "member"], **QUICK)
    with pytest.warns(Notice, match="rarely seen together") as told:
        made = model.sample(5, {"town": "Oslo", "member": "True"})
    assert told[0].filename == __file__
    assert (made["town"] == "Oslo").all()
    assert made["member"].all()


def test_a_verdict_names_what_it_was_measured_against(table_run: Model) -> None:
    said = table_run.evaluate(mixed(300, seed=5), rows=100).verdict
    assert "held-out" not in said


def test_a_number_asked_for_is_the_number_returned(tmp_path: Path) -> None:
    model = surveyor.fit(mixed(), tmp_path / "run", condition=["age", "joined"], **QUICK)
    with pytest.warns(Notice, match="rarely seen together"):
        made = model.sample(30, where={"age": 33, "joined": "2021-02-03"})
    assert set(made["age"]) == {33}
    assert made["age"].dtype == mixed()["age"].dtype
    assert set(made["joined"]) == {pd.Timestamp("2021-02-03")}


def test_samples_have_the_users_columns_and_types(table_run: Model) -> None:
    made, real = table_run.sample(300), mixed(600)
    assert list(made.columns) == list(real.columns)
    assert made.dtypes.astype(str).tolist() == real.dtypes.astype(str).tolist()
    for name in ("age", "visits", "income"):
        assert real[name].min() <= made[name].min() <= made[name].max() <= real[name].max()


def test_conditions_are_as_frequent_as_in_training(table_run: Model) -> None:
    made = table_run.sample(4000)["town"].fillna("-").value_counts(normalize=True)
    real = mixed(600)["town"].fillna("-").value_counts(normalize=True)
    # 480 training rows of 600: four standard errors of the largest share are below .1.
    assert (made - real).abs().max() < 0.1


def test_equal_seeds_give_equal_samples(table_run: Model, digits_run: Model) -> None:
    one, same, other = (table_run.sample(50, seed=s) for s in (1, 1, 2))
    assert one.equals(same)
    assert not one.equals(other)
    assert (digits_run.sample(5, seed=1)["images"] == digits_run.sample(5, seed=1)["images"]).all()


def test_a_saved_model_is_the_same_model(table_run: Model, tmp_path: Path) -> None:
    again = surveyor.load(table_run.save(tmp_path / "copy"))
    assert again.sample(20).equals(table_run.sample(20))
    with pytest.raises(InputError, match="already exists"):
        table_run.save(tmp_path / "copy")


def test_a_model_without_a_folder(tmp_path: Path) -> None:
    model = surveyor.fit(np.random.default_rng(0).normal(size=(200, 3)), **QUICK)
    assert model.sample(7)["x"].shape == (7, 3)
    assert model.save(tmp_path / "kept").is_dir()


def test_pictures_come_back_as_they_went_in(digits_run: Model) -> None:
    made = digits_run.sample(40, where={"digit": 3})
    assert made["images"].shape == (40, 8, 8)
    assert made["images"].dtype == np.uint8
    assert made["images"].max() <= 16
    assert set(made["digit"]) == {3}


def test_distance_takes_what_fit_takes() -> None:
    frame = mixed(300)
    moved = frame.assign(age=frame["age"] + 200)
    near, far = surveyor.distance(frame, mixed(300, seed=9)), surveyor.distance(frame, moved)
    assert near.low == 0
    assert far.value > near.value
    shifted = np.zeros((60, 2)), np.ones((60, 2)) * [3, 4]
    noise = 1e-3 * np.random.default_rng(0).normal(size=(60, 2))
    assert surveyor.distance(shifted[0] + noise, shifted[1] + noise).value == pytest.approx(
        5, rel=1e-3
    )


def test_vectors_are_measured_in_their_own_unit() -> None:
    points = 1000 * np.random.default_rng(0).normal(size=(300, 2))
    model = surveyor.fit(points, **QUICK)
    assert (model.evaluation["w1"].floor or 0) > 50
    assert model.evaluation["gradient_norm_max"].known < 20


def test_a_misspelt_option_is_answered(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'batch'"):
        surveyor.fit("toy:ring:100", tmp_path / "run", bacth=3)


def test_watching_sees_every_step() -> None:
    seen: list[int] = []
    surveyor.fit("toy:ring:100", watch=lambda s, r: seen.append(r.step), **QUICK)
    assert seen == [1, 2, 3, 4, 5, 6]


def test_where_sets_numbers_that_are_no_condition(table_run: Model) -> None:
    made = table_run.sample(20, where={"age": 44, "member": False})
    assert set(made["age"]) == {44}
    assert not made["member"].any()


def test_a_changed_file_is_not_taken_for_the_held_out_part(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    mixed(200).to_csv(path, index=False)
    model = surveyor.fit(str(path), tmp_path / "run", **QUICK)
    mixed(201).to_csv(path, index=False)
    with pytest.raises(InputError, match="different data"):
        model.evaluate()


def test_a_perfect_conditional_generator_is_at_the_floor() -> None:
    """Three conditions that say all: fakes must not borrow those of the held-out rows."""
    rng = np.random.default_rng(0)
    conditions = {f"c{k}": rng.normal(size=1500) for k in range(3)}
    frame = pd.DataFrame({"y": rng.choice(["a", "b"], 1500), **conditions})
    model = surveyor.fit(
        frame, condition=list(conditions), **QUICK | {"measure": "w1:every=2,rows=300"}
    )
    # Untrained, but y is drawn at its marginal, which is all there is to learn.
    assert 0.9 < (model.evaluation["w1"].ratio or 0) < 1.15


def test_pictures_of_another_scale_are_refused(digits_run: Model) -> None:
    pictures = np.random.default_rng(0).random((20, 8, 8))
    with pytest.raises(InputError, match="same scale"):
        digits_run.score({"images": pictures, "digit": np.arange(20) % 10})


def test_an_evaluation_is_kept_for_the_report(digits_run: Model) -> None:
    (digits_run.run.path / "evaluation.json").unlink()
    digits_run.evaluate()
    assert surveyor.load(digits_run.run.path).report().exists()
