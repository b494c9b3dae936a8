"""What `make mutants` is made of: the faults it makes, the tests it picks, the verdicts it gives."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from benchmarks import mutants
from benchmarks.mutation import processes
from benchmarks.mutation.faults import Mutant, mutants_in

pytestmark = pytest.mark.filterwarnings("ignore:This process .* is multi-threaded")

SOURCE = '''"""Words of a module."""

LIMIT = 3 + 4


@cached
def half(x: float, by: int = 2) -> float:
    """Return a half."""
    for word, more in (
        ("one", 1),
        ("two", 2),
    ):
        x += more
    if x > LIMIT:
        raise ValueError("give less than this")
    return (
        x
        / by
    )


def rest(x: float) -> float:
    return x - 1
'''


def changes(source: str = SOURCE) -> dict[str, Mutant]:
    found = {}
    for mutant in mutants_in(source, "a.py"):
        removed, added = (
            [line[1:].strip() for line in mutant.diff.splitlines() if line[0] == c] for c in "-+"
        )
        found[f"{' '.join(removed)} -> {' '.join(added)}"] = mutant
    return found


def test_faults_are_those_of_functions_alone() -> None:
    found = changes()
    assert {"x += more -> x -= more", "if x > LIMIT: -> if x >= LIMIT:", "x / by -> x * by"} <= set(
        found
    )
    assert "return x - 1 -> return x + 1" in found
    assert '("one", 1), -> ("one", 2),' in found
    for text in (text.split(" -> ")[1] for text in found):
        # Neither what runs when the module is read, nor docstrings, defaults and messages.
        assert not any(word in text for word in ("LIMIT = ", "cached", "Return", "by: int", "less"))


def test_a_fault_is_reached_with_its_statement_or_its_statements_head() -> None:
    found = changes()
    assert found["x / by -> x * by"].lines == range(16, 20)
    assert found['("one", 1), -> ("one", 2),'].lines == range(9, 13)
    assert found["if x > LIMIT: -> if x >= LIMIT:"].lines == range(14, 15)


def test_a_change_elsewhere_leaves_a_mutant_its_place_in_the_sample() -> None:
    own = {text: m.key for text, m in changes().items()}
    moved = {text: m.key for text, m in changes(SOURCE.replace("x - 1", "(x - 1) * 3")).items()}
    assert own["x / by -> x * by"] == moved["x / by -> x * by"]
    assert len(set(own.values())) == len(own)


def reach(seconds: float, lines: dict[str, set[int]], failed: bool = False) -> dict[str, Any]:
    return {"seconds": seconds, "failed": failed, "lines": lines}


def test_the_tests_that_reach_a_line_are_chosen_the_quick_ones_first() -> None:
    told = {
        "tests/test_b.py::slow": reach(9.0, {"a.py": {16}}),
        "tests/test_a.py::quick": reach(0.2, {"a.py": {19}}),
        "tests/test_b.py::quick": reach(0.1, {"a.py": {17, 40}}),
        "tests/test_a.py::other": reach(0.1, {"a.py": {40}, "b.py": {16}}),
        "tests/test_a.py::broken": reach(0.1, {"a.py": {16}}, failed=True),
        "tests/test_b.py::too long": reach(mutants.MOST, {"a.py": {16}}),
    }
    own = mutants.chosen(changes()["x / by -> x * by"], told)
    assert list(own) == [
        "tests/test_a.py::quick",
        "tests/test_b.py::quick",
        "tests/test_b.py::slow",
    ]
    assert own["tests/test_b.py::slow"] == 9


def test_the_seconds_of_a_test_and_its_outcome_decide_the_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PLACE", tmp_path)
    mutant, found = changes()["return x - 1 -> return x + 1"], []

    def slow(place: Path) -> int:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        while True:
            time.sleep(1)

    def failing(place: Path) -> int:
        (place / "by").write_text("tests/test_a.py::quick")
        return 1

    def crash(place: Path) -> int:
        os.kill(os.getpid(), signal.SIGKILL)
        return 0

    works = {
        "late": slow,
        "failed": failing,
        "crashed": crash,
        "passed": lambda p: 0,
        "none": lambda p: 5,
    }
    for work in works.values():

        def done(status: int, place: Path, seconds: float) -> None:
            found.append(mutants.judged(mutant, 3, status, place, seconds))

        processes.side_by_side([(work, done)])
    verdicts = dict(zip(works, [r["verdict"] for r in found], strict=True))
    assert verdicts == {
        "late": "timeout", "failed": "killed", "crashed": "killed", "passed": "survived", "none": "survived",
    }  # fmt: skip
    assert found[1]["by"] == "tests/test_a.py::quick"
    assert found[0]["where"] == "a.py:23"
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_breaks_itself_is_no_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "PLACE", tmp_path)

    def broken(place: Path) -> int:
        raise RuntimeError("no tree")

    def done(status: int, place: Path, seconds: float) -> None:
        mutants.judged(changes()["x / by -> x * by"], 1, status, place, seconds)

    with pytest.raises(SystemExit, match="no tree"):
        processes.side_by_side([(broken, done)])
