"""Rules kept by rejection: rows that break one are thrown away, and the rate is told."""

from __future__ import annotations

import json
import random
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor import InputError, Model, fit, load
from surveyor.api import prepare
from surveyor.cli import main
from surveyor.errors import Notice
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.declared import parse_rule
from surveyor.kinds.table.measures import frames
from surveyor.kinds.table.rejected import (
    as_numbers,
    rules_restore,
    rules_state,
    to_reject,
    without_rows,
)
from surveyor.kinds.table.rules import Found, View
from surveyor.kinds.table.rules.linear import Linear
from surveyor.kinds.table.rules.order import Order
from surveyor.measures import SeenRun
from surveyor.run import sampling
from surveyor.run.tally import Tally
from tests.conftest import QUICK
from tests.damage import CODEC_FILES, changed, forge
from tests.test_rules import fitted

RATE = r"^[\d.]+% of generated rows kept; the others broke the rule end >= start$"
OWN = QUICK | {"rules": "no", "generator": "autoregressive"}


def visits(n: int = 1200, seed: int = 0) -> pd.DataFrame:
    """Return starts and ends, the sum of both, an amount with gaps, and a town."""
    rng = np.random.default_rng(seed)
    start = rng.integers(0, 30, n)
    end = start + rng.integers(0, 12, n)
    paid = np.where(rng.random(n) < 0.1, np.nan, rng.gamma(2, 20, n).round(2))
    town = rng.choice(["Oslo", "Rome"], n)
    return pd.DataFrame(
        {"start": start, "end": end, "both": start + end, "paid": paid, "town": town}
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    path = tmp_path_factory.mktemp("runs") / "visits"
    source = path.with_suffix(".csv")
    visits().to_csv(source, index=False)
    return fit(source, path, condition=["start"], rule=["end >= start"], **OWN)


def rejected(model: Model) -> tuple[str, ...]:
    return model.run.codec.rejected_rules


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_a_rule_of_a_condition_holds_in_every_row(model: Model) -> None:
    assert rejected(model) == ("end >= start",)
    made = model.sample(2000)
    assert len(made) == 2000
    assert (made["end"] >= made["start"]).all()
    given = model.sample(2000, where={"start": 20})
    assert (given["start"] == 20).all()
    assert (given["end"] >= 20).all()


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_rules_that_clash_hold_in_every_row() -> None:
    rules = ["both = start + end", "start = both - end", "both >= 2 start"]
    model = fit(visits(), rule=rules, **OWN)
    codec = model.run.codec
    assert {*codec.kept_rules, *rejected(model)} == set(rules)
    assert rejected(model)
    made = model.sample(2000)
    assert len(made) == 2000
    assert (made["both"] == made["start"] + made["end"]).all()
    assert (made["both"] >= 2 * made["start"]).all()


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_a_rule_of_a_private_run_holds_in_every_row_and_costs_nothing() -> None:
    pytest.importorskip("dp_accounting", reason="pip install 'surveyor[privacy]'")
    said = OWN | {"privacy": "gaussian:epsilon=3", "measure": "w1:rows=32"}
    model, other = fit(visits(), rule=["end >= start"], **said), fit(visits(), **said)
    assert rejected(model) == ("end >= start",)
    made = model.sample(2000)
    assert (made["end"] >= made["start"]).all()
    assert not (other.sample(2000)["end"] >= other.sample(2000)["start"]).all()
    spent = [one.evaluation.privacy for one in (model, other)]
    assert spent[0] == spent[1]


def test_the_tolerance_of_a_private_equation_is_that_of_the_codec() -> None:
    pytest.importorskip("dp_accounting", reason="pip install 'surveyor[privacy]'")
    said = OWN | {"privacy": "gaussian:epsilon=3", "measure": "w1:rows=32"}
    said |= {"condition": ["start"], "rule": ["both = start + end"]}
    codec = prepare(visits(), said)[0].codec
    assert isinstance(codec, TableCodec)
    (rule,) = codec.rejected
    assert isinstance(rule, Linear)
    assert rule.within == pytest.approx(0.505)
    every = [as_numbers(column) for column in codec.selectable]
    columns = {c.name: c for c in every if c is not None}
    assert without_rows(replace(rule, within=9.0), columns) == rule


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_orders_that_are_found_of_a_condition_hold_in_every_row() -> None:
    model = fit(visits(), condition=["start"], **OWN | {"rules": "found"})
    assert rejected(model) == ("start <= end",)
    made = model.sample(2000)
    assert (made["start"] <= made["end"]).all()
    said = {"rules": "found", "except_rule": ["start <= end"]}
    assert rejected(fit(visits(), condition=["start"], **OWN | said)) == ()


def test_an_order_with_an_exception_is_not_rejected_on() -> None:
    frame, found = visits(), [Found(Order("start", "end"), 0, 600)]
    for broken in (0, 1):
        frame["end"] = frame["end"].where(frame.index >= broken, -1)
        rules = to_reject(found, (), (), View(fitted(frame), frame))
        assert [rule.text for rule in rules] == ["start <= end"][broken:]


def test_the_rate_is_told_once(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.warns(Notice, match=RATE) as told:
        model.sample(500)
    assert len(told) == 1
    monkeypatch.setattr(sampling, "PART", 400)
    with pytest.warns(Notice, match=RATE) as told:
        parts = list(sampling.draw_parts(model.run, 1000, {}, 0))
    assert [len(part) for part in parts] == [400, 400, 200]
    assert len(told) == 1


def test_the_rate_is_the_share_of_rows_that_obey(model: Model) -> None:
    codec = model.run.codec
    assert isinstance(codec, TableCodec)
    free = replace(model.run, codec=replace(codec, rejected=()))
    made = sampling.draw_samples(free, 20_000, {}, 7)
    share = float((made["end"] >= made["start"]).mean())
    tally = Tally()
    sampling.draw_samples(model.run, 10_000, {}, 1, tally=tally)
    assert 0.1 < share < 0.95
    assert tally.kept / tally.made == pytest.approx(share, abs=0.02)
    assert tally.broken["end >= start"] == tally.made - tally.kept


def test_nothing_is_told_where_no_row_breaks_a_rule() -> None:
    frame = visits().assign(end=lambda f: f["start"] + 100)
    model = fit(frame, condition=["start"], rule=["end >= start"], **OWN)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.sample(500)


def test_several_rules_are_told_with_their_shares() -> None:
    tally = Tally()
    tally.made, tally.kept = 1000, 700
    tally.broken.update({"a >= b": 250, "c >= d": 60, "e >= f": 9, "g >= h": 1})
    with pytest.warns(Notice) as told:
        tally.tell()
    assert str(told[0].message) == (
        "70.0% of generated rows kept; the others broke the rules a >= b (25.0%), c >= d (6.0%), "
        "e >= f (0.9%), 1 more"
    )


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_a_run_folder_keeps_its_rules(model: Model, tmp_path: Path) -> None:
    again = load(model.save(tmp_path / "run"))
    assert rejected(again) == rejected(model) == ("end >= start",)
    pd.testing.assert_frame_equal(again.sample(300), model.sample(300))
    codec = model.run.codec
    rules = [parse(text) for text in ("both = start + 2 end - 3", "end < start + 0.5")]
    assert isinstance(codec, TableCodec)
    assert rules_restore(json.loads(json.dumps(rules_state(rules))), codec.selectable) == tuple(
        rules
    )


def parse(text: str) -> Any:
    return parse_rule(text, list(visits().columns))


HARM: list[tuple[str, Any]] = [
    ("target", "town"), ("columns", ["nobody"]), ("constant", 1e999), ("sign", "=="), ("weights", []),
    ("__class__", "os.system"), ("within", "x"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value"), HARM)
def test_a_forged_rule_is_refused_in_one_line(
    model: Model, tmp_path: Path, field: str, value: Any
) -> None:
    path, said = forged(model, tmp_path)
    said["codec"]["rejected"][0][field] = value
    write(path, said)
    with pytest.raises(InputError) as refused:
        load(path)
    (problem,) = refused.value.problems
    assert "codec.json" in problem
    assert "\n" not in problem


def test_too_many_rules_are_refused(model: Model, tmp_path: Path) -> None:
    path, said = forged(model, tmp_path)
    said["codec"]["rejected"] *= 1001
    write(path, said)
    with pytest.raises(InputError, match="1001 rules"):
        load(path)


@pytest.mark.parametrize("seed", range(40))
def test_mutated_rules_are_refused_in_one_line_or_taken(
    model: Model, tmp_path: Path, seed: int
) -> None:
    path, said = forged(model, tmp_path)
    said["codec"]["rejected"] = changed(said["codec"]["rejected"], random.Random(seed))
    write(path, said)
    problems: tuple[str, ...] = ("",)
    try:
        load(path).run.codec.broken(visits())
    except InputError as refused:
        problems = refused.problems
    assert len(problems) == 1


def forged(model: Model, folder: Path) -> tuple[Path, dict[str, Any]]:
    path = Path(shutil.copytree(model.run.path, folder / "run"))
    return path, json.loads((path / CODEC_FILES[0]).read_text())


def write(path: Path, said: dict[str, Any]) -> None:
    (path / CODEC_FILES[0]).write_text(json.dumps(said))
    forge(path)


def test_a_run_without_such_rules_has_no_word_of_them(tmp_path: Path) -> None:
    model = fit(visits(), tmp_path / "run", **OWN)
    assert "rejected" not in json.loads((tmp_path / "run" / CODEC_FILES[0]).read_text())["codec"]
    assert model.run.codec.broken(visits()) == {}


def test_a_rule_that_no_row_obeys_is_named_with_a_remedy(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "HOPELESS", 20_000)
    monkeypatch.setattr(TableCodec, "broken", lambda _, made: {"end >= start": made["end"] > -1})
    with pytest.raises(InputError) as refused:
        model.sample(100)
    (problem,) = refused.value.problems
    assert "only 0 such rows" in problem
    assert "100.0% of the rows that fit otherwise broke the rule end >= start" in problem
    assert "train without the rule" in problem


@pytest.mark.parametrize(
    "where",
    [
        {"start": 20, "end": 10},
        {"start": [15, 16], "end": "..14"},
        {"start": [25, 26], "end": "3|4"},
        {"start": "20|25", "end": 5},
        {"end": "..12", "start": 13},
    ],
)
def test_what_cannot_be_met_with_a_rule_is_refused_at_once(
    model: Model, where: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "_made", None)
    with pytest.raises(InputError, match="obeys the rule end >= start; give other values"):
        model.sample(10, where=where)


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
@pytest.mark.parametrize(
    "where", [{"start": 20, "end": 20}, {"start": [14, 16], "end": "..15"}, {"end": 2}]
)
def test_what_can_just_be_met_with_a_rule_is_drawn(model: Model, where: dict[str, Any]) -> None:
    made = model.sample(10, where=where)
    assert (made["end"] >= made["start"]).all()


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_rules_are_kept_without_calibration() -> None:
    model = fit(visits(), condition=["start"], rule=["end >= start"], calibrate="no", **OWN)
    made = model.sample(1000)
    assert (made["end"] >= made["start"]).all()


def test_rows_are_measured_as_they_are_delivered(model: Model) -> None:
    data, _ = prepare(model.run.data_name, OWN | {"condition": ["start"], "rule": ["end >= start"]})
    seen = SeenRun(model.run.game, model.run.game.generator, data, 0)
    made, *_ = frames(seen)
    assert len(made) == len(data.holdout)
    assert (made["end"] >= made["start"]).all()
    assert 0.1 < seen.obeying < 0.95
    points = data.codec.decode(seen.fake(100), seen.codes(100), seen.draws(0, 20))  # type: ignore[arg-type]
    assert (points["end"] >= points["start"]).mean() > 0.95
    assert len(seen.fake(100)) == len(seen.codes(100)) == 100
    assert seen.decoded(50).equals(seen.decoded(100).iloc[:50])


def test_few_rows_that_obey_are_filled_up_and_told(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, _ = prepare(model.run.data_name, OWN | {"condition": ["start"], "rule": ["end >= start"]})
    seen = SeenRun(model.run.game, model.run.game.generator, data, 0)
    monkeypatch.setattr(TableCodec, "broken", lambda _, made: {"x": np.arange(len(made)) > 9})
    with pytest.warns(Notice, match=r"only 0.49% of generated rows obey"):
        assert len(seen.decoded(300)) == 300
    assert seen.lacking


def test_train_and_report_name_the_rules(
    model: Model, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(model.save(tmp_path / "run"))
    assert main(["report", path]) == 0
    page = (tmp_path / "run" / "report.html").read_text()
    assert "Kept in every row, by rejection: end &gt;= start. " in page
    capsys.readouterr()
    out = str(tmp_path / "out.csv")
    assert main(["sample", path, "-n", "500", "-o", out]) == 0
    told = capsys.readouterr()
    assert "of generated rows kept; the others broke the rule end >= start" in " ".join(
        (told.out + told.err).split()
    )
    made = pd.read_csv(out)
    assert (made["end"] >= made["start"]).all()
    quick = ["--steps", "2", "--batch", "16", "--threads", "1", "--measure", "w1:every=1"]
    said = ["--condition", "start", "--rule", "end >= start", "--rule", "both >= end"]
    new = ["--out", str(tmp_path / "new"), "--rules", "no"]
    assert main(["train", model.run.data_name, *quick, *said, *new]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "kept in every row: both >= end" in shown
    assert "kept by throwing away the rows that break them: end >= start" in shown


@pytest.mark.parametrize("draws", [0, 2])
def test_filled_rows_obey(model: Model, draws: int) -> None:
    rows = visits(300, seed=1)
    holes = rows.assign(end=None)
    filled = model.impute(holes, draws=draws)
    start = pd.concat([rows["start"]] * max(1, draws), ignore_index=True)
    assert len(filled) == len(start)
    assert (filled["start"] == start).all()
    assert (filled["end"] >= start).all()
    assert filled["end"].dtype == rows["end"].dtype


def test_rows_that_cannot_be_filled_are_told_and_given_ones_left(
    model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = visits(50, seed=1).assign(end=-5, start=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (model.impute(rows.assign(paid=None))["end"] == -5).all()
    rows = visits(50, seed=1).assign(end=None, start=99)
    with pytest.raises(InputError, match="a condition of the run"):
        model.impute(rows)
    monkeypatch.setattr(TableCodec, "broken", lambda _, made: {"end >= start": made["end"] > -1})
    with pytest.warns(Notice, match=r"50 of 50 rows break a rule however filled: end >= start"):
        model.impute(rows.assign(start=3))


def test_a_prediction_says_that_it_takes_no_account_of_a_rule(model: Model) -> None:
    with pytest.warns(Notice, match="does not take the rule end >= start into account"):
        model.predict(visits(20), "end")


def test_a_column_left_out_takes_its_rules_along(model: Model) -> None:
    with pytest.warns(Notice, match="drop leaves out end >= start as well"):
        assert model.run.codec.without(["end"]).rejected_rules == ()
    assert model.run.codec.without(["paid"]).rejected_rules == ("end >= start",)
