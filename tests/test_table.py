"""Columns keep their bounds, types, spikes and gaps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from surveyor.batch import Batch, Draws
from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.data.fitting import fit_column
from surveyor.data.scratch import empty
from surveyor.data.values import Form
from surveyor.errors import InputError, Notice
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.defaults import defaults
from surveyor.kinds.table.frames import Stacked, read_frame
from surveyor.kinds.table.infer import infer_types
from surveyor.kinds.table.text import Reading
from surveyor.run.preparing import prepare
from tests.conftest import mixed


def fitted(values: pd.Series, said: str = "") -> Column:
    """Understand a column and fit it."""
    name = str(values.name)
    reading = Reading({name: (said, "")} if said else {})
    frame = infer_types(read_frame(values.to_frame()), reading)
    return fit_column(name, frame.take(np.arange(len(values)))[name], frame.forms[name])


def drawn(values: pd.Series, n: int = 4000, said: str = "") -> pd.Series:
    """Draw codes by their frequencies and decode them."""
    column = fitted(values, said)
    rng = np.random.default_rng(1)
    codes = rng.choice(column.size, n, p=column.frequency / column.frequency.sum())
    return column.decode(codes, Draws(0))


def test_numbers_stay_within_bounds_and_keep_their_decimals() -> None:
    values = pd.Series(np.round(np.random.default_rng(0).lognormal(3, 1, 2000), 1), name="x")
    made = drawn(values)
    assert values.min() <= made.min() <= made.max() <= values.max()
    assert set(made) <= set(values)
    assert made.dtype == values.dtype


def test_integers_stay_integers_even_when_some_are_missing() -> None:
    rng = np.random.default_rng(0)
    assert drawn(pd.Series(rng.integers(0, 500, 900), name="x")).dtype == np.int64
    holes = pd.Series(rng.integers(0, 500, 900).astype(float), name="x")
    holes[::5] = np.nan
    made = drawn(holes)
    assert 0.15 < made.isna().mean() < 0.25
    assert (made.dropna() % 1 == 0).all()


def test_a_spike_at_zero_stays_a_spike() -> None:
    rng = np.random.default_rng(0)
    values = pd.Series(np.where(rng.random(3000) < 0.6, 0.0, rng.exponential(10, 3000)), name="x")
    assert (drawn(values) == 0).mean() == pytest.approx(0.6, abs=0.03)


@pytest.mark.parametrize("zone", [None, "Europe/Oslo"])
def test_dates_stay_dates(zone: str | None) -> None:
    days = pd.date_range("2021-03-01", periods=400, freq="D", tz=zone).to_series(name="d")
    days = days.reset_index(drop=True)
    days = days.where(days.index != 3)
    made = drawn(days)
    assert made.dtype == days.dtype
    assert made.isna().any()
    assert set(made.dropna()) <= set(days.dropna())


def test_dates_in_text_come_back_as_text() -> None:
    days = pd.Series(pd.date_range("2021-03-01", periods=300).strftime("%Y-%m-%d"), name="d")
    made = drawn(days)
    assert set(made) <= set(days)


def test_times_with_a_zone_in_text_come_back_in_one_zone() -> None:
    hours = pd.date_range("2021-03-01", periods=300, freq="h", tz="Europe/Oslo")
    times = pd.Series([hour.isoformat() for hour in hours], name="t")
    assert set(drawn(times)) <= set(times)  # one offset: spelt as it was
    late = pd.date_range("2021-03-27", periods=300, freq="h", tz="Europe/Oslo")
    both = pd.Series([hour.isoformat() for hour in late], name="t")
    with pytest.raises(InputError, match="type t=date"):
        drawn(both)  # two offsets: no one format writes them
    made = drawn(both, said="date")
    assert made.str.endswith("Z").all()
    assert set(pd.to_datetime(made, utc=True)) <= set(pd.to_datetime(both, utc=True))


@pytest.mark.parametrize("form", ["({})", "{:,}-", "1,00,{}"])
def test_numbers_of_other_spellings_are_named(form: str) -> None:
    values = pd.Series([form.format(k) for k in range(100, 400)], name="pay")
    with pytest.raises(InputError, match="write numbers plainly"):
        fitted(values)


def test_few_groups_of_numbers_are_categories() -> None:
    for groups in (("<18", "18-64", "65+"), ("<5", ">=5")):
        assert set(drawn(pd.Series(groups * 100, name="age"))) == set(groups)


def test_thousands_of_categories() -> None:
    rng = np.random.default_rng(0)
    values = pd.Series([f"c{k}" for k in rng.zipf(1.4, 30_000) % 4000], name="code")
    column = fit_column("code", values)
    assert column.size > 1000
    assert (column.decode(column.encode(values), Draws(0)) == values).all()


def test_a_category_never_seen_stands_apart_from_all() -> None:
    frame = pd.DataFrame({"c": ["a", "b"] * 40, "x": np.arange(80.0)})
    data = load(frame, Options())
    codec = data.codec
    assert isinstance(codec, TableCodec)
    rows = codec.rows(data.files.read(pd.DataFrame({"c": ["a", "new"], "x": [0.0, 0.0]})))
    points = codec.points(rows, np.arange(2))
    assert float((points[0] - points[1]).norm()) == pytest.approx(np.sqrt(0.5), abs=1e-6)


def test_one_changed_category_costs_one() -> None:
    frame = pd.DataFrame({"c": ["a", "b"] * 40, "d": ["u", "v", "w", "u"] * 20})
    data = load(frame, Options())
    assert isinstance(data.codec, TableCodec)
    some = pd.DataFrame({"c": ["a", "b", "b"], "d": ["u", "u", "v"]})
    points = data.codec.points(data.codec.rows(data.files.read(some)), np.arange(3))
    assert float((points[0] - points[1]).norm()) == pytest.approx(1, abs=1e-6)
    assert float((points[0] - points[2]).norm()) == pytest.approx(np.sqrt(2), abs=1e-6)


def test_both_ways_of_sampling_a_head_have_the_same_law() -> None:
    data = load(mixed(), Options())
    codec = data.codec
    assert isinstance(codec, TableCodec)
    torch.manual_seed(0)
    raw = torch.randn(1, *codec.space.raw).repeat(20_000, 1)
    with torch.no_grad():
        inverse = codec.head(raw, Draws(0))
    gumbel = codec.head(raw.requires_grad_(), Draws(1)).detach()
    width = sum(codec.sizes)
    # Standard error of a share is at most .0035 for each of about 150 entries; 5 of them.
    assert (inverse - gumbel)[:, :width].mean(0).abs().max() * np.sqrt(2) < 5 * 0.005


def test_codes_with_leading_zeros_and_padded_names_survive(tmp_path: Path) -> None:
    path = tmp_path / "codes.csv"
    path.write_text("code, amount \n" + "007, 1.5\n042, 2.5\n" * 20)
    data = load(str(path), Options())
    batch, codes = data.train.first(10), data.train.codes(10)
    made = data.codec.decode(batch, codes, Draws(0))
    assert list(made.columns) == ["code", "amount"]
    assert set(made["code"]) == {"007", "042"}


def test_a_row_of_several_tables_is_found_in_its_own(tmp_path: Path) -> None:
    parts = []
    for k, rows in enumerate((3, 5, 4)):
        path = tmp_path / f"{k}.csv"
        pd.DataFrame({"x": range(rows)}).to_csv(path, index=False)
        parts.append(read_frame(path))
    stacked = Stacked(parts)
    told = [stacked.locate(row) for row in (0, 2, 3, 7, 8, 11)]
    found = [(Path(place.partition(",")[0]).name, int(place.split()[-1])) for place in told]
    # A header stands above the first row.
    expected = [("0.csv", 2), ("0.csv", 4), ("1.csv", 2), ("1.csv", 6), ("2.csv", 2), ("2.csv", 5)]
    assert found == expected


def test_parquet_is_read_by_row_groups(tmp_path: Path) -> None:
    frame = mixed(500)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.Table.from_pandas(frame), path, row_group_size=64)
    from_disk, in_memory = load(str(path), Options()), load(frame, Options())
    assert isinstance(from_disk.codec, TableCodec)
    for name, rows in in_memory.train.rows.items():
        assert (from_disk.train.rows[name] == rows).all()


def test_scratch_arrays_above_the_limit_leave_no_file_behind(tmp_path: Path) -> None:
    import tempfile

    before = tempfile.tempdir
    tempfile.tempdir = str(tmp_path)
    try:
        array = empty((1000, 10), np.int32, limit=100)
        array[:] = 7
        assert isinstance(array, np.memmap)
        assert int(array.sum()) == 70_000
        assert list(tmp_path.iterdir()) == []
    finally:
        tempfile.tempdir = before


def test_a_decoded_batch_needs_no_training_rows() -> None:
    data = load(mixed(), Options())
    codec = data.codec
    x = codec.head(torch.zeros(5, *codec.space.raw), Draws(0))
    made = codec.decode(Batch(x), np.zeros((5, 0), dtype=int), Draws(0))
    assert len(made) == 5
    assert list(made.columns) == list(mixed(20).columns)


def test_rows_longer_than_the_header_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_text("a,b\n" + "1,x,9\n" * 30)
    with pytest.raises(InputError, match="fewer fields"):
        load(str(path), Options())


def test_groups_of_numbers_are_labels() -> None:
    frame = pd.DataFrame({"g": [0.0, 0.5, 1.0, np.nan] * 30, "x": np.arange(120)})
    data = load(frame, Options(group="g"))
    codes = data.train.rows["group"]
    assert sorted(set(codes)) == [0, 1, 2, 3]
    assert isinstance(data.codec, TableCodec)
    assert data.codec.group is not None
    assert data.codec.group.labels == ("0", "0.5", "1")


def test_a_missing_condition_is_told_apart_from_the_mean() -> None:
    frame = pd.DataFrame({"c": [-1.0, 1.0, np.nan, 0.0] * 20, "x": ["a", "b"] * 40})
    conditions = load(frame, Options(condition=("c",))).codec.condition
    column = conditions.columns[0]
    codes = np.array([[column.code_of("")], [column.code_of("0")]])
    embedded = conditions.embed(codes)
    assert embedded is not None
    assert float((embedded[0] - embedded[1]).norm()) > 0.5


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("parts", "form"),
    [
        ((np.arange(40.0), np.arange(40) / 4), Form("number", "float64")),
        (
            (pd.array(np.arange(40)), pd.array([None, *range(39)], "Int64")),
            Form("integer", "Int64"),
        ),
        ((np.arange(40) < 9, pd.array([None, True], "boolean")), Form("boolean", "boolean")),
    ],
    ids=["halves", "gaps", "truth"],
)
def test_a_column_read_in_parts_has_the_widest_of_their_types(
    parts: tuple[Any, Any], form: Form, turned: bool
) -> None:
    """As Parquet is, whose first rows may all be whole or without gaps."""
    tables = [read_frame(pd.DataFrame({"v": part})) for part in parts]
    frame = infer_types(Stacked(tables[::-1] if turned else tables), Reading())
    assert frame.forms["v"] == form


@pytest.mark.parametrize(("rows", "batch"), [(40, 32), (101, 50), (5000, 500)])
def test_the_batch_of_a_wide_table_is_half_its_rows_within_bounds(rows: int, batch: int) -> None:
    found = defaults(rows, 65)["batch"]
    assert (found, type(found)) == (batch, int)


def test_whole_numbers_too_large_to_keep_are_refused() -> None:
    frame = pd.DataFrame({"id": 2**62 + np.arange(60) // 2, "x": np.arange(60)})
    with pytest.raises(InputError, match="drop id"):
        load(frame, Options())


def test_columns_named_by_numbers_and_an_index_survive_parquet(tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    frame = pd.DataFrame({0: np.arange(30), "day": ["x", "y", "z"] * 10})
    frame.set_index("day").to_parquet(path)
    assert sorted(load(str(path), Options()).raw.names) == ["0", "day"]


def dependent(n: int = 3000) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    city = rng.choice(["Oslo", "Bergen", "Rome", "Milan"], n)
    country = pd.Series(city).map(
        {"Oslo": "Norway", "Bergen": "Norway", "Rome": "Italy", "Milan": "Italy"}
    )
    return pd.DataFrame(
        {
            "country": country,
            "city": city,
            "code": pd.Series(city).map({"Oslo": 3, "Bergen": 1, "Rome": 7, "Milan": 2}),
            "noise": rng.normal(size=n).round(2),
            "flag": rng.random(n) < 0.5,
        }
    )


def test_what_follows_from_another_column_is_kept_not_learnt() -> None:
    frame = dependent()
    data = load(frame, Options(), seed=0)
    codec = data.codec
    assert isinstance(codec, TableCodec)
    names = [c.name for c in codec.columns]
    assert len(codec.derived) == 2
    assert {"noise", "flag"} <= set(names[:3])
    # Any raw output at all gives rows in which the dependencies hold.
    raw = torch.randn(500, *codec.space.raw)
    made = codec.decode(Batch(codec.head(raw, Draws(1))), np.zeros((500, 0), np.int16), Draws(2))
    known = set(frame[["country", "city", "code"]].itertuples(index=False, name=None))
    assert list(made.columns) == list(frame.columns)
    assert set(made[["country", "city", "code"]].itertuples(index=False, name=None)) <= known
    points = data.train.first(50)
    hot = points.x[:, : sum(codec.free)] * 2**0.5
    # One over root 2 and back is float32 rounding, 1e-7, on entries of about 1.
    assert torch.allclose(codec.embed(hot), points.x, atol=1e-6)


def test_a_dependency_by_chance_or_with_one_exception_is_none() -> None:
    frame = dependent()
    frame.loc[7, "country"] = "Rome's own"
    rng = np.random.default_rng(1)
    frame["nearly constant"] = np.where(np.arange(len(frame)) == 11, "b", "a")
    frame["many"] = rng.permutation(len(frame)) // 2  # two rows a value
    codec = load(frame, Options(), seed=0).codec
    assert isinstance(codec, TableCodec)
    free = {c.name for c in codec.columns[: len(codec.free)]}
    assert {"country", "nearly constant", "many"} <= free


def test_numbers_that_share_a_cell_do_not_follow_from_one_another() -> None:
    """Each cell of the one is a cell of the other, and holds many values."""
    x = np.random.default_rng(0).normal(size=2000)
    codec = load(pd.DataFrame({"x": x, "y": np.exp(x)}), Options(), seed=0).codec
    assert isinstance(codec, TableCodec)
    assert codec.derived == ()


def test_a_column_to_drop_that_is_not_there_is_named_with_the_option() -> None:
    with pytest.raises(InputError, match=r"^drop agee: unknown column; did you mean 'age'"):
        load(mixed(60), Options(drop=("agee",)))


def test_a_dependency_survives_saving() -> None:
    codec = load(dependent(), Options(), seed=0).codec
    restored = TableCodec.restore(*codec.state())
    raw = torch.randn(50, *codec.space.raw)
    assert torch.equal(codec.head(raw, Draws(1)), restored.head(raw, Draws(1)))


def test_ranks_order_codes_by_value() -> None:
    values = pd.Series([0.0] * 100 + list(np.linspace(1, 5, 900)) + [np.nan] * 50, name="x")
    column = fit_column("x", values)
    ranks = column.ranks
    assert np.isnan(ranks[-1])
    order = np.argsort(column.cells.mean(1), kind="stable")
    assert (np.diff(ranks[order]) > 0).all()
    assert ranks[0] == pytest.approx(0.5 * 100 / 1050)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(tmp_path: Path, encoding: str) -> None:
    frame = pd.DataFrame({"städte": ["Köln", "Łódź"] * 20, "x": range(40)})
    frame.to_csv(tmp_path / "t.csv", index=False, encoding=encoding)
    data = load(tmp_path / "t.csv", Options(), seed=0)
    assert isinstance(data.codec, TableCodec)
    assert set(data.codec.order) == {"städte", "x"}
    assert set(data.training(30)["städte"]) == {"Köln", "Łódź"}


def test_an_unmarked_encoding_is_refused_with_its_remedy(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": ["Köln", "Zürich"] * 20, "x": range(40)})
    frame.to_csv(tmp_path / "t.csv", index=False, encoding="latin-1")
    with pytest.raises(InputError, match=r"iconv -f WINDOWS-1252 -t UTF-8 t\.csv"):
        load(tmp_path / "t.csv", Options())


def test_cells_that_do_not_fit_are_missing_if_asked(tmp_path: Path) -> None:
    frame = mixed(200).astype({"age": object})
    frame.loc[3, "age"] = "old"
    path = tmp_path / "people.csv"
    frame.to_csv(path, index=False)
    given = {"type": ("age=number",)}
    with pytest.raises(InputError, match="line 5"):
        prepare(path, given)
    with pytest.warns(Notice, match="age"):
        data, _ = prepare(path, given | {"lenient": True})
    assert data.raw.take(np.arange(200))["age"].isna().tolist().index(True) == 3
