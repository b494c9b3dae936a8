"""Declared rules: what parses, what is refused, and that rows keep them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor import InputError, fit
from surveyor.kinds.table.declared import parse_rule
from surveyor.kinds.table.rules import View
from tests.conftest import QUICK
from tests.test_rules import fitted, invoices

NAMES = ["net", "tax", "gross", "start", "end", "a b", "x>=y", "net pay"]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("gross = net + tax", "gross = net + tax"),
        ("net + tax == gross", "gross = net + tax"),
        ("gross-net-tax=0", "gross = net + tax"),
        ("end >= start", "end >= start"),
        ("start + 3 < end", "end > start + 3"),
        ("end - start >= 3", "end >= start + 3"),
        ("2 net + 0.5*tax - 3 <= 5 gross", "net <= 2.5 gross - 0.25 tax + 1.5"),
        ("tax * 2 < net", "net > 2 tax"),
        ('"a b" = net', "a b = net"),
        ("a b = net + .5", "a b = net + 0.5"),
        ('"x>=y" <= net', "x>=y <= net"),
        ("x>=y <= net", "x>=y <= net"),
        ("net pay = net + tax", "net pay = net + tax"),
        ("net = net + tax - gross", "tax = gross"),
    ],
)
def test_a_rule_is_read_as_a_person_means_it(text: str, read: str) -> None:
    assert parse_rule(text, NAMES).text == read


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("end >= strat", "a column or a number expected at character 8; did you mean 'start'?"),
        ("gross > net +* tax", "a column or a number expected at character 14"),
        ("gross net", "no of = < <= > >=; write one"),
        ("net < tax < gross", "2 of = < <= > >=; write one"),
        ("gross > 3", "give at least two columns"),
        ("gross = net tax", "a sign expected at character 13"),
        ("gross = net * tax", "a number expected at character 14"),
        ("", "no of = < <= > >="),
        ("= net", "a column or a number expected at character 1"),
        ("net =", "a column or a number expected at character 6"),
    ],
)
def test_a_rule_that_cannot_be_read_is_refused_with_its_place(text: str, words: str) -> None:
    with pytest.raises(InputError) as refused:
        parse_rule(text, NAMES)
    assert words in str(refused.value)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "rows that break it": (
        {"rule": ["gross = net + tax + 1"]}, "1,200 rows break it (row 0: gross="
    ),
    "text": ({"rule": ["city > net"]}, "'city' is read as category; rules are of numbers and dates"),
    "a date and a number": ({"rule": ["paid >= net"]}, "mixes dates and numbers"),
    "an exception to nothing": (
        {"except_rule": ["start <= ennd"]}, "did you mean 'start <= end'?"
    ),
    "privacy and rows that break it": (
        {"rule": ["net > gross"], "privacy": "gaussian:epsilon=3", "measure": None},
        "1,200 rows break it",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_rules_that_cannot_be_kept_are_refused(case: str) -> None:
    options, words = REFUSED[case]
    with pytest.raises(InputError) as refused:
        fit(invoices(1200), **QUICK | options)
    assert words in str(refused.value)


def test_a_bound_of_equal_sums_is_not_broken_by_binary_fractions() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(900, 2)).round(3), columns=["a", "b"])
    frame["c"] = (frame["a"] + frame["b"]).round(3)
    assert (frame["c"] < frame["a"] + frame["b"]).any()
    for text, broken in (("c >= a + b", 0), ("c <= a + b", 0), ("c > a + b", 900)):
        rule = parse_rule(text, list(frame.columns))
        assert rule.check(View(fitted(frame), frame)).counts == (broken, 900)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(InputError) as refused:
        fit(invoices(1200), rule=["end >= strat", "city > net", "net > gross"], **QUICK)
    assert len(refused.value.problems) >= 2


def test_declared_rules_hold_in_every_row() -> None:
    frame = invoices(1200)
    frame["shipped"] = frame["paid"] + pd.to_timedelta(np.arange(1200) % 5 + 3, "D")
    rules = ["shipped >= paid + 3", "net > 0.5 tax", "gross = net + tax"]
    model = fit(frame, rule=rules, rules="no", **QUICK)
    made = model.sample(4000)
    assert ((made["shipped"] - made["paid"]).dt.days >= 3).all()
    assert (made["net"] > 0.5 * made["tax"]).all()
    assert ((made["gross"] - made["net"] - made["tax"]).abs() < 0.006).all()
    assert {r for r in rules} <= set(model.run.codec.kept_rules)


def test_one_rule_can_be_left_out() -> None:
    kept = fit(invoices(1200), except_rule=["gross = net + tax"], **QUICK).run.codec.kept_rules
    assert "gross = net + tax" not in kept
    assert "start <= end" in kept
