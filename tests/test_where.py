"""What is asked of a column holds in every row returned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor.api import Model, fit
from surveyor.data.fitting import fit_column
from surveyor.data.where import read_selection
from surveyor.errors import InputError
from surveyor.run import draw_samples, sampling
from tests.conftest import QUICK, mixed


def column(values: list[Any], name: str = "x") -> Any:
    return fit_column(name, pd.Series(values, name=name))


def test_what_is_made_for_a_rare_wish_is_no_more_than_its_rarity_asks(
    monkeypatch: pytest.MonkeyPatch, table_run: Model
) -> None:
    share = float((table_run.sample(4000, seed=2)["income"] == 0).mean())
    made: list[int] = []
    plain = sampling._made

    def counted(run: Any, n: int, *more: Any, **rest: Any) -> Any:
        made.append(n)
        return plain(run, n, *more, **rest)

    monkeypatch.setattr(sampling, "_made", counted)
    monkeypatch.setattr(sampling, "RARE", 0.0)
    rows = draw_samples(table_run.run, 3000, {"income": 0}, 1)
    assert (rows["income"] == 0).all()
    assert len(made) > 1
    # A fifth more than what is still wanted, each round, of which the first knows no share yet.
    assert sum(made) <= 1.5 * 3000 / share


def test_a_rare_wish_is_made_in_rounds_that_its_share_so_far_asks_for(
    monkeypatch: pytest.MonkeyPatch, table_run: Model
) -> None:
    rounds: list[pd.DataFrame] = []
    plain = sampling._made

    def kept(*args: Any, **rest: Any) -> Any:
        rounds.append(plain(*args, **rest))
        return rounds[-1]

    monkeypatch.setattr(sampling, "_made", kept)
    monkeypatch.setattr(sampling, "RARE", 0.0)
    table_run.sample(300, {"age": "18..20"})
    met = int(rounds[0]["age"].between(18, 20).sum())
    assert 0 < met < 150  # so that more is to be made than the least of a round
    assert len(rounds[1]) == int(1.2 * (300 - met) * len(rounds[0]) / met)


@pytest.mark.parametrize(
    ("run", "where", "told"),
    [
        ("toy_run", "x", "x: not a condition of this run; the run has no conditions (train with condition)"),
        ("digits_run", "digti", "digti: not a condition of this run; did you mean 'digit'?"),
        ("table_run", "agee", "agee: unknown column; did you mean 'age'?"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_of_a_run_is_told_with_the_remedy(
    run: str, where: str, told: str, request: pytest.FixtureRequest
) -> None:
    model: Model = request.getfixturevalue(run)
    with pytest.raises(InputError) as error:
        model.sample(3, {where: 1})
    assert str(error.value) == f"where {told}"


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"age": "30..40"}, lambda r: r["age"].between(30, 40)),
        ({"age": "70.."}, lambda r: r["age"] >= 70),
        ({"age": "..25", "member": "true"}, lambda r: (r["age"] <= 25) & r["member"]),
        ({"town": ["Oslo", "Rome"]}, lambda r: r["town"].isin(["Oslo", "Rome"])),
        ({"town": "Oslo|Rome", "age": "20..60"}, lambda r: r["town"].isin(["Oslo", "Rome"]) & r["age"].between(20, 60)),
        ({"visits": "2|3|5"}, lambda r: r["visits"].isin([2, 3, 5])),
        ({"joined": "2020-06-01..2021-06-01"}, lambda r: r["joined"].between("2020-06-01", "2021-06-01")),
        ({"income": 0}, lambda r: r["income"] == 0),
    ],
    ids=["range", "from", "up to, and a value", "set", "set and range", "numbers", "dates", "zero"],
)  # fmt: skip
def test_every_row_is_what_was_asked_for(table_run: Model, where: Any, holds: Any) -> None:
    rows = table_run.sample(60, where)
    assert len(rows) == 60
    assert bool(holds(rows).all())
    pd.testing.assert_frame_equal(rows, table_run.sample(60, where))


def test_a_range_of_a_condition_is_told_to_the_generator_and_kept(tmp_path: Path) -> None:
    model = fit(mixed(600), tmp_path / "run", condition=["age"], **QUICK)
    rows = model.sample(200, {"age": "30..33"})
    assert set(rows["age"]) == {30, 31, 32, 33}


def test_several_conditions_are_as_frequent_as_in_training(table_run: Model) -> None:
    rows = table_run.sample(4000, {"town": ["Oslo", "Rome"]})
    column = table_run.run.codec.condition.columns[0]
    oslo, rome = (column.frequency[column.labels.index(name)] for name in ("Oslo", "Rome"))
    # Four deviations of a share of 4,000.
    assert (rows["town"] == "Oslo").mean() == pytest.approx(oslo / (oslo + rome), abs=0.03)


def test_a_range_ends_inside_a_cell() -> None:
    made = read_selection(column(list(np.linspace(0, 1, 5000))), "0.123..0.456")
    values = pd.Series([0.1229, 0.123, 0.3, 0.456, 0.4561])
    assert made.matches(values).tolist() == [False, True, True, True, False]


def test_a_gap_among_numbers_can_be_asked_for_and_stays_one() -> None:
    gappy = column([1.5, 2.5, np.nan] * 40)
    values = pd.Series([1.5, np.nan, 2.5])
    for asked in ("nan", None):
        found = read_selection(gappy, asked)
        assert found.matches(values).tolist() == [False, True, False]
        assert gappy.repeated(asked, 3).isna().all()
    assert gappy.repeated(2.5, 3).tolist() == [2.5] * 3


@pytest.mark.parametrize("asked", ["u|v", ["u", "v"]])
def test_a_set_is_shown_as_it_is_written(asked: Any) -> None:
    assert read_selection(column(["u", "v", "w"] * 40), asked).text == "u|v"


def test_labels_that_look_like_signs_are_labels() -> None:
    odd = column(["a|b", "1..2", "plain"] * 50)
    assert len(read_selection(odd, "a|b").codes) == 1
    assert len(read_selection(odd, "1..2").codes) == 1
    assert len(read_selection(odd, "1..2|plain").codes) == 2


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("9..3", "the range is empty"),
        ("700..900", "no training row lies in this range"),
        ("a..b", "'a' is not a valid end of a range"),
        ([], "an empty list"),
        ([1, 4000], "outside the range of the training rows"),
    ],
    ids=str,
)
def test_what_cannot_hold_is_refused(asked: Any, told: str) -> None:
    with pytest.raises(InputError, match=told):
        read_selection(column(list(range(100)) * 20), asked)


def test_a_column_without_any_value_has_none_to_ask_for() -> None:
    empty = column([np.nan] * 20)
    with pytest.raises(InputError, match="where x=5: the column has only missing"):
        read_selection(empty, 5)
    with pytest.raises(InputError, match="no training row lies"):
        read_selection(empty, "1..5")


def test_one_number_among_others_of_its_cell_is_refused_in_a_set() -> None:
    with pytest.raises(InputError, match=r"LOW\.\.HIGH"):
        read_selection(column(list(np.linspace(0, 1, 5000))), ["0.5", "0.7"])


def test_all_problems_of_a_where_are_told_at_once(table_run: Model) -> None:
    with pytest.raises(InputError) as error:
        table_run.sample(5, {"age": "9..3", "twon": "Oslo", "town": ["Oslo", "Paris"]})
    text = str(error.value)
    assert "age" in text
    assert "did you mean 'town'" in text
    assert "Paris" in text


@pytest.fixture(scope="module")
def paid(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A run on pay that is high in 60% of one group, and in 20% of the other."""
    rng = np.random.default_rng(0)
    sex = rng.choice(["f", "m"], 3000, p=[0.3, 0.7])
    pay = np.where(rng.random(3000) < np.where(sex == "m", 0.6, 0.2), "high", "low")
    frame = pd.DataFrame({"sex": sex, "pay": pay, "age": rng.integers(20, 60, 3000)})
    path = tmp_path_factory.mktemp("runs") / "paid"
    return fit(frame, path, steps=200, warm_start=1.0, batch=256, threads=1)


def test_the_odds_of_parity_come_from_other_rows_than_those_they_filter(
    paid: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[pd.DataFrame] = []

    def watched(*args: Any, **options: Any) -> pd.DataFrame:
        drawn.append(draw_samples(*args, **options))
        return drawn[-1]

    monkeypatch.setattr("surveyor.run.parity.draw_samples", watched)
    paid.sample(500, parity=("pay", "sex"))
    pilot, made = drawn[0], drawn[-1]
    n = min(len(pilot), len(made))
    same = (pilot.iloc[:n].to_numpy() == made.iloc[:n].to_numpy()).all(1)
    assert same.mean() < 0.5  # a few agree by chance


def test_parity_closes_the_gap_and_keeps_the_groups(paid: Model) -> None:
    plain, fair = paid.sample(8000), paid.sample(8000, parity=("pay", "sex"))

    def high(rows: pd.DataFrame) -> pd.Series:
        return (rows["pay"] == "high").groupby(rows["sex"]).mean()

    assert high(plain)["m"] - high(plain)["f"] > 0.2
    # Four deviations of the difference of two shares, of 2,400 and 5,600 rows.
    assert abs(high(fair)["m"] - high(fair)["f"]) < 0.05
    assert (fair["sex"] == "m").mean() == pytest.approx((plain["sex"] == "m").mean(), abs=0.03)
    assert len(fair) == 8000


def test_no_sample_equals_a_row_it_is_to_keep_apart_from(paid: Model, tmp_path: Path) -> None:
    known = paid.sample(60, seed=5)
    known.to_csv(tmp_path / "known.csv", index=False)

    def shared(rows: pd.DataFrame) -> int:
        return len(rows.merge(known.drop_duplicates(), on=list(rows)))

    assert shared(paid.sample(400)) > 0
    assert shared(paid.sample(400, apart_from=tmp_path / "known.csv")) == 0
    assert shared(paid.sample(400, {"pay": "high"}, apart_from=known)) == 0
    assert shared(paid.sample(100, parity=("pay", "sex"), apart_from=known)) == 0
    with pytest.raises(InputError, match=r"apart_from: column age: unknown column"):
        paid.sample(5, apart_from=known.drop(columns="age"))


def test_rows_that_are_all_to_be_kept_apart_from_are_refused(paid: Model) -> None:
    every = pd.DataFrame(
        [(s, p, a) for s in "fm" for p in ("high", "low") for a in range(20, 60)],
        columns=["sex", "pay", "age"],
    )
    with pytest.raises(InputError, match="only 0 such rows"):
        paid.sample(5, apart_from=every)


@pytest.mark.parametrize(
    ("parity", "told"),
    [
        (("pay", "sxe"), "did you mean 'sex'"),
        (("age", "sex"), "a column of numbers"),
        (("pay", "pay"), "give two columns"),
    ],
)
def test_a_parity_that_cannot_be_is_refused(
    paid: Model, parity: tuple[str, str], told: str
) -> None:
    with pytest.raises(InputError, match=told):
        paid.sample(10, parity=parity)


def test_one_number_that_is_no_condition_selects_what_goes_with_it(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    age = 10.0 * rng.integers(0, 5, 3000)
    frame = pd.DataFrame({"age": age, "old": np.where(age >= 30, "yes", "no")})
    frame.loc[:20, "old"] = ["no", "yes", "no"] * 7  # so that it does not follow
    said: Any = {"steps": 150, "warm_start": 1.0, "batch": 256, "threads": 1}
    model = fit(frame, tmp_path / "run", **said)
    for asked, share in ((40.0, 1.0), (0.0, 0.0)):
        rows = model.sample(300, {"age": asked})
        assert (rows["age"] == asked).all()
        assert (rows["old"] == "yes").mean() == pytest.approx(share, abs=0.05)
