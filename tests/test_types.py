"""Samples come back in the types and spellings that the data have."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from typing import Any
from zoneinfo import TZPATH, ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from dateutil import tz  # type: ignore[import-untyped]

import surveyor
from surveyor.batch import Draws
from surveyor.data import Options
from surveyor.data.fitting import fit_column, fit_label
from surveyor.data.types import Scale, column_types
from surveyor.errors import InputError, Notice
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from tests.conftest import QUICK, column, csv, spread

N = 120  # rows

ARROW: Any = pd.ArrowDtype
FRAMES: dict[str, Any] = {
    "integers with gaps": pd.array([None if k % 5 == 0 else k for k in range(N)], dtype="Int32"),
    "float32": np.arange(N, dtype=np.float32) / 4,
    "unsigned": np.arange(N, dtype=np.uint8) % 9,
    "ordered": pd.Categorical(spread(["low", "high"]), ["low", "mid", "high"], ordered=True),
    "numbers as categories": pd.Categorical([k % 3 for k in range(N)]),
    "text of numbers": pd.Series([str(k % 40) for k in range(N)], dtype=object),
    "decimals": pd.Series([decimal.Decimal(k) / 4 for k in range(N)], dtype=object),
    "days": pd.Series([dt.date(2020, 1, 1) + dt.timedelta(k) for k in range(N)], dtype=object),
    "moments": pd.Series([dt.datetime(2020, 1, 1, k % 24) for k in range(N)], dtype=object),
    "counts": pd.Series([None if k % 7 == 0 else k % 5 for k in range(N)], dtype=object),
    "mixed": pd.Series([1, "a", 2, "b"] * (N // 4), dtype=object),
    "offset": pd.date_range("2020", periods=N, freq="h", tz=dt.timezone(dt.timedelta(hours=-3))),
    "durations": pd.to_timedelta(np.arange(N), unit="s"),
    "arrow decimals": pd.array([decimal.Decimal(k) for k in range(N)], dtype=ARROW(pa.decimal128(9, 3))),
    "arrow text": pd.array(spread(["u", "v"]), dtype=ARROW(pa.large_string())),
    "truth with gaps": pd.array([None if k % 6 == 0 else k % 2 == 0 for k in range(N)], dtype="boolean"),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore::surveyor.errors.Notice")
def test_samples_come_back_in_the_type_they_had() -> None:
    frame = pd.DataFrame(FRAMES)
    made = surveyor.fit(frame, **QUICK).sample(200)
    for name in frame:
        assert made[name].dtype == frame[name].dtype, name
        kinds = [{type(v) for v in side[name].dropna()} for side in (frame, made)]
        assert kinds[1] <= kinds[0], name
        known = set(frame[name].dropna())
        if name not in (
            "float32",
            "decimals",
            "arrow decimals",
            "durations",
            "offset",
            "days",
            "moments",
        ):
            assert set(made[name].dropna()) <= known, name


VIEW = getattr(pa, "string_view", pa.large_string)()  # from pyarrow 16
TYPES: dict[str, tuple[Any, list[Any]]] = {
    "truth": (pa.bool_(), [k % 2 == 0 for k in range(N)]),
    "whole": (pa.int64(), [k % 9 for k in range(N)]),
    "small": (pa.uint16(), [k % 45 for k in range(N)]),
    "single": (pa.float32(), [k % 40 / 4 for k in range(N)]),
    "half": (pa.float16(), [np.float16(k % 30 / 4) for k in range(N)]),
    "word": (pa.string(), spread(["a", "b", "c"])),
    "written numbers": (pa.large_string(), [f"{k % 40}.50" for k in range(N)]),
    "written days": (pa.large_string(), [f"2020-01-{1 + k % 28:02}" for k in range(N)]),
    "written shares": (VIEW, [f"{k % 30}%" for k in range(N)]),
    "viewed words": (VIEW, spread(["p", "q"])),
    "words of few": (pa.dictionary(pa.int32(), pa.string()), spread(["u", "v"])),
    "price": (pa.decimal128(9, 2), [decimal.Decimal(k % 40) / 4 for k in range(N)]),
    "day": (pa.date32(), [dt.date(2020, 1, 1) + dt.timedelta(k % 40) for k in range(N)]),
    "moment": (pa.timestamp("ms", tz="Europe/Rome"), [dt.datetime(2020, 1, 1, k % 24) for k in range(N)]),
    "span": (pa.duration("ms"), [dt.timedelta(seconds=k % 40 / 4) for k in range(N)]),
}  # fmt: skip


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("source", ["frame", "parquet", "arrow"])
def test_every_arrow_type_comes_back_with_its_values(
    source: str, gaps: bool, tmp_path: Path
) -> None:
    own = {
        name: pa.array([None if gaps and k % 5 == 0 else v for k, v in enumerate(values)], kind)
        for name, (kind, values) in TYPES.items()
    }
    table, path = pa.table(own), tmp_path / f"t.{source}"
    given: Any = str(path)
    if source == "frame":
        given = pd.DataFrame({n: pd.array(a, dtype=ARROW(a.type)) for n, a in own.items()})
    elif source == "parquet":
        pq.write_table(table, path)
    else:
        with pa.ipc.new_file(path, table.schema) as file:
            file.write_table(table)
    data = load(given, Options(), seed=1)
    assert isinstance(data.codec, TableCodec)
    forms = {c.name: c.kind for c in data.codec.columns}
    written = [forms[f"written {what}"] for what in ("numbers", "shares", "days")]
    assert written == ["number", "integer", "date"]
    rows = data.training(N)
    # At most as many values as a column has cells: each comes back as itself.
    made = {c.name: c.decode(c.encode(rows[c.name]), Draws(0)) for c in data.codec.columns}
    data.files.write(pd.DataFrame(made)[list(own)], tmp_path / "made.parquet")
    back = pq.read_table(tmp_path / "made.parquet")
    # pandas cannot take rows of a view.
    views = {VIEW: pa.large_string()}
    assert back.schema.types == [views.get(a.type, a.type) for a in own.values()]
    for name in own:
        expected = np.array(own[name].to_pylist(), dtype=object)[np.sort(data.train.index)]
        assert back.column(name).to_pylist() == expected.tolist(), name
    assert list(pd.read_parquet(tmp_path / "made.parquet")) == list(own)


@pytest.mark.parametrize("kind", ["integer", "number"])
def test_numbers_are_shown_with_the_digits_asked_for(kind: str) -> None:
    scale = column_types()[kind]
    assert isinstance(scale, Scale)
    assert scale.format_value(1234.5678) == "1235"
    assert scale.format_value(1234.5678, 6) == "1234.57"


def test_a_type_with_an_example_shows_its_values_as_it_writes_them() -> None:
    class Clock(type(column_types()["number"])):  # type: ignore[misc]
        example = "07:30"

        def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
            return [f"{int(p) // 60:02}:{int(p) % 60:02}" for p in points]

    assert Clock().format_value(450.0) == "07:30"


def test_dates_of_a_zone_come_back_in_that_zone() -> None:
    for zone in (dt.timezone(dt.timedelta(hours=5, minutes=30)), ZoneInfo("America/New_York")):
        at = [dt.datetime(2020, 3, 1 + k % 28, k % 24, tzinfo=zone) for k in range(N)]
        for values in (pd.Series(at, dtype=object), pd.Series(pd.DatetimeIndex(at))):
            one = column(pd.DataFrame({"at": values, "x": np.arange(N)}), "at")
            made = one.decode(np.arange(one.size), Draws(0))
            assert {v.utcoffset() for v in made} <= {v.utcoffset() for v in at}
            assert set(made) <= set(at)


def test_a_zone_that_tells_no_name_is_known_by_its_file() -> None:
    """As those of dateutil: summer and winter come back in the zone, not at a fixed offset."""
    place = next((p for p in map(Path, TZPATH) if (p / "Europe/Rome").is_file()), None)
    if place is None or place.name != "zoneinfo":
        pytest.skip("this system has no files of zones")
    zone = tz.tzfile(str(place / "Europe/Rome"))
    at = pd.Series(pd.date_range("2020-01-01", periods=N, freq="3D", tz=zone))
    one = column(pd.DataFrame({"at": at, "x": np.arange(N)}), "at")
    made = one.decode(np.arange(one.size), Draws(0))
    assert str(made.dtype).endswith(", Europe/Rome]")
    assert set(made) <= set(at)


def test_decimals_come_back_with_the_places_that_they_have() -> None:
    for texts in ([f"{k % 40}.50" for k in range(N)], spread(["1.5", "2.25", "4", "0.125"])):
        given = pd.Series([decimal.Decimal(t) for t in texts], dtype=object)
        one = column(pd.DataFrame({"v": given, "x": np.arange(N)}), "v")
        made = one.decode(np.arange(one.size), Draws(0))
        assert {str(v) for v in made} <= set(texts)


def test_numbers_and_dates_that_are_asked_for_come_back_as_they_were(tmp_path: Path) -> None:
    days = [f"2020-02-{1 + k % 29:02} 07:30" for k in range(N)]
    source = csv(tmp_path, v=[str(k % 9) for k in range(N)], day=days)
    for name, how in (("v", "number"), ("day", "date")):
        asked = column(source, name, type=(f"{name}={how}",))
        assert asked.form == column(source, name).form
    day = column(source, "day", type=("day=date",))
    assert set(day.decode(np.arange(day.size), Draws(0))) <= set(days)


def test_days_that_no_calendar_has_are_text(tmp_path: Path) -> None:
    source = csv(tmp_path, v=spread(["2020-02-30", "2021-13-01", "2019-00-10"]))
    data = load(source, Options())
    told = {row[0]: row for row in data.files.describe(data.raw)}["v"]
    assert told[1] == "category"
    assert "'2020-02-30' would change if read as dates" in told[3]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (pd.period_range("2020", periods=N, freq="D"), r"periods; .*\.astype\(str\)"),
        (pd.interval_range(0, N), r"intervals; .*\.astype\(str\)"),
        ([b"a", b"b"] * (N // 2), r"bytes values such as .*b'a'"),
        ([1j] * N, "complex"),
        ([{1}, {2}] * (N // 2), r"not text or numbers, such as '\{1\}'"),
    ],
)
def test_what_no_column_can_hold_is_refused_by_name(values: Any, told: str) -> None:
    frame = pd.DataFrame({"x": np.arange(N), "odd one": values})
    with pytest.raises(InputError, match=f"column 'odd one': .*{told}"):
        load(frame, Options())
    for fit in (fit_column, fit_label):
        with pytest.raises(InputError, match="'odd one'"):
            fit("odd one", frame["odd one"].iloc[:50])


def test_files_come_back_in_the_types_they_had(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = [dt.date(1890, 1, 1) + dt.timedelta(int(k)) for k in rng.integers(0, 90_000, N)]
    table = pa.table(
        {
            "n": pa.array([None if k % 4 == 0 else k for k in range(N)], pa.int16()),
            "day": pa.array(days, pa.date32()),
            "price": pa.array(
                [decimal.Decimal(int(k)) / 100 for k in rng.integers(0, 9999, N)],
                pa.decimal128(12, 2),
            ),
            "at": pa.array(
                [dt.datetime(9999, 12, 31, k % 24) for k in range(N)],
                pa.timestamp("us", tz="+05:30"),
            ),
            "word": pa.array(spread(["a", "b"]), pa.string()),
            " padded ": pa.array(rng.normal(size=N)),
        }
    )
    pq.write_table(table, tmp_path / "t.parquet")
    model = surveyor.fit(tmp_path / "t.parquet", **QUICK)
    model.run.kind.files.write(model.sample(50), tmp_path / "made.parquet")
    assert pq.read_schema(tmp_path / "made.parquet").remove_metadata() == table.schema


def test_numbers_and_text_in_one_column_are_written_as_text(tmp_path: Path) -> None:
    frame = pd.DataFrame({"code": [1, "a", 2, None], "x": range(4)})
    files = load(pd.DataFrame({"x": np.arange(20) % 5}), Options()).files
    with pytest.warns(Notice, match="'code': numbers and text, all written as text"):
        files.write(frame, tmp_path / "t.parquet")
    assert pd.read_parquet(tmp_path / "t.parquet")["code"].tolist()[:3] == ["1", "a", "2"]


def test_text_with_gaps_is_no_column_of_both(tmp_path: Path) -> None:
    frame = pd.DataFrame({"word": pd.Series(["a", None, "b", np.nan], dtype=object), "x": range(4)})
    files = load(pd.DataFrame({"x": np.arange(20) % 5}), Options()).files
    files.write(frame, tmp_path / "t.parquet")
    found = pq.read_table(tmp_path / "t.parquet").column("word").to_pylist()
    assert found == ["a", None, "b", None]


@pytest.mark.parametrize("cells", [["7", "2.5", "1e+16"], ["7.0", "2.5", "0.125"], ["$7", "$2.5"]])
def test_numbers_of_several_decimals_come_back_in_their_spelling(
    cells: list[str], tmp_path: Path
) -> None:
    (tmp_path / "in.csv").write_text(
        "x,y\n" + "".join(f"{c},{k}\n" for k, c in enumerate(cells * 9))
    )
    data = load(str(tmp_path / "in.csv"), Options())
    data.files.write(data.codec.as_text(data.raw.take(np.arange(9))), tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "".join(
        (tmp_path / "in.csv").read_text().splitlines(keepends=True)[:10]
    )


def test_csv_comes_back_in_its_spelling(tmp_path: Path) -> None:
    texts = {
        "price": [f"{k}.50" for k in range(N)],
        "rate": [f"{k}.5%" for k in range(N)],
        "age": ["" if k % 5 == 0 else str(k) for k in range(N)],
        "at": [f"2020-01-01 {k % 24:02}:{k % 60:02}" for k in range(N)],
        "zone": [f"2020-01-01T{k % 24:02}:00:00.250+02:00" for k in range(N)],
        "flag": spread(["TRUE", "FALSE"]),
    }
    model = surveyor.fit(csv(tmp_path, **texts), **QUICK)
    model.run.kind.files.write(model.run.codec.as_text(model.sample(150)), tmp_path / "made.csv")
    made = pd.read_csv(tmp_path / "made.csv", dtype=str, keep_default_na=False)
    form = {"price": r"\d+\.50", "rate": r"\d+\.5%", "age": r"\d*", "at": r"2020-01-01 \d\d:\d\d",
            "zone": r"2020-01-01T\d\d:00:00\.250\+02:00", "flag": "TRUE|FALSE"}  # fmt: skip
    for name, pattern in form.items():
        assert made[name].str.fullmatch(pattern).all(), name
