"""The published figures: where each comes from, and whether the code it measures has changed since."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import benchmarks
import pytest
from benchmarks import bytes as same_bytes
from benchmarks import common, known, origin, summary
from benchmarks.summary import sections, written

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "results.md").read_text()
RESULTS = sorted((ROOT / "benchmarks" / "results").glob("*.json"))
ASKED = {"pairs": "benchmarks.pairs --seeds 1 2 3"}  # where the page names another command


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small package in place of the real one: a benchmark ``own`` and two rooms."""
    code = tmp_path / "src" / "surveyor"
    for room in ("training", "cli"):
        (code / room).mkdir(parents=True)
        (code / room / "part.py").write_text(
            '"""A part."""\n\n\ndef half(x):\n    """Halve."""\n    return x / 2\n'
        )
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "own.py").write_text("STEPS = 3\n")
    monkeypatch.setattr(origin, "ROOT", tmp_path)
    monkeypatch.setattr(origin, "CODE", code)
    monkeypatch.setattr(origin, "RUNS", ("training",))
    return tmp_path


def code(name: str = "own") -> str:
    return origin.code.__wrapped__(name)


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ('"""Other words."""\n\ndef half( x ):  # a comment\n    return (x / 2)\n', True),
        ('"""A part."""\n\n\ndef half(x):\n    """Halve."""\n    return x / 3\n', False),
        ('"""A part."""\n\n\ndef half(x):\n    """Halve."""\n    return x * 2\n', False),
        ('"""A part."""\n\n\ndef half(y):\n    """Halve."""\n    return x / 2\n', False),
        ('"""A part."""\n\n\ndef half(x):\n    """Halve."""\n    "a"\n    return x / 2\n', False),
    ],
)  # fmt: skip
def test_code_is_the_same_in_other_words_and_lines_alone(
    package: Path, text: str, same: bool
) -> None:
    before = code()
    (package / "src" / "surveyor" / "training" / "part.py").write_text(text)
    assert (code() == before) is same


def test_a_benchmark_depends_on_itself_and_its_rooms_alone(package: Path) -> None:
    before = code()
    (package / "src" / "surveyor" / "cli" / "part.py").write_text("LOUD = True\n")
    assert code() == before
    (package / "benchmarks" / "own.py").write_text("STEPS = 4\n")
    changed = code()
    assert changed != before
    (package / "src" / "surveyor" / "training" / "more.py").write_text("")
    assert code() != changed


SAID = """
from benchmarks.page import Found, Section

def section(found: Found) -> str:
    return "**Own**"

SECTION = Section(10, section)
"""


def test_what_a_benchmark_says_of_its_figures_makes_none_of_them_older(package: Path) -> None:
    before, own = code(), package / "benchmarks" / "own.py"
    own.write_text("STEPS = 3\n" + SAID)
    assert code() == before
    own.write_text("STEPS = 3\n" + SAID.replace("def section", "def halved"))
    assert code() != before
    own.write_text("STEPS = 3\n")
    (package / "src" / "surveyor" / "training" / "part.py").write_text(SAID)
    changed = code()
    (package / "src" / "surveyor" / "training" / "part.py").write_text(SAID.replace("Own", "Other"))
    assert changed != code()


def test_the_rooms_that_figures_depend_on_exist() -> None:
    for rooms in (*origin.DEPENDS.values(), origin.RUNS):
        assert all((origin.CODE / room).exists() for room in rooms)
    assert {"training", "data", "batch.py", "run"} <= set(origin.RUNS)


def stamp(commit: str, code: str, date: str = "2026-11-25") -> dict[str, str]:
    return {"commit": commit, "date": date, "code": code}


def test_figures_older_than_their_code_are_marked_with_their_commits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(origin, "code", lambda name: "now")
    new, old, older = stamp("c", "now"), stamp("b", "then"), stamp("a", "before", "2026-11-22")
    assert origin.remark("own", {"measured": new}) == ""
    assert origin.remark("own", {"measured": new, "runs": [{"seed": 1}, {"measured": new}]}) == ""
    assert (
        origin.remark("own", {"measured": old})
        == "*Measured at b (2026-11-25); the code has changed since.*"
    )
    both = origin.remark("own", {"measured": old, "runs": [{"measured": older}, {"seed": 2}]})
    assert both == "*Measured at a (2026-11-22); b (2026-11-25); the code has changed since.*"
    mixed = origin.remark("own", {"measured": new, "runs": [{"measured": older}]})
    assert mixed.startswith("*In part measured at a (2026-11-22);")


def test_the_mark_stands_below_its_section(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "benchmarks.summary.remark", lambda name, found: f"*{name} is old*" * (name == "known")
    )
    parts = written().split("\n\n**")
    (marked,) = [s for s in parts if s.startswith("Distances in closed form")]
    assert marked.endswith("\n\n*known is old*")
    assert sum("is old" in s for s in parts) == 1


def test_results_keep_commit_date_machine_and_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path)
    monkeypatch.setattr(origin, "code", lambda name: "now")
    common.write("own", {"runs": [{"seed": 2, "w1": 0.5}, {"seed": 1, "w1": 0.25}]})
    first = json.loads((tmp_path / "own.json").read_text())
    assert first["seeds"] == [1, 2]
    assert set(first["measured"]) == {"commit", "date", "code", "machine"}
    runs = common.merged("own", [{"seed": 3, "w1": 1.0}, {"seed": 1, "w1": 0.75}], "seed")
    assert {r["seed"]: r["w1"] for r in runs} == {1: 0.75, 2: 0.5, 3: 1.0}
    assert {r["seed"]: r.get("measured") for r in runs} == {1: None, 2: first["measured"], 3: None}


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_every_figure_says_where_it_comes_from(path: Path) -> None:
    found = json.loads(path.read_text())
    runs = found["runs"] if isinstance(found.get("runs"), list) else []
    for told in (found["measured"], *(r["measured"] for r in runs if "measured" in r)):
        assert told["commit"]
        assert told["date"].startswith("20")
        assert told["machine"]["processor"]
    assert found["seeds"]
    assert {r["seed"] for r in runs if "seed" in r} <= set(found["seeds"])


def test_every_result_has_a_section_on_the_page() -> None:
    assert {"modes", "tables", "ruler"} <= {path.stem for path in RESULTS}
    assert {path.stem for path in RESULTS} <= set(sections())
    for path in RESULTS:
        heading = sections()[path.stem].text(json.loads(path.read_text())).split("**")[1]
        assert f"**{heading}**" in PAGE


ADDED = """
from benchmarks.page import Found, Row, Section

def section(found: Found) -> str:
    return f"**Added** {found['w1']}."

def headline(found: Found, beside: Found) -> list[str]:
    return ["added", str(found["w1"]), str(beside["w1"])]

SECTION = Section(5, section, Row(1, headline, beside=("other",)))
"""


def test_a_benchmark_is_added_with_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "added.py").write_text(ADDED)
    (tmp_path / "other.py").write_text(
        ADDED.replace("Added", "Other").split("SECTION")[0] + "SECTION = Section(4, section)\n"
    )
    (tmp_path / "helper.py").write_text("SECTION = 'none'\n")
    monkeypatch.setattr(benchmarks, "__path__", [str(tmp_path)])
    monkeypatch.setattr(summary, "RESULTS", tmp_path)
    monkeypatch.setattr(summary, "remark", lambda name, found: "*old*" * (name == "other"))
    (tmp_path / "added.json").write_text('{"w1": 0.5}')
    assert list(sections()) == ["other", "added"]
    assert written() == "**Added** 0.5.\n"
    (tmp_path / "other.json").write_text('{"w1": 0.25}')
    assert written() == "**Other** 0.25.\n\n*old*\n\n**Added** 0.5.\n"
    assert "| added | 0.5 | 0.25 |\n\n*The code has changed since these were measured: other.*" in (
        summary.first()
    )


@pytest.mark.parametrize("name", sections())
def test_what_a_benchmark_says_stands_in_its_file_under_names_that_are_not_hashed(
    name: str,
) -> None:
    found = sections()[name]
    for part in (found.text, *([found.row.cells] if found.row else [])):
        assert part.__module__ == f"benchmarks.{name}"
        assert part.__name__ in origin.SAYS


def test_sections_are_found_without_data_or_what_benchmarks_compare_with(tmp_path: Path) -> None:
    peers = ("jax", "optax", "deel", "dp_accounting", "efficientnet_lite_pytorch")
    script = (
        f"import sys; sys.modules.update(dict.fromkeys({peers}))\n"
        "from benchmarks.summary import sections; print(*sections())"
    )
    place = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"SURVEYOR_DATA": str(tmp_path / "none"), "PYTHONPATH": place},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == list(sections())
    assert not list(tmp_path.iterdir())


def asked(name: str) -> Any:
    """Return the seeds that the benchmark takes where none are given."""
    for call in ast.walk(ast.parse((ROOT / "benchmarks" / f"{name}.py").read_text())):
        if isinstance(call, ast.Call) and call.args and ast.unparse(call.args[0]) == "'--seeds'":
            return ast.literal_eval(next(k.value for k in call.keywords if k.arg == "default"))
    return None


@pytest.mark.parametrize("path", RESULTS, ids=lambda p: p.stem)
def test_what_the_named_command_runs_is_what_stands_there(path: Path) -> None:
    seeds = asked(path.stem)
    found = json.loads(path.read_text())["seeds"]
    if path.stem in ASKED:
        assert ASKED[path.stem] in PAGE
        seeds = [int(word) for word in ASKED[path.stem].split() if word.isdigit()]
    if path.stem == "smalltables":  # whose smallest table is learnt from ten times
        seeds = range(1, 11)
    assert seeds is None or set(seeds) == set(found)


def test_a_kind_whose_files_differ_is_named() -> None:
    runs: dict[str, Any] = {"vectors": {"different": []}, "table": {"different": ["a.json", "b"]}}
    text = same_bytes.section({"runs": runs})
    assert "all files equal for vectors" in text
    assert "table: a.json, b differ" in text
    assert "all files equal" not in same_bytes.section({"runs": {"table": runs["table"]}})


def test_a_known_distance_names_the_critic_that_found_it() -> None:
    run = {"name": "two points", "w1": 2.0, "steps": 8, "batch": 16}
    ruler, trained = {"value": 2.0, "critic": "Cones"}, {"value": 1.5, "critic": "Folds"}
    assert known.section({"runs": [run | ruler | {"trained": trained}]}).endswith(
        "| two points | 2.0000 | 8 x 16 | 2.0000 | +0.00% | Cones | 1.5000 | -25.00% | Folds |"
    )
    assert "Which of them it was is not recorded" in known.section({"runs": [run | {"value": 2.0}]})
