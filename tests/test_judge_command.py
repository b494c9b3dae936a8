"""What judge takes and refuses, its command and its page."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from surveyor import InputError, judge
from surveyor.cli import main
from surveyor.errors import Notice
from tests.conftest import mixed, orders


def test_dates_as_text_are_dates(tmp_path: Path) -> None:
    real, made = orders(400, 1), orders(300, 2)
    text = made.assign(**{c: made[c].dt.strftime("%Y-%m-%d") for c in ("ordered", "sent")})
    swapped = made.assign(**{c: made[c].dt.strftime("%d.%m.%Y") for c in ("ordered", "sent")})
    typed = [f"{c}=date:%d.%m.%Y" for c in ("ordered", "sent")]
    found = judge(real, made, text)
    assert found[0].evaluation["w1"] == found[1].evaluation["w1"]
    real.to_csv(tmp_path / "real.csv", index=False)
    with pytest.warns(Notice, match="no cell of .*real.csv is written %d.%m.%Y"):
        other = judge(tmp_path / "real.csv", swapped, text, type=typed)
    for one in other:
        assert one.evaluation["w1"].known == pytest.approx(found[0].evaluation["w1"].known)


REAL = orders(200, 1)
X = np.random.default_rng(0).normal(size=(60, 3))
BAD: dict[str, tuple[Any, tuple[str, ...]]] = {
    "no synthetic rows": (lambda: judge(REAL), ("no synthetic data",)),
    "columns missing and more": (
        lambda: judge(REAL, REAL.drop(columns=["net", "shop"]), REAL.assign(Net=1, id=2)),
        ("synthetic 1: lacks the column 'net'", "synthetic 1: lacks the column 'shop'", "synthetic 2: has a column 'Net'", "synthetic 2: has a column 'id' that the real rows lacks; leave it out with drop id"),
    ),
    "held-out rows without a column": (
        lambda: judge(REAL, REAL, holdout=REAL.drop(columns="tax")),
        ("the rows held out: lacks the column 'tax'",),
    ),
    "numbers and dates that are words": (
        lambda: judge(REAL, REAL.assign(net="much", sent="soon")),
        ("'much' is not a valid number", "'soon' is not a valid date"),
    ),
    "dates where numbers are": (lambda: judge(REAL, REAL.assign(net=REAL["sent"])), ("column 'net' of DataFrame: holds dates",)),
    "numbers where dates are": (lambda: judge(REAL, REAL.assign(sent=REAL["net"])), ("holds numbers",)),
    "an unknown target": (lambda: judge(REAL, REAL, target="lat"), ("target lat: unknown column; did you mean 'late'?",)),
    "a constant target": (lambda: judge(REAL.assign(k=1), REAL.assign(k=1), target="k"), ("every row of the real rows has the same value",)),
    "a target dropped": (lambda: judge(REAL, REAL, target="net", drop="net"), ("also in drop",)),
    "no name of a target": (lambda: judge(REAL, REAL, target=3), ("target 3: give the name",)),  # type: ignore[arg-type]
    "no name to drop, and a target": (lambda: judge(REAL, REAL, target="net", drop=3), ("drop 3: give a string",)),  # type: ignore[arg-type]
    "everything dropped": (lambda: judge(REAL, REAL, drop=list(REAL.columns)), ("leaves no column",)),
    "an unknown column dropped": (lambda: judge(REAL, REAL, drop="nett"), ("drop nett: unknown column; did you mean 'net'",)),
    "too few rows": (lambda: judge(REAL, REAL.head(7), REAL.head(1)), ("synthetic 1: 7 rows, too few", "synthetic 2: 1 row,")),
    "several kinds": (lambda: judge(REAL, X), ("synthetic: cannot be judged by the real rows",)),
    "other shapes": (lambda: judge(X, X[:, :2], X[:, :1]), ("synthetic 1: vectors of shape (2,)", "synthetic 2: vectors of shape (1,)")),
    "a target that some arrays lack": (
        lambda: judge({"x": X, "k": np.arange(60) % 3}, X, target="k"),
        ("synthetic: lacks the target 'k'",),
    ),
    "no data": (lambda: judge(REAL, None), ("not data",)),
    "a missing file and another": (lambda: judge(REAL, "no.csv", "nor.csv"), ("no.csv: no such file", "nor.csv: no such file")),
    "too few rows a side": (lambda: judge(REAL, REAL, rows=2), ("rows 2",)),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_plain_lines(case: str) -> None:
    call, lines = BAD[case]
    with pytest.raises(InputError) as error:
        call()
    for line in lines:
        assert line in str(error.value)


def test_values_written_otherwise_are_told() -> None:
    made = REAL.assign(shop=REAL["shop"].str.upper())
    with pytest.warns(Notice, match="no value of column 'shop' is one of the real rows"):
        judge(REAL, made)


def test_fewer_than_fifty_rows_have_no_verdict() -> None:
    for real, made in ((REAL, REAL.head(40)), (REAL.head(60), orders(200, 2))):
        verdict = judge(real, made.sample(frac=1, random_state=0).assign(net=1.0)).verdict
        assert re.match(r"\d\d points are too few to judge by", verdict)


def test_rows_held_out_that_differ_from_the_real_ones_are_told() -> None:
    other = orders(500, 2).assign(net=lambda f: f["net"] + 80)
    with pytest.warns(Notice, match="differ themselves"):
        judge(orders(500, 1), orders(500, 3), holdout=other)


def test_the_same_call_gives_the_same_numbers() -> None:
    one, other = (judge(REAL, orders(150, 2), target="shop", seed=4).numbers() for _ in range(2))
    assert one == other
    assert one != judge(REAL, orders(150, 2), target="shop", seed=5).numbers()


@pytest.fixture(name="files")
def _files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "b").mkdir()
    for name, frame in {
        "real.csv": mixed(300, 1), "a.csv": mixed(200, 2), "b/a.csv": mixed(150, 3), "<i>.csv": mixed(120, 4),
    }.items():  # fmt: skip
        frame.to_csv(tmp_path / name, index=False)
    return ["real.csv", "a.csv", "b/a.csv", "<i>.csv"]


def test_the_command_prints_a_table_side_by_side(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", *files, "--target", "age"]) == 0
    out = capsys.readouterr().out
    assert "a.csv: The generated data" in out
    head, *lines = [line for line in out.splitlines() if "  " in line]
    assert head.split() == ["real", "rows", "a.csv", "b/a.csv", "<i>.csv"]
    rows = next(line for line in lines if line.startswith("Rows  "))
    assert rows.split() == ["Rows", "300", "200", "150", "120"]
    assert any(line.startswith("Usefulness: R squared of predicting age") for line in lines)
    assert "may have seen all of real.csv" in " ".join(out.split())


def test_the_page_names_every_data_set_and_escapes_it(files: list[str]) -> None:
    assert main(["judge", *files, "--html", "page.html"]) == 0
    page = Path("page.html").read_text()
    assert "3 synthetic data sets against real.csv" in page
    assert "<i>" not in page
    for section in ("Side by side", "Tests", "Columns", "&lt;i&gt;.csv beside real rows"):
        assert section in page
    before = Path("page.html").read_bytes()
    assert main(["judge", *files, "--html", "page.html"]) == 2
    assert Path("page.html").read_bytes() == before
    assert main(["judge", *files[:2], "--html", "page.html", "--overwrite"]) == 0
    assert "a.csv against real.csv" in Path("page.html").read_text()


def test_json_holds_every_figure(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", *files[:2], "--holdout", files[2], "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["real"], found["holdout"], found["rows"]) == ("real.csv", "b/a.csv", 300)
    (one,) = found["synthetic"]
    assert {"w1", "auc", "p_value", "copies", "contained"} <= {f["name"] for f in one["figures"]}
    assert one["verdict"] == judge(*files[:2], holdout=files[2]).verdict


def test_bad_input_exits_with_2_and_writes_nothing(
    files: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", *files[:2], "--target", "Age", "--html", "page.html"]) == 2
    assert "--target Age: unknown column; did you mean 'age'?" in capsys.readouterr().err
    assert main(["judge", files[0]]) == 2
    assert "give at least one data set" in capsys.readouterr().err
    assert not Path("page.html").exists()
