"""Several data sets against one, and comparisons as test cases of JUnit."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from surveyor.cli import main
from surveyor.cli.junit import junit_of
from surveyor.kinds.table.chosen import parts_by
from surveyor.kinds.table.frames import read_frame
from surveyor.ruler import Drift, drift
from surveyor.two_sample import LEVEL

ODD = 'a <b> & "c"\x01\ufffe]]>'


def month(n: int, seed: int, warmer: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng([seed, 8])
    return pd.DataFrame(
        {
            "warmth": rng.normal(size=n) + warmer,
            "rain": rng.exponential(size=n),
            "wind": rng.choice(["north", "west"], n),
        }
    )


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with months, of which the third is warmer, and a reference of the first."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "months").mkdir()
    for k, name in enumerate(("january", "february", "march")):
        month(300, k, 2.0 * (k == 2)).to_csv(f"months/{name}.csv", index=False)
    (tmp_path / "months" / "notes.txt").write_text("no table")
    (tmp_path / "months" / ".hidden.csv").write_text("no,table")
    assert main(["reference", "months/january.csv", "-o", "january.ref"]) == 0
    return tmp_path


FEBRUARY, MARCH = "months/february.csv", "months/march.csv"


@pytest.mark.parametrize("first", ["months/january.csv", "january.ref"])
def test_each_file_has_a_row_of_its_own(
    first: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["distance", first, FEBRUARY, MARCH]) == 0
    said = capsys.readouterr().out
    rows = {line.split()[0]: line for line in said.splitlines() if ".csv  " in line}
    assert "no difference seen" in rows["february.csv"]
    assert "differs: the column warmth" in rows["march.csv"]
    assert "of 100 that do not differ" in " ".join(said.split())
    assert ("W1 from" in said) == (first != "january.ref")
    assert said.count("A reference holds no rows") == (first == "january.ref")


def test_a_folder_stands_for_its_tables_but_for_the_first_set_itself(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["distance", "months/january.csv", "months", "--json"]) == 0
    said = capsys.readouterr()
    assert [s["name"] for s in json.loads(said.out)["sets"]] == ["february.csv", "march.csv"]
    assert "months/january.csv: is in months as well, and not compared with itself" in said.err
    assert main(["distance", "january.ref", "months", "--json"]) == 0
    names = [s["name"] for s in json.loads(capsys.readouterr().out)["sets"]]
    assert names == ["february.csv", "january.csv", "march.csv"]


def test_the_numbers_are_those_of_each_file_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = []
    for name in (FEBRUARY, MARCH):
        capsys.readouterr()
        assert main(["distance", "months/january.csv", name, "--json"]) == 0
        alone.append(json.loads(capsys.readouterr().out))
    assert main(["distance", "months/january.csv", FEBRUARY, MARCH, "--json"]) == 0
    together = json.loads(capsys.readouterr().out)["sets"]
    assert [s.pop("name") for s in together] == ["february.csv", "march.csv"]
    assert together == alone


def test_one_file_above_the_limit_is_enough(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["distance", "months/january.csv", FEBRUARY, MARCH, "--fail-above"]
    assert main([*words, "0.5"]) == 3
    said = capsys.readouterr().err
    assert "march.csv: W1 is at least" in said
    assert "february.csv: W1" not in said
    assert main([*words, "9"]) == 0


def test_every_file_that_cannot_be_compared_is_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    month(60, 1).rename(columns={"rain": "snow"}).to_csv("snow.csv", index=False)
    month(20, 1).to_csv("few.csv", index=False)
    capsys.readouterr()
    assert main(["distance", "january.ref", FEBRUARY, "snow.csv", "few.csv", "no.csv"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert all(f"{name}.csv" in said.err for name in ("snow", "few", "no"))
    assert "february" not in said.err


REFUSED = {
    "no second set": (["january.ref"], "give a second data set"),
    "a page of several": (["months/january.csv", "months", "--html", "x.html"], "a page shows two sets"),
    "an empty folder": (["january.ref", "empty"], "empty: no tables in this folder; known: .csv"),
    "another format": (["january.ref", FEBRUARY, "--junit", "x.json"], "--junit x.json: unknown format; known: .xml"),
    "a second reference": (["january.ref", FEBRUARY, "january.ref"], "give it first"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_several_asked_for_wrongly(
    what: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "empty").mkdir()
    words, says = REFUSED[what]
    assert main(["distance", *words]) == 2
    assert says in capsys.readouterr().err
    assert not [p for p in place.iterdir() if p.name.startswith("x.")]


def test_files_of_one_name_are_told_apart(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "later").mkdir()
    month(80, 9).to_csv("later/march.csv", index=False)
    capsys.readouterr()
    assert main(["distance", "january.ref", MARCH, "later/march.csv", "--json"]) == 0
    names = [s["name"] for s in json.loads(capsys.readouterr().out)["sets"]]
    assert names == [MARCH, "later/march.csv"]


def test_cases_are_tests_and_columns_and_fail_where_a_difference_is_proven(place: Path) -> None:
    words = ["distance", "months/january.csv", FEBRUARY, MARCH, "--fail-above", "0.5"]
    assert main([*words, "--junit", "found.xml"]) == 3
    root = ElementTree.parse("found.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    for suite in suites.values():
        names = [case.get("name", "") for case in suite.iter("testcase")]
        assert {"column: warmth", "column: rain", "column: wind", "W1"} <= set(names)
        assert {n for n in names if n.startswith("test: ")} >= {"test: columns", "test: energy"}
        assert suite.get("tests") == str(len(names))
        assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    failed = [c.get("name") for c in suites["march.csv"] if c.find("failure") is not None]
    assert {"column: warmth", "test: columns", "W1"} <= set(failed)
    assert "column: wind" not in failed
    assert not suites["february.csv"].findall("testcase/failure")
    total = sum(int(suite.get("tests", 0)) for suite in suites.values())
    assert (root.get("tests"), root.get("failures")) == (str(total), str(len(failed)))
    before = (place / "found.xml").read_bytes()
    assert main([*words, "--junit", "found.xml"]) == 2
    assert (place / "found.xml").read_bytes() == before


def test_any_test_fails_just_where_the_verdict_is_a_difference() -> None:
    seen = set()
    for seed, warmer in enumerate([0.0, 0.1, 0.2, 0.25, 0.3, 0.4]):
        found = drift(month(150, seed), month(150, seed + 50, warmer))
        root = ElementTree.fromstring(junit_of({"x": found}, None))
        proven = found.comparison.p_value <= LEVEL
        tests = [c for c in root.iter("testcase") if c.get("name", "").startswith("test: ")]
        assert any(c.find("failure") is not None for c in tests) == proven
        seen.add(proven)
    assert seen == {True, False}


def test_any_name_is_escaped_and_parsed_again() -> None:
    first, second = (month(100, k, k).rename(columns={"warmth": ODD}) for k in (0, 3))
    found = drift(first, second)
    assert isinstance(found, Drift)
    content = junit_of({ODD: found, "few": "20 rows"}, None)
    root = ElementTree.fromstring(content)
    shown = 'a <b> & "c"\\x01\\ufffe]]>'
    assert root[0].get("name") == shown
    assert f"column: {shown}" in [case.get("name") for case in root.iter("testcase")]
    (skipped,) = root[1]
    assert skipped.find("skipped") is not None
    assert root.get("skipped") == "1"


def test_a_folder_of_pictures_stays_one_data_set(place: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("one", "two"):
        (place / name).mkdir()
        for k in range(10):
            pixels = rng.integers(0, 255, (8, 8), dtype=np.uint8)
            Image.fromarray(pixels).save(place / name / f"{k}.png")
    assert main(["distance", "one", "two"]) == 0


def stations(n: int, seed: int) -> pd.DataFrame:
    """Return months of several stations, of which "2" is warmer, and "10" has few rows."""
    rng = np.random.default_rng([seed, 9])
    station = rng.choice(np.array(["2", "10", "3", None]), n, p=[0.3, 0.05, 0.4, 0.25])
    return month(n, seed).assign(station=station, warmth=rng.normal(size=n) + (station == "2"))


@pytest.mark.parametrize("first", ["months/january.csv", "january.ref", "all.csv"])
def test_each_value_of_a_column_is_compared_in_turn(
    first: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stations(600, 1).to_csv("stations.csv", index=False)
    month(300, 0).assign(station="2").to_csv("all.csv", index=False)
    capsys.readouterr()
    words = ["distance", first, "stations.csv", "--by", "station"]
    assert main([*words, "--json", "--junit", "x.xml"]) == 0
    sets = {s["name"]: s for s in json.loads(capsys.readouterr().out)["sets"]}
    assert [*sets] == [f"station = {v}" for v in ("2", "3", "10", "missing")]
    assert sets["station = 2"]["p_value"] < 0.001
    assert min(sets[f"station = {v}"]["p_value"] for v in ("3", "missing")) > 0.01
    few = (stations(600, 1)["station"] == "10").sum()
    assert sets["station = 10"]["note"].startswith(f"{few} rows, too few for a verdict")
    assert "p_value" not in sets["station = 10"]
    assert {c["name"] for c in sets["station = 3"]["columns"]} == {"warmth", "rain", "wind"}
    root = ElementTree.parse("x.xml").getroot()
    assert (len(root), root.get("skipped")) == (4, "1")
    assert main(words) == 0
    assert f"{few} rows, too few for a verdict" in capsys.readouterr().out


def test_a_part_has_the_rows_of_its_value_and_their_places_in_the_file(tmp_path: Path) -> None:
    rows = stations(500, 2)
    rows.to_parquet(tmp_path / "x.parquet", row_group_size=90)
    for source in (rows, tmp_path / "x.parquet"):
        parts = parts_by(read_frame(source), "station")
        assert sum(map(len, parts.values())) == 500
        for value, part in parts.items():
            own = rows["station"].isna() if value == "missing" else rows["station"] == value
            found = pd.concat(list(part.chunks()))["rain"]
            assert found.tolist() == rows.loc[own, "rain"].tolist()
            assert len(part) == own.sum()
            assert part.locate(1) == f"row {np.flatnonzero(own)[1]}"


WRONG_BY = {
    "no such column": (["stations.csv", "--by", "statoin"], "--by statoin: unknown column; did you mean 'station'?"),
    "too many values": (["stations.csv", "--by", "rain"], "--by rain: 200 values; give a column with at most 50"),
    "several files": (["stations.csv", FEBRUARY, "--by", "station"], "--by: splits one data set"),
    "no table": (["points.npy", "--by", "station"], "--by: only for tables"),
    "a page": (["stations.csv", "--by", "station", "--html", "x.html"], "a page shows two sets"),
    "other columns": (["snow.csv", "--by", "station"], "'rain'"),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG_BY)
def test_parts_asked_for_wrongly(
    what: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stations(200, 1).to_csv("stations.csv", index=False)
    stations(300, 1).drop(columns="rain").to_csv("snow.csv", index=False)
    np.save("points.npy", np.zeros((60, 3)) + np.arange(60)[:, None])
    words, says = WRONG_BY[what]
    capsys.readouterr()
    assert main(["distance", "months/january.csv", *words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert len([line for line in said.splitlines() if "note:" not in line]) == 1
