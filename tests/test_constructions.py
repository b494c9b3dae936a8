"""Rules kept by construction: every row obeys them, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn import functional

from surveyor import fit, load
from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.data.fitting import fit_column
from surveyor.generators import Latent
from surveyor.generators.autoregressive import Autoregressive
from surveyor.generators.likelihood import TabularLikelihood
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.constructions import Choice, Made
from surveyor.kinds.table.declared import parse_rule
from surveyor.kinds.table.dependencies import Pairs
from surveyor.kinds.table.files import Table
from surveyor.kinds.table.learnt import choose_constructions
from surveyor.kinds.table.rules import Found, View, find_rules
from surveyor.kinds.table.rules.linear import Linear
from surveyor.kinds.table.rules.order import Order
from tests.conftest import QUICK
from tests.test_rules import RULES, fitted, invoices


def dated(n: int, seed: int = 0) -> pd.DataFrame:
    """Return a table of orders of dates, parts of dates, and values missing one within another."""
    rng = np.random.default_rng(seed)
    ordered = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 700 * 24, n), "h")
    sent = ordered + pd.to_timedelta(rng.integers(0, 90, n), "h")
    never = rng.random(n) < 0.1
    unpaid = never | (rng.random(n) < 0.2)
    low, high = np.sort(rng.normal(20, 5, (2, n)).round(1), axis=0)
    return pd.DataFrame(
        {
            "year": ordered.year, "month": ordered.month, "day": ordered.day, "ordered": ordered,
            "sent": sent.where(~never), "paid": np.where(unpaid, np.nan, rng.gamma(2, 50, n).round(2)),
            "due": ordered.normalize() + pd.to_timedelta(rng.integers(10, 40, n), "D"),
            "low": low, "high": high, "middle": ((low + high) / 2).round(1), "floor": low - 5,
        }
    )  # fmt: skip


def stays(n: int, seed: int = 0) -> pd.DataFrame:
    """Return a table with a difference of two days, and a date an hour late."""
    rng = np.random.default_rng(seed)
    came = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 900, n), "D")
    nights = rng.geometric(0.25, n)
    left = came + pd.to_timedelta(nights, "D")
    begun = pd.Timestamp("2022-01-01") + pd.to_timedelta(rng.integers(0, 10**7, n), "s")
    return pd.DataFrame(
        {
            "came": came, "left": left, "nights": nights,
            "begun": begun, "told": begun + pd.Timedelta("1h"),
        }
    )  # fmt: skip


def kept(frame: pd.DataFrame) -> tuple[list[Column], list[Found], Choice]:
    columns = fitted(frame)
    rules = list(find_rules(columns, frame))
    return columns, rules, choose_constructions(columns, frame, rules)


def learnt_of(columns: list[Column], choice: Choice, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return what is learnt of rows as numbers: labels as codes."""
    found, made = choice.learnt(View(columns, frame)), {}
    for own in columns:
        name, column, values = own.name, own, frame[own.name]
        if name in found:
            learnt = found[name]
            if learnt is None:
                continue
            values, column = learnt, fit_column(name, learnt)
        made[name] = column.numbers(values) if column.ordered else column.encode(values)
    return made


def view_of(columns: list[Column], made: Made) -> View:
    return View(
        columns, pd.DataFrame({c.name: c.write(made.values[c.name], Draws(0)) for c in columns})
    )


@pytest.mark.parametrize("table", [invoices, dated, stays])
def test_rows_come_back_as_they_were(table: Callable[[int], pd.DataFrame]) -> None:
    frame = table(4000)
    columns, _, choice = kept(frame)
    made = Made({c.name: c for c in columns}, learnt_of(columns, choice, frame))
    choice.restore(made)
    assert choice.steps
    for column in columns:
        true = View(columns, frame).numbers(column.name)
        np.testing.assert_allclose(made.numbers(column.name), true, rtol=1e-12, err_msg=column.name)


@pytest.mark.parametrize("table", [invoices, dated, stays])
def test_rules_hold_whatever_is_learnt(table: Callable[[int], pd.DataFrame]) -> None:
    """Every learnt column in an order of its own: no model could be worse."""
    frame = table(4000)
    columns, rules, choice = kept(frame)
    rng = np.random.default_rng(1)
    learnt = {n: rng.permutation(v) for n, v in learnt_of(columns, choice, frame).items()}
    made = Made({c.name: c for c in columns}, learnt)
    choice.restore(made)
    view = view_of(columns, made)
    texts = {step.text for step in choice.steps} | {mask.text for mask in choice.masks}
    checked = [r.rule for r in rules if r.rule.text in "; ".join(texts)]
    assert len(checked) >= 2
    assert {r.text: r.check(view).counts[0] for r in checked} == {r.text: 0 for r in checked}


def test_dates_are_counted_in_days() -> None:
    texts = {found.rule.text for found in find_rules(fitted(stays(2000)), stays(2000))}
    assert {"left = nights + came", "told = begun + 0.0416667"} <= texts


def test_every_family_that_can_be_computed_is_kept() -> None:
    told = " / ".join(step.text for step in kept(invoices(4000))[2].steps)
    others = {"number is different in every row", "code is written AA9999"}
    others |= {"lat and lon are missing together", "country follows from city"}  # a mask, a twin
    for text in RULES - others:
        assert text in told, text
    masks = kept(invoices(4000))[2].masks
    assert [(m.targets, m.parts) for m in masks] == [(("lon",), ("lat",))]


def test_a_sum_and_its_parts_bound_by_others_have_no_cycle() -> None:
    frame = dated(4000)
    choice = kept(frame)[2]
    done: set[str] = set()
    targets = [t for step in choice.steps for t in step.targets]
    for step in choice.steps:
        assert not (set(step.parts) - done) & set(targets)
        done |= set(step.targets)
    assert len(targets) == len(set(targets))


def test_a_bound_is_the_largest_of_several() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=900), "b": rng.normal(size=900)})
    frame["top"] = frame.max(axis=1) + rng.exponential(1, 900)
    orders = [Found(Order(low, "top"), 0, 900) for low in ("a", "b")]
    (step,) = choose_constructions(fitted(frame), frame, orders).steps
    assert step.parts == ("a", "b")
    made = shuffled(fitted(frame), Choice((step,)), frame)
    assert (made.numbers("top") >= np.maximum(made.numbers("a"), made.numbers("b"))).all()


def shuffled(columns: list[Column], choice: Choice, frame: pd.DataFrame) -> Made:
    """Return rows whose learnt columns are each in an order of its own."""
    rng = np.random.default_rng(1)
    learnt = {n: rng.permutation(v) for n, v in learnt_of(columns, choice, frame).items()}
    made = Made({c.name: c for c in columns}, learnt)
    choice.restore(made)
    return made


def test_a_bound_of_a_column_that_is_a_sum_bounds_the_other() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.uniform(1, 9, (900, 2)).round(2), columns=["a", "b"])
    frame["total"] = (frame["a"] + frame["b"]).round(2)
    frame["paid"] = (frame["total"] * rng.uniform(0, 1, 900)).round(2)
    total = Linear("total", ("a", "b"), (1.0, 1.0), 0.0, 0.005)
    rules = [total, parse_rule("total >= paid", list(frame.columns))]
    choice = choose_constructions(fitted(frame), frame, (), rules)
    assert {step.targets for step in choice.steps} == {("total",), ("paid",)}
    made = shuffled(fitted(frame), choice, frame)
    assert (made.numbers("paid") <= made.numbers("total")).all()
    assert (made.numbers("paid") < made.numbers("total")).mean() > 0.9


def test_times_of_day_stay_within_a_day() -> None:
    frame = invoices(4000)
    columns, _, choice = kept(frame)
    left = shuffled(columns, choice, frame).numbers("left")
    assert left.max() < 2400
    assert (left % 100 < 60).all()


def test_values_that_are_missing_with_others_have_codes() -> None:
    frame = invoices(1500)
    files = Table()
    raw = files.read(frame, Options(rules="found"))
    codec = files.fit(raw, Options(rules="found"))
    assert codec.kept.masks
    assert (codec.rows(raw)["codes"] < np.array(codec.sizes)).all()


def test_a_fixed_share_holds_to_its_rounding_and_the_sum_exactly() -> None:
    """Tax is 19% of net, rounded; gross is their sum: whatever is learnt, to the last cent."""
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"net": rng.gamma(2, 900, 4000).round(2)})
    frame["tax"] = (0.19 * frame["net"] + rng.uniform(-4e-4, 4e-4, 4000)).round(2)
    frame["gross"] = (frame["net"] + frame["tax"]).round(2)
    columns, _, choice = kept(frame)
    assert {step.text for step in choice.steps} == {"tax = 0.19 net", "gross = net + tax"}
    learnt = {n: rng.permutation(v) for n, v in learnt_of(columns, choice, frame).items()}
    learnt |= {n: rng.choice([-0.01, 0.0, 0.01], 4000) for n in learnt if n == "tax"}
    made = Made({c.name: c for c in columns}, learnt)
    choice.restore(made)
    net, tax, gross = (made.numbers(n) for n in ("net", "tax", "gross"))
    assert np.abs(tax - 0.19 * net).max() <= 0.0056
    assert np.abs(net + tax - gross).max() < 1e-9


def test_a_rule_that_rows_break_is_not_kept() -> None:
    frame = invoices(4000)
    frame["gross"] += frame.index == 7
    assert "gross" not in {t for step in kept(frame)[2].steps for t in step.targets}


def test_missing_parts_leave_the_target_as_it_was() -> None:
    frame = invoices(4000)
    gone = np.random.default_rng(2).random(4000) < 0.1
    frame["net"] = frame["net"].mask(gone)
    columns = fitted(frame)
    rule = Linear("gross", ("net", "tax"), (1.0, 1.0), 0.0, 0.01)
    choice = choose_constructions(columns, frame, [Found(rule, 0, 3600)])
    learnt = learnt_of(columns, choice, frame)
    assert (learnt["gross"][~gone] == 0).all()
    assert len(np.unique(learnt["gross"][gone])) > 100
    made = Made({c.name: c for c in columns}, learnt)
    choice.restore(made)
    np.testing.assert_allclose(made.numbers("gross"), frame["gross"])


def test_days_beyond_their_month_become_its_last() -> None:
    frame = dated(4000)
    columns, _, choice = kept(frame)
    learnt = learnt_of(columns, choice, frame)
    learnt["month"], learnt["day"] = np.full(4000, 2.0), np.full(4000, 31.0)
    made = Made({c.name: c for c in columns}, learnt)
    choice.restore(made)
    assert set(made.numbers("day")) == {28.0}


def test_samples_of_a_run_keep_their_rules(tmp_path: Path) -> None:
    frame = invoices(1500)
    model = fit(frame, tmp_path / "run", rules="found", **QUICK)
    made = model.sample(3000)
    assert list(made.columns) == list(frame.columns)
    assert (made.dtypes == frame.dtypes).all()
    assert ((made["net"] + made["tax"] - made["gross"]).abs() < 0.006).all()
    assert (made["start"] <= made["end"]).all()
    assert (made[[f"is {k}" for k in range(4)]].sum(axis=1) == 1).all()
    assert (made["lat"].isna() == made["lon"].isna()).all()
    again = load(tmp_path / "run").sample(3000)
    pd.testing.assert_frame_equal(made, again)
    free = fit(frame, rules="no", **QUICK).sample(3000)
    assert ((free["net"] + free["tax"] - free["gross"]).abs() > 0.006).mean() > 0.5


def test_a_number_asked_for_is_part_of_the_sum(tmp_path: Path) -> None:
    frame = invoices(1500)
    model = fit(frame, rules="found", **QUICK)
    net = float(frame["net"].median())
    made = model.sample(50, where={"net": net})
    assert (made["net"] == net).all()
    assert ((made["net"] + made["tax"] - made["gross"]).abs() < 0.006).all()
    made = model.sample(50, where={"gross": "200..400"})
    assert made["gross"].between(200, 400).all()
    assert ((made["net"] + made["tax"] - made["gross"]).abs() < 0.006).all()


def test_a_codec_of_rules_comes_back_from_its_state() -> None:
    frame = invoices(1500)
    files = Table()
    raw = files.read(frame, Options(rules="found"))
    codec = files.fit(raw, Options(rules="found"))
    again = TableCodec.restore(*codec.state())
    rows, others = codec.rows(raw), again.rows(raw)
    assert all(np.array_equal(rows[k], others[k]) for k in rows)
    codes = rows["codes"][:500, : len(codec.free)].astype(np.int64)
    one, two = (c.decode_blocks(codes, rows["cond"][:500], Draws(0)) for c in (codec, again))
    pd.testing.assert_frame_equal(one, two)


def test_a_column_dropped_from_a_measurement_takes_what_is_computed_from_it() -> None:
    frame = invoices(1500)
    files = Table()
    codec = files.fit(files.read(frame, Options(rules="found")), Options(rules="found"))
    with pytest.warns(match="leaves out gross as well"):
        less = codec.without(["net"])
    assert {"net", "gross"} <= set(less.ignored)
    rows = less.rows(files.reopen(frame.drop(columns=["net", "gross"]), less))
    assert len(rows["codes"]) == len(frame)


def test_pairs_that_training_rows_lack_are_not_generated() -> None:
    """A thousand products of 12 makers, 1% of them of several: nearly a function, and no rule."""
    rng = np.random.default_rng(0)
    product = rng.integers(0, 400, 6000)
    maker = np.where(rng.random(6000) < 0.005, rng.integers(0, 12, 6000), product * 7 % 12)
    frame = pd.DataFrame({"maker": [f"m{k}" for k in maker], "product": [f"p{k}" for k in product]})
    frame["price"] = rng.normal(size=6000)
    model = fit(frame, rules="found", **{**QUICK, "steps": 30})
    made = model.sample(4000)
    seen = set(zip(frame["maker"], frame["product"], strict=True))
    outside = [pair not in seen for pair in zip(made["maker"], made["product"], strict=True)]
    assert np.mean(outside) < 0.001
    free = fit(frame, rules="no", **{**QUICK, "steps": 30}).sample(4000)
    outside = [pair not in seen for pair in zip(free["maker"], free["product"], strict=True)]
    assert np.mean(outside) > 0.3


def test_a_likelihood_of_pairs_is_that_of_what_is_drawn() -> None:
    """Log likelihoods of all rows that can be drawn sum to one in probability."""
    frame = pd.DataFrame({"a": list("xxyyzz") * 50, "b": list("pqqrrr") * 50, "c": [1, 2] * 150})
    codec = fit(frame, rules="no", generator="autoregressive", **QUICK).run.codec
    assert isinstance(codec, TableCodec)
    seen = np.array([[0, 0], [0, 1], [1, 1], [1, 2], [2, 2]])
    codec = replace(codec, pairs=(Pairs(0, 1, seen),))
    net = Autoregressive().build(codec.space, Latent(8))
    assert isinstance(net, TabularLikelihood)
    every = np.stack(np.meshgrid(*[np.arange(s) for s in codec.free], indexing="ij"), -1)
    codes = torch.from_numpy(every.reshape(-1, len(codec.free)))
    hot = torch.cat([functional.one_hot(c, s) for c, s in zip(codes.T, codec.free, strict=True)], 1)
    odds = net.log_likelihood(hot.float() / 2**0.5).exp()
    assert float(odds.sum().detach()) == pytest.approx(1, abs=1e-5)
    possible = [tuple(p) in set(map(tuple, seen)) for p in codes[:, :2].tolist()]
    assert float(odds[torch.tensor(possible)].sum().detach()) == pytest.approx(1, abs=1e-4)
    drawn = net.walker().draw(Draws(0).uniform(500, len(codec.free)), None)[:, :2].tolist()
    assert {tuple(p) for p in drawn} <= set(map(tuple, seen.tolist()))
