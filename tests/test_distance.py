"""Two data sets compared: what moved is named, by drift and by the command."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from surveyor.cli import main
from surveyor.data.fitting import fit_column
from surveyor.kinds.table.frames import AT_ONCE
from surveyor.ruler import drift
from surveyor.ruler.moved import columns_moved
from tests.conftest import gaussian, mixed


def test_the_moved_column_and_the_moved_row_are_named() -> None:
    a, b = mixed(300), mixed(300, seed=3)
    b["age"] += 40
    found = drift(a, b)
    assert found.columns[0].name == "age"
    assert found.columns[0].distance == pytest.approx(40, abs=3)
    assert "mean +" in found.columns[0].change
    points = gaussian(200, 2)
    points[17] = 50
    row = drift(points, gaussian(200, 2, seed=1)).rows[0]
    assert row.row == 17
    assert row.values == {"x0": "50", "x1": "50"}
    assert row.distance > 60


@pytest.mark.parametrize("turned", [False, True])
def test_how_far_rows_have_to_go_does_not_depend_on_the_order_of_a_file(turned: bool) -> None:
    """More rows than transport takes at once, equal sets, one of them sorted: all go a short way."""
    a, b = gaussian(1500, 2), gaussian(1500, 2, seed=1)
    b = b[np.argsort(b[:, 0])]
    found = drift(*((b, a) if turned else (a, b)), limit=300)
    # Unsorted: 1.2 to 1.9 over ten seeds. A sorted file's first 300 rows are all at one side: 4.
    assert found.rows[0].distance < 2.5


def test_a_category_on_one_side_only_is_counted() -> None:
    a, b = mixed(200), mixed(200, seed=1)
    b.loc[b.index[:60], "town"] = "Atlantis"
    town = next(m for m in drift(a, b).columns if m.name == "town")
    assert "1 values only in the second set" in town.change


def test_the_labels_that_moved_most_come_first() -> None:
    a, b = (
        pd.DataFrame({"c": np.repeat(list("pqrst"), counts)})
        for counts in ([200, 200, 200, 200, 200], [190, 195, 200, 340, 75])
    )
    (moved,) = columns_moved((fit_column("c", a["c"]),), a, b)
    assert moved.change == "s +14.0 points, t -12.5 points, p -1.0 points"
    assert moved.distance == pytest.approx(0.14)


def test_dates_and_missing_values_speak_in_words() -> None:
    a, b = mixed(400), mixed(400, seed=1)
    b["joined"] += pd.Timedelta(days=300)
    b.loc[b.index[:200], "income"] = np.nan
    moved = {m.name: m for m in drift(a, b).columns}
    assert "days" in moved["joined"].described[0]
    assert "missing" in moved["income"].change


@pytest.fixture
def two(tmp_path: Path) -> tuple[str, str]:
    rename = {"age": "<script>alert(1)</script>"}
    mixed(120).rename(columns=rename).to_csv(tmp_path / "a.csv", index=False)
    moved = mixed(120, seed=1)
    moved["age"] += 200
    moved.rename(columns=rename).to_csv(tmp_path / "b.csv", index=False)
    return str(tmp_path / "a.csv"), str(tmp_path / "b.csv")


def test_a_pipeline_fails_above_its_limit(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distance", *two, "--fail-above", "0.001", "--json"]) == 3
    said = capsys.readouterr()
    numbers = json.loads(said.out)
    assert numbers["low"] <= numbers["high"]
    assert numbers["columns"][0]["name"] == "<script>alert(1)</script>"
    assert f"at least {numbers['low']:.4g}, above the limit of 0.001" in said.err
    assert main(["distance", *two, "--fail-above", "1e9"]) == 0


def test_a_pipeline_does_not_fail_on_equal_sets_whose_samples_lie_far_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sides = {"a": (0.0, 1), "b": (0.0, 2), "moved": (6.0, 3)}
    for name, (shift, seed) in sides.items():
        np.save(tmp_path / f"{name}.npy", gaussian(400, 20, shift, seed))
    a, b, moved = (str(tmp_path / f"{name}.npy") for name in sides)
    assert main(["distance", a, b, "--fail-above", "1", "--json"]) == 0
    numbers = json.loads(capsys.readouterr().out)
    assert numbers["value"] > 3  # what a rule on the samples' W1 would fail for
    assert numbers["low"] == 0
    assert main(["distance", a, moved, "--fail-above", "1"]) == 3
    assert "above the limit of 1" in capsys.readouterr().err


def test_a_limit_needs_a_lower_end(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distance", *two, "--fail-above", "1", "--method", "sliced"]) == 2
    assert "--method exact" in capsys.readouterr().err


def test_the_page_of_a_comparison_is_whole_and_escaped(
    two: tuple[str, str], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    assert main(["distance", *two, "--html", str(page)]) == 0
    text = page.read_text()
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    assert "http://" not in text.replace("http://www.w3.org", "")
    assert main(["distance", *two, "--html", str(page)]) == 2
    assert main(["distance", *two, "--html", str(page), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--fail-above", "-1"], "give a number of at least 0"),
        (["--method", "exakt"], "known: auto, exact"),
        (["--steps", "0"], "give at least 1"),
        (["--html", "page.pdf"], "--html page.pdf: unknown format"),
    ],
)
def test_distances_asked_for_wrongly(
    words: list[str], message: str, two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distance", *two, *words]) == 2
    assert message in capsys.readouterr().err


def test_pictures_and_plane_vectors_have_their_own_pages(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 17, (40, 8, 8)).astype(np.uint8)
    for name, (a, b) in {
        "pictures": (pictures, pictures[::-1]),
        "plane": (gaussian(100, 2), gaussian(100, 2, 1.0, seed=1)),
    }.items():
        for side, values in (("a", a), ("b", b)):
            np.save(tmp_path / f"{name}-{side}.npy", values)
        page = tmp_path / f"{name}.html"
        files = [str(tmp_path / f"{name}-{side}.npy") for side in "ab"]
        assert main(["distance", *files, "--html", str(page)]) == 0
        assert page.read_text().count("data:image") >= 2
        assert ("The arrows point down its slope" in page.read_text()) == (name == "plane")


def test_sliced_has_no_bracket_and_json_no_infinity(
    two: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["distance", *two, "--method", "sliced", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["high"] is None


def test_rows_of_a_file_read_in_several_parts_are_compared(tmp_path: Path) -> None:
    """The two files are read in three parts each, and rows are drawn from all of them."""
    n = 2 * AT_ONCE + 500
    for name, shift in (("a", 0.0), ("b", 0.1)):
        x = gaussian(n, 1, shift, seed=ord(name))[:, 0]
        pd.DataFrame({"x": x, "y": x % 1}).to_parquet(tmp_path / f"{name}.parquet", index=False)
    first, second = (str(tmp_path / f"{name}.parquet") for name in "ab")
    moved = {column.name: column.p_value for column in drift(first, second, limit=64).columns}
    assert moved["x"] == pytest.approx(0, abs=1e-6)
