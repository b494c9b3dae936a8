"""Numbers, dates, times and durations as people write them: read, learnt, and written back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveyor import fit
from surveyor.cli import main
from surveyor.data import Options
from surveyor.data.numerals import marks_of
from surveyor.data.types import Cells, Fit, Scale, column_types
from surveyor.errors import InputError
from surveyor.kinds.loading import load
from surveyor.kinds.table.codec import TableCodec
from tests.conftest import QUICK

TYPES = column_types()
DAYS = pd.date_range("2023-01-05", periods=300, freq="29h")


def scale(kind: str) -> Scale:
    own = TYPES[kind]
    assert isinstance(own, Scale)
    return own


def told(kind: str, texts: list[str]) -> Fit:
    """Return how a type reads texts."""
    cells = Cells(dict.fromkeys(texts, 1), from_text_file=True)
    fit = TYPES[kind].guess(TYPES[kind].matching(cells), cells)
    assert isinstance(fit, Fit)
    return fit


NUMBERS = {
    "1,234.50 12.00 -3.10": [1234.5, 12, -3.1],
    "1.234,50 12,00 -1.003,10": [1234.5, 12, -1003.1],
    "1234,5 12 0,25": [1234.5, 12, 0.25],
    "0,123 0,456": [0.123, 0.456],
    "1.234 12.345.678": [1234, 12345678],
    "1'234.50 17.25": [1234.5, 17.25],
    "$1,200.00 $3.00 -$12.50": [1200, 3, -12.5],
    "$-0.25 $5.00": [-0.25, 5],
    "45% 7%": [45, 7],
    "12,50€ -3,00€": [12.5, -3],
    "1\u00a0234,5 17,25": [1234.5, 17.25],
    "1,234 5,678 89": [1234, 5678, 89],
    "1.234 2.500": [1.234, 2.5],
}


@pytest.mark.parametrize("line", NUMBERS)
def test_numbers_are_read_and_written_back(line: str) -> None:
    texts = line.split(" ")
    spelling = told("number", texts).spelling
    points, good = scale("number").read(texts, spelling)
    assert good.all()
    assert points.tolist() == NUMBERS[line]
    assert scale("number").write(points, spelling) == texts


def test_every_mark_and_sign_comes_back() -> None:
    """Any number of any template, for all marks and signs: reading what is written gives it."""
    rng = np.random.default_rng(0)
    values = np.round(rng.normal(0, 10.0 ** rng.integers(0, 7, 200)), 2)
    own = scale("number")
    for marks in ("", ",.|", ".,|", "_,|", "'.|", " ,|"):
        for around in ("{}", "${}", "~${}", "{} €", "{}%"):
            for style in (".2f", "s"):
                spelling = around.replace("{}", f"{{{marks}{style}}}")
                texts = own.write(values, spelling)
                points, good = own.read(texts, spelling)
                assert good.all(), spelling
                np.testing.assert_array_equal(points, values, spelling)


@pytest.mark.parametrize("text", ["1,00,000", "(5)", "\u22125", "1,2,3", "12,", "- 5", "1.234,5,6"])
def test_other_text_is_no_number(text: str) -> None:
    assert not TYPES["number"].matching(Cells({text: 1}, from_text_file=True))


def test_thousands_that_could_be_decimals_are_told_and_can_be_overruled() -> None:
    frame = pd.DataFrame({"v": [f"1,{k:03d}" for k in range(100, 400)], "x": np.arange(300) % 7})
    assert "if decimals, number:0,5" in told("number", list(frame["v"])).remark
    codec = load(frame, Options()).codec
    decimal = load(frame, Options(type=("v=number:0,5",))).codec
    assert isinstance(codec, TableCodec)
    assert isinstance(decimal, TableCodec)
    assert codec.own["v"].range[0] >= 1100
    assert decimal.own["v"].range[1] < 2
    made = fit(frame, type=("v=number:0,5",), **QUICK).sample(50)["v"]
    assert set(made) <= set(frame["v"])


def test_types_can_be_a_mapping() -> None:
    frame = pd.DataFrame({"v": [1, 2, 3, 4] * 20, "w": ["1,5", "2,5"] * 40})
    model = fit(frame, type={"v": "category", "w": "number:0,5"}, **QUICK)
    assert {c.name: c.kind for c in model.run.codec.selectable} == {"v": "category", "w": "number"}


def test_an_example_tells_the_marks() -> None:
    assert (marks_of("1.234,5").thousands, marks_of("1.234,5").decimal) == (".", ",")
    assert (marks_of("0,5").thousands, marks_of("0,5").decimal) == ("", ",")
    assert marks_of("1,234").thousands == ","
    frame = pd.DataFrame({"v": ["1,5", "2,5"] * 20})
    with pytest.raises(InputError, match="not an example of a number"):
        load(frame, Options(type=("v=number:abc",)))


FORMATS = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%-d.%-m.%Y",
    "%-m/%-d/%Y",
    "%Y/%m/%d",
    "%d-%m-%Y",
    "%d/%m/%y",
    "%d %b %Y",
    "%-d %B %Y",
    "%d-%b-%y",
    "%B %-d, %Y",
    "%b %d, %Y",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %-I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%Y/%m/%d %H:%M",
]


@pytest.mark.parametrize("format_", FORMATS)
def test_dates_of_the_usual_forms_are_read_and_written_back(format_: str) -> None:
    texts = [day.strftime(format_) for day in DAYS]
    found = told("date", texts)
    assert found.spelling == format_
    assert not found.odd
    points, good = scale("date").read(texts, found.spelling)
    assert good.all()
    step = "D" if ":" not in format_ else "min" if format_.count(":") == 1 else "s"
    seconds = (DAYS.floor(step) - pd.Timestamp("1970-01-01")).total_seconds()
    np.testing.assert_array_equal(points, seconds)
    assert scale("date").write(points, found.spelling) == texts


@pytest.mark.parametrize(
    ("texts", "format_", "remark"),
    [
        (["13/01/2024", "02/03/2023"], "%d/%m/%Y", "day first, as in 13/01/2024"),
        (["01/13/2024", "02/03/2023"], "%m/%d/%Y", "month first, as in 01/13/2024"),
        (["01/02/2024", "01/03/2024"], "%d/%m/%Y", "always 1 taken as the day"),
        (["02/01/2024", "03/01/2024"], "%m/%d/%Y", "always 1 taken as the day"),
        (["04/02/2024", "05/03/2024"], "%d/%m/%Y", "if not, date:%m/%d/%Y"),
        (["04/02/2024 1:05 PM", "05/03/2024 2:00 AM"], "%m/%d/%Y %-I:%M %p", "if not, date:%d/%m"),
    ],
)
def test_which_of_day_and_month_comes_first_is_told(
    texts: list[str], format_: str, remark: str
) -> None:
    found = told("date", texts)
    assert found.spelling == format_
    assert remark in found.remark


TIMES = {
    "09:30 23:59 00:00": [34200, 86340, 0],
    "9:30 10:15": [34200, 36900],
    "09:30:15 23:00:01": [34215, 82801],
    "09:30:15.250 23:00:00.000": [34215.25, 82800],
    "2:30PM 12:00AM 12:01PM": [52200, 0, 43260],
}
DURATIONS = {
    "26:15:00 1:00:01": [94500, 3601],
    "100:00 99:59": [360000, 359940],
    "-1:00:00 2:00:30": [-3600, 7230],
}


@pytest.mark.parametrize(
    ("kind", "line", "seconds"),
    [("time", *own) for own in TIMES.items()] + [("duration", *own) for own in DURATIONS.items()],
)
def test_times_and_durations_are_seconds(kind: str, line: str, seconds: list[float]) -> None:
    texts = line.split(" ")
    found = told(kind, texts)
    points, good = scale(kind).read(texts, found.spelling)
    assert good.all()
    assert points.tolist() == seconds
    assert scale(kind).write(points, found.spelling) == texts


def test_a_table_for_people_comes_back_as_it_was_written(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    n = 300
    pay = rng.gamma(2, 1500, n).round(2)
    frame = pd.DataFrame(
        {
            "day": [d.strftime("%d.%m.%Y") for d in DAYS],
            "at": [f"{k // 60:02d}:{k % 60:02d}" for k in rng.integers(0, 1440, n)],
            "took": [
                f"{k // 3600}:{k // 60 % 60:02d}:{k % 60:02d}" for k in rng.integers(0, 200_000, n)
            ],
            "pay": [
                f"{v:,.2f} €".replace(",", "_").replace(".", ",").replace("_", ".") for v in pay
            ],
            "share": [f"{v:.1f}%" for v in rng.uniform(0, 100, n)],
        }
    )
    path, config = tmp_path / "rows.csv", tmp_path / "config.toml"
    frame.to_csv(path, index=False)
    config.write_text('steps = 4\nthreads = 1\n[type]\nday = "date:%d.%m.%Y"\nshare = "number"\n')
    out = str(tmp_path / "run")
    assert main(["train", str(path), "--out", out, "--config", str(config)]) == 0
    assert main(["sample", out, "-n", "400", "-o", str(tmp_path / "made.csv")]) == 0
    made = pd.read_csv(tmp_path / "made.csv", dtype=str)
    assert list(made.columns) == list(frame.columns)
    for name in frame:
        assert set(made[name]) <= set(frame[name])
        assert made[name].nunique() > 20
