"""Conditions: no combination that few rows have is kept, and the rest depend on each other."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.conditions import Columns, fit_conditions
from surveyor.data.fits import ROWS_KEPT
from surveyor.errors import Notice
from surveyor.kinds.loading import load as load_data


def people(n: int = 400) -> pd.DataFrame:
    """Return a table whose four conditions name every row."""
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "zip": rng.integers(10_000, 10_040, n).astype(str),
            "birth": pd.Timestamp("1950-01-01") + pd.to_timedelta(np.arange(n) * 37, "D"),
            "sex": rng.choice(["f", "m"], n),
            "diagnosis": rng.choice(["A", "B", "C"], n),
            "pay": rng.lognormal(8, 1, n),
        }
    )


NAMES = ["zip", "birth", "sex", "diagnosis"]


@pytest.mark.parametrize("names", [NAMES, NAMES[1:], ["sex", "birth"]])
def test_a_folder_keeps_no_combination_of_conditions_that_few_rows_have(names: list[str]) -> None:
    frame = people()
    data = load_data(frame, load_options(names))
    conditions = data.codec.condition
    assert isinstance(conditions, Columns)
    codes = conditions.encode({n: frame[n] for n in names}, len(frame))[np.sort(data.train.index)]
    last = len(conditions.groupings) - 1
    for seen, level in zip(conditions.seen, conditions.level, strict=True):
        grouping = conditions.groupings[level]
        alike = [g[c] == s for g, c, s in zip(grouping, codes.T, seen, strict=True)]
        assert level == last or np.all(alike, axis=0).sum() >= 5
    assert conditions.share.sum() == pytest.approx(1)


def load_options(names: list[str]) -> Any:
    return Options(condition=tuple(names))


@pytest.mark.parametrize(("rows", "levels"), [(ROWS_KEPT, {0}), (ROWS_KEPT - 1, {0, 1})])
def test_a_combination_that_just_enough_rows_have_is_kept(rows: int, levels: set[int]) -> None:
    words = ["rare"] * rows + ["often"] * 90
    conditions = fit_conditions({"a": words, "b": words}, ["a", "b"])
    assert set(conditions.level[conditions.share > 0].tolist()) == levels


def test_conditions_are_drawn_as_they_depend_on_each_other() -> None:
    rng = np.random.default_rng(8)
    n = 8000
    first = rng.normal(0, 1, n)
    town = rng.choice(["Oslo", "Rome", "Bergen"], n, p=[0.6, 0.39, 0.01])
    land = np.where(town == "Rome", "I", "N")
    frame = pd.DataFrame(
        {"a": first, "b": first + rng.normal(0, 0.3, n), "town": town, "land": land, "x": first}
    )
    codec = load_data(frame, load_options(["a", "b"])).codec
    drawn = codec.condition.draw(4000, Draws(1))
    made = pd.DataFrame(codec.condition.decode(drawn, Draws(2)))
    assert made["a"].corr(made["b"]) > 0.9
    codec = load_data(frame, load_options(["town", "land"])).codec
    drawn = codec.condition.draw(4000, Draws(1))
    made = pd.DataFrame(codec.condition.decode(drawn, Draws(2)))
    assert (made["land"] == np.where(made["town"] == "Rome", "I", "N")).all()
    assert (made["town"] == "Oslo").mean() == pytest.approx(0.6, abs=0.04)


def test_where_is_met_and_the_rest_follows_what_is_known() -> None:
    from surveyor.data.where import read_where

    codec = load_data(people(2000), load_options(["zip", "sex", "diagnosis"])).codec
    columns = codec.condition.columns
    for sex, zipped in itertools.product(("f", "m"), ("10007", "10031")):
        asked = read_where({"sex": sex, "zip": zipped}, columns, "")
        drawn = codec.condition.draw(500, Draws(1), asked)
        made = pd.DataFrame(codec.condition.decode(drawn, Draws(2)))
        assert (made["sex"] == sex).all()
        assert (made["zip"] == zipped).all()
        assert set(made["diagnosis"]) == {"A", "B", "C"}


def test_combinations_of_few_rows_are_a_guess_that_is_told() -> None:
    from surveyor.data.where import read_where

    frame = people(2000)
    frame["sex"] = np.where(frame["diagnosis"] == "C", "f", frame["sex"])
    codec = load_data(frame, load_options(["sex", "diagnosis"])).codec
    asked = read_where({"sex": "m", "diagnosis": "C"}, codec.condition.columns, "")
    with pytest.warns(Notice, match="rarely seen together"):
        drawn = codec.condition.draw(50, Draws(1), asked)
    made = codec.condition.decode(drawn, Draws(2))
    assert (made["sex"] == "m").all()
    assert (made["diagnosis"] == "C").all()
