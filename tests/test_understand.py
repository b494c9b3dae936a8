"""What a column holds is decided on all of its rows, told, and can be overruled."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import surveyor
from surveyor.data import Options
from surveyor.data.numerals import number_template
from surveyor.data.periods import period
from surveyor.data.spelling import date_format, read_dates
from surveyor.errors import InputError, Notice
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.frames import read_frame
from surveyor.ruler import drift
from tests.conftest import QUICK, column, csv, spread

N = 120  # rows


@pytest.mark.parametrize(
    ("texts", "template"),
    [
        (["7", "-20", "0"], "{d}"),
        (["1.50", "2.75"], "{.2f}"),
        (["3", "2.5", "1e-07"], "{s}"),
        (["3.0", "2.25"], "{r}"),
        (["1.250e+10", "2.000e-03"], "{.3e}"),
        (["$1.50", "$20.00"], "${.2f}"),
        (["52.1%", "3.0%"], "{.1f}%"),
        (["0.10000000000000001", "0.5"], "{.17g}"),
    ],
)
def test_a_template_writes_every_number_as_it_stands(texts: list[str], template: str) -> None:
    assert number_template(texts) == (template, "")


@pytest.mark.parametrize(
    "texts",
    [["007", "12"], ["+47", "12"], ["1E5", "2E7"], ["1.10", "1.9"], ["12 ", "13"], ["12345678901234567"],
     ["1_000"], ["0x1f"], ["nan"], ["٣"], ["1.5", "2."]],
)  # fmt: skip
def test_what_no_template_writes_is_text(texts: list[str]) -> None:
    assert number_template(texts)[0] is None


@pytest.mark.parametrize(
    "texts",
    [["2020-02-29"], ["2020-02-29 10:30"], ["2020-02-29T10:30:15.25"], ["2020-02-29T10:30:15Z"],
     ["2020-02-29T10:30:15+05:30"], ["9999-12-31", "0001-01-01"],
     ["2020-02-29T10:30:15", "2020-02-29T10:30:15.000250"]],
)  # fmt: skip
def test_a_format_writes_every_date_as_it_stands(texts: list[str]) -> None:
    format_, changed = date_format(texts)
    assert format_ is not None
    assert changed == ""


def test_dates_are_seconds_since_1970_in_utc() -> None:
    seconds, good = read_dates(["1970-01-02", "1970-01-01T01:00:00+01:00", "1970-13-01"])
    assert seconds[:2].tolist() == [86_400, 0]
    assert good.tolist() == [True, True, False]


CODES = {
    "zeros late": ["10115"] * 1100 + ["01067", "20095"] * 10,
    "trailing zeros": ["250.00", "401.9", "V45.2", "401.90"],
    "a plus": ["+4712", "4713", "+4715"],
    "exponents": ["1E5", "12E7", "9E1"],
    "blanks": ["12 ", "12", "7 "],
    "ICD": ["I25.10", "I20.0", "C07", "C61"],
    "districts": [f"B{k}" for k in range(1, 60)],
    "parts": [f"KB{k:04}" for k in range(60)],
    "words": ["NA", "None", "null", "nan", "Inf"],
    "truth": ["TRUE", "FALSE"],
    "versions": ["1.10", "1.9", "2.0.1"],
}


@pytest.mark.parametrize("name", CODES)
def test_codes_stay_what_they_are(name: str, tmp_path: Path) -> None:
    texts = spread(CODES[name], max(N, len(CODES[name])))
    found = column(csv(tmp_path, code=texts), "code", drop=())
    assert found.kind == "category"
    assert set(found.labels) <= set(texts)
    assert len(found.labels) > 0.7 * len(set(texts))  # those of the training rows


@pytest.mark.parametrize(
    ("texts", "odd", "kind"),
    [
        (spread([f"{k}.25" for k in range(30)]), "?", "number"),
        (spread([f"{k}" for k in range(30)]), "12 kg", "number"),
        (spread([f"{k}.5%" for k in range(30)]), "5", "number"),
        ([f"2021-03-{1 + k % 28:02}" for k in range(90)], "2021-02-30", "date"),
        ([f"2021-03-{1 + k % 28:02}" for k in range(90)], "soon", "date"),
    ],
)
def test_a_cell_that_does_not_fit_is_named_and_never_changes_the_column(
    texts: list[str], odd: str, kind: str, tmp_path: Path
) -> None:
    source = csv(tmp_path, v=[*texts[:40], odd, *texts[40:]])
    with pytest.raises(
        InputError, match=r"v'.* 1 cell: .*data\.csv, line 42: .*missing .*type v=text"
    ):
        load(source, Options())
    for said, expected in (({"missing": (odd,)}, kind), ({"type": ("v=text",)}, "category")):
        found = column(source, "v", **said)
        assert {"integer": "number"}.get(found.kind, found.kind) == expected
    frame = pd.read_csv(source, dtype=str)
    with pytest.raises(InputError, match="row 40: "):
        load(frame, Options())


def test_the_answer_does_not_depend_on_the_rows_held_out(tmp_path: Path) -> None:
    texts = [f"{k}.5" for k in range(N)]
    texts[60] = "?"
    source = csv(tmp_path, v=texts)
    said = set()
    for seed in range(8):
        with pytest.raises(InputError) as refused:
            load(source, Options(), seed=seed)
        said.add(str(refused.value))
    assert len(said) == 1


def test_words_for_a_missing_number_are_told_and_kept_in_text(tmp_path: Path) -> None:
    source = csv(tmp_path, v=spread(["1.5", "2.25", "NA"]), w=spread(["NA", "NO", "SE"]))
    with pytest.warns(Notice, match=r"'v': 'NA' in 40 cells taken as missing"):
        found = column(source, "v")
    assert found.missing
    with pytest.warns(Notice):
        assert column(source, "w").labels == ("NA", "NO", "SE")


def test_what_is_said_of_a_column_decides(tmp_path: Path) -> None:
    source = csv(
        tmp_path, zip=spread(["0115", "1067"]), day=[f"{1 + k % 28:02}/03/2020" for k in range(N)]
    )
    found = load(source, Options(type=("zip=number", "day=date:%d/%m/%Y"))).codec
    assert isinstance(found, TableCodec)
    kinds = {c.name: c.kind for c in found.columns}
    assert kinds == {"zip": "integer", "day": "date", "x": "integer"}
    day = next(c for c in found.columns if c.name == "day")
    made = day.decode(np.arange(day.size), surveyor.batch.Draws(0))
    assert set(made) <= {f"{k:02}/03/2020" for k in range(1, 29)}
    for wrong, what in (
        ("zap=text", "did you mean 'zip'"),
        ("zip=txt", "did you mean 'text'"),
        ("zip", "COLUMN=TYPE"),
    ):
        with pytest.raises(InputError, match=what):
            load(source, Options(type=(wrong, "day=text")))


def test_large_numbers_are_numbers(tmp_path: Path) -> None:
    values = np.random.default_rng(0).lognormal(45, 2, N)
    assert column(pd.DataFrame({"v": values, "x": np.arange(N) % 7}), "v").kind == "number"


@pytest.mark.parametrize(
    ("text", "zone", "first", "lasts"),
    [
        ("1970", "", 0, 365 * 86_400),
        ("1970-02", "UTC", 31 * 86_400, 28 * 86_400),
        ("1970-01-02", "UTC+01:30", 86_400 - 5400, 86_400),
        ("1970-07-02", "Europe/Rome", 182 * 86_400 - 7200, 86_400),
        ("1970-07-02 10:30Z", "Europe/Rome", 182 * 86_400 + 37_800, 60),
        ("1970-01-01T00:00:07", "no/zone", 7, 1),
        ("1970-01-01 00:00:07.25", "", 7.25, 1e-6),
    ],
)
def test_a_period_is_read_in_its_zone(text: str, zone: str, first: float, lasts: float) -> None:
    low, high = period(text, zone)
    assert low == first
    assert high - low + 1e-6 == pytest.approx(lasts, abs=1e-7)


def test_moments_of_a_zone_are_read_as_such(tmp_path: Path) -> None:
    at = pd.date_range("2020-03-20", periods=N, freq="h", tz="America/New_York").as_unit("us")
    pd.DataFrame({"at": at}).to_parquet(tmp_path / "t.parquet")
    found = read_frame(tmp_path / "t.parquet").take(np.arange(N))["at"]
    assert found.dt.tz_convert(at.tz).tolist() == at.tolist()


@pytest.mark.parametrize("how", ["number", "date"])
def test_cells_that_are_not_what_is_asked_for_are_named(how: str, tmp_path: Path) -> None:
    right = {
        "number": [str(k) for k in range(N)],
        "date": [f"2020-01-{1 + k % 28:02}" for k in range(N)],
    }
    cells = right[how]
    cells[7], cells[90] = "oops", "n.b."
    source = csv(tmp_path, v=cells)
    with pytest.raises(InputError, match=rf"{how}s except in 2 cells: .*line 9: 'oops'.*'n\.b\.'"):
        column(source, "v", type=(f"v={how}",))
    found = column(source, "v", type=(f"v={how}",), missing=("oops", "n.b."))
    assert found.kind == {"number": "integer", "date": "date"}[how]
    assert found.missing


def test_columns_that_look_like_the_parts_of_a_formula_are_columns() -> None:
    frame = pd.DataFrame({"box: element 1": spread(["a", "b"]), "box: amount 1": np.arange(N) / 7})
    assert load(frame, Options()).codec.formulas == {}  # type: ignore[attr-defined]


def test_what_was_understood_is_told(tmp_path: Path) -> None:
    data = load(
        csv(tmp_path, zip=spread(["0115", "1067"]), price=[f"{k}.50" for k in range(N)]), Options()
    )
    told = {row[0]: row for row in data.files.describe(data.raw)}
    assert told["zip"][1:3] == ("category", "0115")
    assert "would change if read as" in told["zip"][3]
    assert told["price"][1] == "number, 2 decimals"


def test_two_tables_are_read_alike(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    days = pd.to_datetime("2020-01-01") + pd.to_timedelta(rng.integers(0, 99, 300), unit="D")
    a = pd.DataFrame({"day": days, "v": rng.normal(size=300)})
    b = a.assign(day=a["day"].dt.strftime("%Y-%m-%d"), v=a["v"].map("{:.17g}".format))
    b.to_csv(tmp_path / "b.csv", index=False)
    found = surveyor.distance(a, str(tmp_path / "b.csv"))
    assert found.p_value > 0.05


def test_distance_names_odd_cells_and_measures_the_rest() -> None:
    rng = np.random.default_rng(0)
    a = pd.DataFrame(
        {"v": rng.normal(100, 9, 400).round(1).astype(str), "id": [f"u{k}" for k in range(400)]}
    )
    b = a.assign(
        v=(a["v"].astype(float) + 9).round(1).astype(str), id=[f"w{k}" for k in range(400)]
    )
    b.loc[3, "v"] = "n.b."
    with pytest.warns(Notice) as told:
        found = surveyor.distance(a, b)
    said = " ".join(str(w.message) for w in told)
    assert "'n.b.'; taken as missing" in said
    assert "left out: column 'id'" in said
    assert found.p_value < 0.01
    with pytest.raises(InputError, match="did you mean 'id'"):
        surveyor.distance(a, b, drop=["ids"])


def test_numbers_in_one_table_and_names_in_the_other_are_categories() -> None:
    """The names, each in one row, are nothing to learn by themselves."""
    x = np.random.default_rng(0).normal(size=60)
    a = pd.DataFrame({"v": np.arange(60) % 3, "x": x})
    b = a.assign(v=[f"name {k}" for k in range(60)])
    moved = {column.name: column for column in drift(a, b).columns}
    assert moved["v"].distance == pytest.approx(1)
    assert moved["x"].distance == 0


def test_a_column_of_one_table_alone_is_left_out_by_name() -> None:
    rng = np.random.default_rng(0)
    a, b = (pd.DataFrame({"v": rng.normal(size=60)}) for _ in range(2))
    wider = a.assign(extra=1.0)
    for pair in ((wider, b), (b, wider)):
        with pytest.raises(InputError, match=r"'extra' is only in the (first|second) table"):
            surveyor.distance(*pair)
        left, right = (side[["v"]] for side in pair)
        assert surveyor.distance(*pair, drop=["extra"]) == surveyor.distance(left, right)


@pytest.fixture(scope="module")
def dated() -> surveyor.Model:
    rng = np.random.default_rng(0)
    at = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 24 * 120, 800), unit="h")
    frame = pd.DataFrame(
        {
            "at": at,
            "local": pd.Series(at).dt.tz_localize("UTC").dt.tz_convert("America/New_York"),
            "age": rng.integers(18, 90, 800),
            "word": np.array(["None", "some", None], dtype=object)[rng.integers(0, 3, 800)],
            "a=b": rng.choice(["u", "v"], 800),
        }
    )
    return surveyor.fit(frame, **QUICK)


def test_where_takes_periods_in_the_columns_own_zone(dated: surveyor.Model) -> None:
    february = dated.sample(60, where={"at": "2020-02"})["at"]
    assert february.dt.month.eq(2).all()
    assert february.nunique() > 5
    local = dated.sample(60, where={"local": "2020-03-01..2020-03-02"})["local"]
    assert set(local.dt.date) <= {dt.date(2020, 3, 1), dt.date(2020, 3, 2)}
    assert dated.sample(20, where={"word": "None"})["word"].eq("None").all()
    assert dated.sample(20, where={"word": None})["word"].isna().all()


@pytest.mark.parametrize(
    "where", [{"at": "01/02/2020"}, {"at": "01/02/2020.."}, {"age": "30.5"}, {"age": 30.5}, {"age": True},
              {"at": "2020-02-30"}, {"at": 5}, {"age": "thirty"}]
)  # fmt: skip
def test_where_that_is_no_value_of_the_column_is_refused(
    dated: surveyor.Model, where: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match=r"the column holds|not a valid end of a range"):
        dated.sample(5, where=where)


def test_numbers_beyond_the_training_range_score_below_every_row(dated: surveyor.Model) -> None:
    rows = dated.sample(300)
    far = [dated.score(rows.head(1).assign(age=age))[0] for age in (90, 120, 900)]
    assert max(far) < dated.score(rows).min()
    assert far == sorted(far, reverse=True)
    critic = [dated.score(rows.head(1).assign(age=age), by="critic")[0] for age in (120, 900)]
    assert max(critic) < dated.score(rows, by="critic").min()


def test_numbers_beyond_the_training_range_are_measured_where_they_are() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"v": rng.normal(50, 5, 400), "c": rng.choice(["a", "b"], 400)})
    model = surveyor.fit(frame, **QUICK)
    w1 = [model.evaluate(frame.assign(v=scale * frame["v"]))["w1"].known for scale in (1, 3, 30)]
    assert w1[2] > 5 * w1[1] > 5 * w1[0]


def test_evaluate_leaves_columns_out_and_reads_other_spellings(
    dated: surveyor.Model, tmp_path: Path
) -> None:
    rows = dated.sample(200)
    with_nonsense = rows.assign(age=rows["age"] * 1000)
    told = [dated.evaluate(frame)["w1"].known for frame in (rows, with_nonsense)]
    assert told[1] > 10 * told[0]
    without = [dated.evaluate(f, drop=["age"])["w1"].known for f in (rows, with_nonsense)]
    assert without[0] == pytest.approx(without[1])
    gone = dated.evaluate(rows.drop(columns="age"), drop=["age"])
    assert gone["w1"].value == pytest.approx(without[0])
    assert "age" not in [f.of for f in gone.parts("distance", "column")]
    written = rows.assign(at=rows["at"].dt.strftime("%d/%m/%Y %H:%M"), age=rows["age"].astype(str))
    written.loc[3, "age"] = "unknown"
    written.drop(columns="local").to_csv(tmp_path / "rows.csv", index=False)
    said: Any = {"type": ["at=date:%d/%m/%Y %H:%M"], "drop": ["local"], "missing": "unknown"}
    again = dated.evaluate(str(tmp_path / "rows.csv"), **said)["w1"].value
    assert again == pytest.approx(dated.evaluate(rows, drop=["local"])["w1"].known, rel=0.05)
    with pytest.raises(InputError, match="drop agee: unknown column; did you mean 'age'"):
        dated.evaluate(rows, drop=["agee"])
    with pytest.raises(InputError, match="leaves no column to measure"):
        dated.evaluate(rows, drop=list(rows))
    with pytest.raises(InputError, match="the column is of type number"):
        dated.evaluate(rows, type="age=date")
    with pytest.raises(InputError, match="only together with other data"):
        dated.evaluate(drop=["age"])
