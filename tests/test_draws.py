"""What is drawn: every row of a source, every value of a cell, samples that do not repeat."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from surveyor import Model
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.conditions import fit_conditions
from surveyor.data.fitting import fit_column
from surveyor.data.where import read_where
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from surveyor.run import sampling
from surveyor.training.privacy import without_rows
from tests.conftest import QUICK, mixed


def numbers(n: int = 2000) -> pd.Series:
    return pd.Series(np.random.default_rng(3).lognormal(2, 1, n), name="x")


def test_every_value_kept_of_a_cell_is_drawn_from_its_first_to_its_last() -> None:
    values = numbers()
    column = fit_column("x", values)
    codes = np.repeat(np.arange(column.size), 400)
    made = column.decode(codes, Draws(0)).to_numpy()
    for code in range(column.size):
        # Each of 32 values is missed by 400 draws with probability 3e-6.
        assert set(made[codes == code]) == set(column.cells[code])
    assert (made.min(), made.max()) == (values.min(), values.max())


def test_cells_part_the_numbers_and_hold_alike_many() -> None:
    values = numbers()
    column = fit_column("x", values)
    codes = column.encode(values)
    assert codes.min() == 0
    assert codes.max() == column.size - 1
    shares = np.bincount(codes, minlength=column.size) / len(values)
    assert shares == pytest.approx(column.frequency)
    assert shares.max() < 2 * shares.min()
    ends = [(values[codes == k].min(), values[codes == k].max()) for k in range(column.size)]
    assert all(a[1] < b[0] for a, b in zip(ends[:-1], ends[1:], strict=True))
    assert [tuple(cell[[0, -1]]) for cell in column.cells] == ends


def test_a_number_seen_often_is_a_cell_of_its_own() -> None:
    values = pd.concat([numbers(), pd.Series([7.5] * 60 + [1.25] * 200 + [np.nan] * 40)])
    column = fit_column("x", values.rename("x"))
    assert column.exact == 2
    assert column.cells[:2].tolist() == [
        [1.25] * column.cells.shape[1],
        [7.5] * column.cells.shape[1],
    ]
    assert column.frequency[[0, 1, -1]] == pytest.approx(np.array([200, 60, 40]) / 2300)
    found = column.encode(pd.Series([7.5, 1.25, np.nan, 7.4999], name="x"))
    assert found[:3].tolist() == [1, 0, column.size - 1]
    assert found[3] > 1


def test_a_number_is_a_value_of_its_own_where_rows_enough_have_it() -> None:
    """At least 50 rows and .15% of all."""
    rng = np.random.default_rng(0)
    for rows, often, alone in (
        (60_000, 60, False),
        (60_000, 95, True),
        (2000, 45, False),
        (2000, 55, True),
    ):
        values = np.concatenate([rng.normal(size=rows - often), np.full(often, 0.25)])
        one = fit_column("x", pd.Series(values))
        assert one.exact == alone
        assert (0.25 in one.cells[: one.exact]) == alone


def test_positions_are_in_standard_deviations_and_a_gap_stands_at_the_mean() -> None:
    values = pd.concat([numbers(), pd.Series([np.nan] * 300)]).rename("x")
    column = fit_column("x", values)
    at, share = column.positions, column.frequency[:-1] / column.frequency[:-1].sum()
    assert float((share * at[:-1]).sum()) == pytest.approx(0, abs=1e-9)
    assert float((share * at[:-1] ** 2).sum()) == pytest.approx(1)
    assert at[-1] == pytest.approx(0, abs=1e-9)
    ranks = column.ranks
    assert ranks[:-1] == pytest.approx((np.cumsum(column.frequency) - column.frequency / 2)[:-1])
    assert np.isnan(ranks[-1])


def test_a_source_draws_all_its_rows_alike() -> None:
    data = load(np.arange(600.0).reshape(300, 2), Options())
    x = data.train.draw(40_000, Draws(0)).x
    _, counts = torch.unique(x, dim=0, return_counts=True)
    assert len(counts) == len(data.train)
    # Of 40,000 draws from 240 rows each is met 167 times, deviation 13; 5 of them.
    assert float((counts - 40_000 / len(counts)).abs().max()) < 65
    first, rest = data.train.first(100), data.train.first(len(data.train) - 100, skip=100)
    whole = torch.cat([first.x, rest.x])
    assert torch.equal(torch.unique(whole, dim=0), torch.unique(x, dim=0))


def test_a_balanced_source_draws_every_row_of_every_group_alike() -> None:
    frame = pd.DataFrame(
        {"x": np.arange(900.0), "side": np.repeat(["a", "b", "c"], [700, 150, 50])}
    )
    data, _ = prepare(frame, QUICK | {"group": "side"})
    source = replace(data.train, balance=True)
    drawn = source.draw(60_000, Draws(0))
    assert drawn.group is not None
    groups = source.rows["group"][source.index]
    for k in range(3):
        own = torch.unique(data.codec.batch(source.rows, source.index[groups == k]).x, dim=0)
        seen, counts = torch.unique(drawn.x[drawn.group == k], dim=0, return_counts=True)
        # Cells of rows: as often as the group holds them, five deviations of a share apart.
        assert torch.equal(seen, own)
        assert int(counts.sum()) == pytest.approx(20_000, abs=5 * 115)
        rows = data.codec.batch(source.rows, source.index[groups == k]).x
        _, held = torch.unique(rows, dim=0, return_counts=True)
        expected = held.double() / held.sum()
        spread = (expected * (1 - expected) / counts.sum()).sqrt()
        assert float(((counts / counts.sum() - expected).abs() / spread).max()) < 5


def outside(seed: int) -> tuple[Any, float]:
    values = numbers(100)
    return load(pd.DataFrame({"x": values, "k": ["a", "b"] * 50}), Options(), seed=seed), float(
        values.max()
    )


class Elsewhere(torch.Tensor):
    """A tensor of another device, as far as NumPy is concerned."""

    def numpy(self, *, force: bool = False) -> np.ndarray:
        raise TypeError("not on the CPU")

    def cpu(self, memory_format: Any = None) -> torch.Tensor:
        return self.as_subclass(torch.Tensor)


class Abroad(Draws):
    def uniform(self, *shape: int) -> torch.Tensor:
        return super().uniform(*shape).as_subclass(Elsewhere)


def test_choices_are_the_same_wherever_drawn_numbers_lie() -> None:
    data, _ = prepare(mixed(300), QUICK | {"condition": ["town", "member"], "group": "member"})
    conditions = data.codec.condition
    assert np.array_equal(conditions.draw(40, Abroad(1)), conditions.draw(40, Draws(1)))
    values = {"a": ["x"] * 400 + ["y"] * 100, "c": [1.5] * 100 + [2.5] * 300 + [9.5] * 100}
    apart = fit_conditions(values, ["a", "c"])
    where = read_where({"a": "y", "c": "1..3"}, apart.columns, "unknown column")
    with pytest.warns(UserWarning, match="seen together"):
        codes = [apart.draw(40, draws, where) for draws in (Abroad(1), Draws(1))]
    assert np.array_equal(codes[0], codes[1])
    balanced = replace(data.train, balance=True)
    assert torch.equal(balanced.draw(40, Abroad(2)).x, balanced.draw(40, Draws(2)).x)


def test_what_stands_for_private_rows_lies_where_the_nets_are() -> None:
    class OnMeta(Abroad):
        def uniform(self, *shape: int) -> torch.Tensor:
            return Abroad(self.seed).uniform(*shape)

    data, _ = prepare(mixed(300), QUICK | {"condition": ["town", "member"]})
    batch = without_rows(data.train, 40, OnMeta(0, device="meta"))
    assert batch.cond is not None
    assert batch.x.device.type == batch.cond.device.type == "meta"
    assert len(batch.x) == len(batch.cond) == 40


def test_the_codec_is_fitted_to_training_rows_alone() -> None:
    """Of some seed the largest value is held out: the table's cells do not know it."""
    apart = 0
    for seed in range(12):
        data, most = outside(seed)
        assert isinstance(data.codec, TableCodec)
        (column,) = [c for c in data.codec.columns if c.name == "x"]
        own = data.training(len(data.train))["x"]
        assert column.cells.max() == own.max()
        assert column.frequency == pytest.approx(np.bincount(column.encode(own)) / len(own))
        apart += own.max() < most
    assert apart >= 1


def test_the_three_parts_share_no_row_and_miss_none() -> None:
    data = load(np.random.default_rng(0).normal(size=(200, 2)), Options(), holdout=0.3, seed=5)
    parts = [set(s.index.tolist()) for s in (data.train, data.validation, data.holdout)]
    assert set.union(*parts) == set(range(200))
    assert all(not a & b for a, b in combinations(parts, 2))
    assert [len(p) for p in parts] == [140, 20, 40]
    other = load(np.random.default_rng(0).normal(size=(200, 2)), Options(), holdout=0.3, seed=6)
    assert not np.array_equal(other.train.index, data.train.index)


@pytest.mark.parametrize(("rows", "parts"), [(100, [80, 6, 14]), (20, [16, 1, 3]), (10, [6, 1, 3])])
def test_a_fifth_of_the_rows_is_held_out_and_never_fewer_than_four(
    rows: int, parts: list[int]
) -> None:
    data = load(np.random.default_rng(0).normal(size=(rows, 2)), Options())
    assert [len(s) for s in (data.train, data.validation, data.holdout)] == parts


def blocks(made: Any, size: int) -> list[np.ndarray]:
    rows = made["x"] if isinstance(made, dict) else made.astype(str).to_numpy()
    return [rows[k : k + size] for k in range(0, len(rows) - size + 1, size)]


@pytest.mark.parametrize("run", ["toy_run", "table_run", "digits_run"])
def test_blocks_of_samples_do_not_repeat(
    run: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    model: Model = request.getfixturevalue(run)
    monkeypatch.setattr(sampling, "AT_ONCE", 64)
    made: Any = model.sample(64 * 4)
    if run == "table_run":
        assert made.index.equals(pd.RangeIndex(64 * 4))
    made = {"x": made["images"]} if run == "digits_run" else made
    for a, b in combinations(blocks(made, 64), 2):
        assert not np.array_equal(a, b)
        assert np.mean([np.array_equal(x, y) for x, y in zip(a, b, strict=True)]) < 0.5
    again: Any = model.sample(64 * 4)
    other: Any = model.sample(64 * 4, seed=1)
    key = "images" if run == "digits_run" else "x"
    if run == "table_run":
        pd.testing.assert_frame_equal(made, again)
        assert not made.equals(other)
    else:
        assert np.array_equal(made["x"], again[key])
        assert not np.array_equal(made["x"], other[key])


def test_rounds_of_samples_do_not_repeat(table_run: Model) -> None:
    """Neither the conditions told nor the rows made under them."""
    first, second = (sampling._made(table_run.run, 2000, {}, 0, k) for k in (0, 1))
    towns = first["town"].fillna("-"), second["town"].fillna("-")
    chance = float(towns[0].value_counts(normalize=True).pow(2).sum())
    # Five deviations of a share of 2,000.
    assert (towns[0] == towns[1]).mean() == pytest.approx(chance, abs=0.06)
    same = first[towns[0] == towns[1]], second[towns[0] == towns[1]]
    assert (same[0]["age"] == same[1]["age"]).mean() < 0.1


def test_conditions_are_drawn_as_often_as_they_were_seen() -> None:
    frame = pd.DataFrame(
        {"a": np.repeat(["x", "y", "z"], [100, 300, 600]), "b": ["u", "v", "v", "v"] * 250}
    )
    conditions = fit_conditions({str(k): frame[k] for k in frame}, ["a", "b"])
    codes = conditions.draw(40_000, Draws(0))
    shares = np.zeros((3, 2))
    np.add.at(shares, tuple(codes.T), 1 / 40_000)
    own = pd.crosstab(frame["a"], frame["b"], normalize=True).to_numpy()
    # Five deviations of a share of 40,000.
    assert shares == pytest.approx(own, abs=0.0125)
    asked = read_where({"b": "u"}, conditions.columns, "unknown column")
    told = conditions.draw(40_000, Draws(0), asked)
    assert set(told[:, 1]) == {0}
    assert np.bincount(told[:, 0]) / 40_000 == pytest.approx(
        own[:, 0] / own[:, 0].sum(), abs=0.0125
    )


def test_every_code_of_a_condition_has_a_name() -> None:
    values = {
        "age": pd.Series([30.5, 60.25, np.nan] * 40),
        "town": pd.Series(["Oslo", None, "Rome"] * 40),
        "size": pd.Series([1.5, 2.5, 3.5] * 40),
    }
    conditions = fit_conditions(values, list(values))
    told = [conditions.names([k, k, k]) for k in range(4)]
    assert told[:2] == ["age=30.5, town=Oslo, size=1.5", "age=60.25, town=Rome, size=2.5"]
    assert told[2:] == [
        "age=missing, town=missing, size=3.5",
        "age=unseen, town=unseen, size=unseen",
    ]


def test_a_date_among_conditions_is_named_by_its_day() -> None:
    days = pd.Series(pd.to_datetime(["2020-02-29", "2021-12-31"] * 60))
    conditions = fit_conditions({"day": days}, ["day"])
    assert [conditions.names([k]) for k in (0, 1)] == ["day=2020-02-29", "day=2021-12-31"]


def test_conditions_never_seen_together_are_answered_as_asked() -> None:
    a, b = np.repeat(["x", "y"], 200), np.tile(["u", "u", "u", "v"], 100)
    frame = pd.DataFrame({"a": a, "b": b})
    frame = frame[(frame.a == "x") | (frame.b == "u")]
    conditions = fit_conditions({str(k): frame[k] for k in frame}, ["a", "b"])
    wanted = read_where({"a": "y", "b": "v"}, conditions.columns, "unknown column")
    with pytest.warns(UserWarning, match="seen together"):
        codes = conditions.draw(100, Draws(0), wanted)
    assert set(map(tuple, codes.tolist())) == {(1, 1)}
    one = read_where({"b": "v"}, conditions.columns, "unknown column")
    assert set(map(tuple, conditions.draw(100, Draws(0), one).tolist())) == {(0, 1)}


def test_a_combination_of_hardly_any_rows_is_told_to_be_a_guess() -> None:
    a, b = ["x"] * 300 + ["y"] * 202, ["u"] * 200 + ["v"] * 100 + ["u"] * 200 + ["v"] * 2
    conditions = fit_conditions({"a": a, "b": b}, ["a", "b"])
    for value, told in (("x", False), ("y", True)):
        wanted = read_where({"a": value, "b": "v"}, conditions.columns, "unknown column")
        with warnings.catch_warnings(record=True) as notices:
            warnings.simplefilter("always")
            codes = conditions.draw(50, Draws(0), wanted)
        assert [str(w.message) for w in notices] == told * [
            "a=y, b=v: rarely seen together in training; these samples are a guess"
        ]
        assert set(map(tuple, codes.tolist())) == {(int(value == "y"), 1)}


def test_the_first_conditions_stay_together_where_the_last_names_every_row() -> None:
    values = {
        "town": ["Oslo", "Rome"] * 100,
        "land": ["N", "I"] * 100,
        "name": [f"n{k}" for k in range(200)],
    }
    conditions = fit_conditions(values, list(values))
    made = pd.DataFrame(conditions.decode(conditions.draw(500, Draws(0)), Draws(1)))
    assert (made["land"] == made["town"].map({"Oslo": "N", "Rome": "I"})).all()
    assert made["name"].nunique() > 100


@pytest.mark.parametrize("names", [["a"], ["a", "b"]])
def test_combinations_are_kept_as_whole_numbers(names: list[str]) -> None:
    values = {"a": ["x", "y"] * 40, "b": ["u", "u", "v", "v"] * 20}
    _, kept = fit_conditions(values, names).state()
    assert {kept["seen"].dtype, kept["level"].dtype} == {np.dtype(np.int32)}


def test_a_range_never_seen_with_a_value_is_answered_as_often_as_in_all_the_data() -> None:
    values = {"a": ["x"] * 400 + ["y"] * 100, "c": [1.5] * 100 + [2.5] * 300 + [9.5] * 100}
    conditions = fit_conditions(values, ["a", "c"])
    wanted = read_where({"a": "y", "c": "1..3"}, conditions.columns, "unknown column")
    with pytest.warns(UserWarning, match="seen together"):
        codes = conditions.draw(4000, Draws(0), wanted)
    assert set(codes[:, 0]) == {1}
    assert set(codes[:, 1]) == {0, 1}
    # Four deviations of a share of 4,000.
    assert (codes[:, 1] == 1).mean() == pytest.approx(0.75, abs=0.028)
