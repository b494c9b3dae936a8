"""Columns fitted at several places: what they tell of rows, and what they are together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.data.shared import LEAST, fit_shared, merge_columns, translation
from surveyor.data.values import form_of
from surveyor.kinds import kinds
from surveyor.kinds.loading import recognise
from tests.conftest import mixed


def shared(values: object) -> Column:
    column = pd.Series(values, name="x")
    return fit_shared("x", column, form_of("x", column))


def test_no_value_of_few_rows_is_named() -> None:
    rng = np.random.default_rng(0)
    words = shared(["often"] * 40 + ["some"] * LEAST + ["rare"] * (LEAST - 1) + [None] * 3)
    assert words.labels == ("often", "some")
    assert not words.missing
    values = np.concatenate([rng.normal(size=400), np.full(30, 7.5), np.full(LEAST - 1, 99.0)])
    numbers = shared(values)
    named = numbers.cells[: numbers.exact, 0]
    assert named.tolist() == [7.5]
    ends = np.unique(numbers.cells[numbers.exact :][:, [0, -1]])
    assert not np.isin(ends, values).any()
    inside = [
        ((values >= low) & (values < high) & (values != 7.5)).sum()
        for low, high in numbers.cells[numbers.exact :][:, [0, -1]]
    ]
    assert min(inside) >= LEAST
    counted = numbers.frequency[numbers.exact :] * len(values)
    assert counted == pytest.approx(inside)
    assert sum(inside) == len(values) - 30


def test_merged_categories_add_up() -> None:
    places = [["a"] * 30 + ["b"] * 10, ["b"] * 10 + ["c"] * 5 + [None] * 5]
    merged = merge_columns([shared(own) for own in places], [40, 20])
    assert merged.labels == ("a", "b", "c")
    assert merged.frequency == pytest.approx(np.array([30, 20, 5, 5]) / 60)


def test_merged_cells_have_the_rows_of_all_places() -> None:
    """Cells of equal parts: the distribution function differs from the rows' by less than a cell."""
    rng = np.random.default_rng(1)
    places = [rng.normal(0, 1, 3000), rng.gamma(3, 2, 1000), rng.normal(30, 0.1, 60)]
    columns, rows = [shared(own) for own in places], [len(own) for own in places]
    merged = merge_columns(columns, rows)
    drawn = merged.draw(rng.choice(merged.size, 40_000, p=merged.frequency), Draws(0))
    every = np.sort(np.concatenate(places))
    at = np.quantile(every, np.linspace(0.02, 0.98, 25))
    true, found = ((side[:, None] <= at).mean(0) for side in (every, drawn))
    assert np.abs(true - found).max() < 0.02
    assert (drawn > 28).mean() == pytest.approx(60 / len(every), rel=0.15)
    assert ((drawn > 24) & (drawn < 29)).mean() < 0.002  # not spread over the tail of another
    assert not np.isin(drawn, every).any()


def test_whole_numbers_stay_whole_and_frequent_ones_keep_their_share() -> None:
    rng = np.random.default_rng(2)
    places = [rng.integers(18, 90, 700), np.append(rng.integers(60, 99, 80), [40] * 200)]
    merged = merge_columns([shared(own) for own in places], [len(own) for own in places])
    drawn = merged.draw(rng.choice(merged.size, 20_000, p=merged.frequency), Draws(0))
    every = np.concatenate(places)
    assert (drawn == drawn.round()).all()
    assert (drawn == 40).mean() == pytest.approx((every == 40).mean(), abs=0.01)
    assert np.abs(np.sort(drawn)[::20] - np.quantile(every, np.arange(1000) / 1000)).mean() < 1


def test_codes_of_a_place_are_translated() -> None:
    a, b = shared(["x"] * 9 + ["y"] * 9), shared(["y"] * 9 + ["z"] * 9 + [None] * 9)
    merged = merge_columns([a, b], [18, 27])
    assert translation(b, merged).tolist() == [1, 2, 3]
    one, two = shared([3] * 20 + [5] * 20), shared([4] * 20 + [None] * 9)
    together = merge_columns([one, two], [40, 29], few=8)
    assert (together.kind, together.labels) == ("category", ("3", "4", "5"))
    assert translation(one, together).tolist() == [0, 2]
    assert translation(two, together).tolist() == [1, 3]


def test_a_merged_codec_encodes_and_decodes_a_table() -> None:
    options = Options(condition=("town", "member"), shared=True)
    kind = recognise(mixed())
    joining = kind.joining
    assert joining is not None
    raws = [kind.files.read(mixed(400, seed), options) for seed in (1, 2)]
    agreed = joining.agreed({str(k): joining.told(raw) for k, raw in enumerate(raws)})
    raws = [joining.reread(raw, agreed, options) for raw in raws]
    codecs = [kind.files.fit(raw, options) for raw in raws]
    merged = joining.merged([kind.codec.restore(*c.state()) for c in codecs], [400, 400])
    again = kinds()["table"].codec.restore(*merged.state())
    rows = again.rows(raws[0])
    batch = again.batch(rows, np.arange(400))
    made = again.decode(batch, rows["cond"], Draws(0))
    assert list(made) == list(mixed())
    whole = mixed(400, 1)
    known = whole["income"].notna()
    gone = made["income"].isna().to_numpy()
    assert (gone == ~known.to_numpy()).mean() > 0.99
    near = np.abs(made["age"].astype(float).to_numpy() - whole["age"].to_numpy())
    assert near.mean() < 1
    assert not np.isin(made["income"].dropna(), whole["income"].dropna()[whole["income"] > 0]).any()
    codes = again.condition.draw(20_000, Draws(1))
    both = pd.concat([mixed(400, 1), mixed(400, 2)])
    drawn = pd.DataFrame(again.condition.decode(codes, Draws(0)))
    for town in ("Oslo", "Rome"):
        wanted = ((both["town"] == town) & both["member"]).mean()
        own = ((drawn["town"] == town) & drawn["member"].astype(bool)).mean()
        assert own == pytest.approx(wanted, abs=0.03)
