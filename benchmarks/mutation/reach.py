"""Which tests reach which lines, and how long they take."""

from __future__ import annotations

import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import coverage
import pytest

from benchmarks.common import console
from benchmarks.mutation.faults import short
from benchmarks.mutation.processes import PLACE, side_by_side, tested
from benchmarks.origin import CODE, ROOMS, ROOT

Reach = dict[str, dict[str, Any]]


class Watched:
    """A plugin that notes the lines and the seconds of every test, fixtures' beside them."""

    def __init__(self, measured: coverage.Coverage) -> None:
        self.measured, self.context = measured, [""]
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self.uses: dict[str, list[str]] = {}

    def _enter(self, name: str) -> None:
        self.context.append(name)
        self.measured.switch_context(name)

    def _leave(self) -> None:
        self.context.pop()
        self.measured.switch_context(self.context[-1])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """Note a test."""
        begun = _seconds()
        self._enter(item.nodeid)
        self.uses[item.nodeid] = list(getattr(item, "fixturenames", ()))
        result = yield
        self._leave()
        self.seconds[item.nodeid] = _seconds() - begun
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Any:
        """Note a fixture that several tests share, by its own name."""
        if fixturedef.scope == "function":
            return (yield)
        self._enter(f"fixture {fixturedef.argname}")
        try:
            return (yield)
        finally:
            self._leave()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that does not pass."""
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def watch(test: str, target: Path, place: Path) -> int:
    """Run a file of tests and write to ``target`` what each of them reaches."""
    measured = coverage.Coverage(data_file=None, include=[f"{CODE}/*"])
    measured.start()
    plugin = Watched(measured)
    tested([f"--basetemp={place / 'tmp'}", test], plugin, ROOT / "src")
    measured.stop()
    data, reached = measured.get_data(), {}
    contexts: dict[str, dict[str, list[int]]] = {}
    for path in data.measured_files():
        name = Path(path).relative_to(CODE).as_posix()
        for line, names in data.contexts_by_lineno(path).items():
            for context in names:
                contexts.setdefault(context, {}).setdefault(name, []).append(line)
    for test_id, seconds in plugin.seconds.items():
        lines = dict(contexts.get(test_id, {}))
        for fixture in plugin.uses[test_id]:
            for name, more in contexts.get(f"fixture {fixture}", {}).items():
                lines[name] = lines.get(name, []) + more
        kept = {n: sorted(set(found)) for n, found in lines.items() if n.startswith(ROOMS)}
        failed = test_id in plugin.failed
        reached[test_id] = {"seconds": round(seconds, 3), "failed": failed, "lines": kept}
    target.write_text(json.dumps(reached))
    return 0


def _seconds() -> float:
    """Return the seconds that processors have spent on this process and those it waited for."""
    return sum(os.times()[:4])


def reached(tests: Sequence[str]) -> Reach:
    """Return what every test reaches; files of tests are watched anew where something changed."""
    code = "".join(short(p.read_text()) for p in sorted(CODE.rglob("*.py")))
    helpers = (p for p in sorted((ROOT / "tests").rglob("*.py")) if "test_" not in p.name)
    shared = short(code + "".join(p.read_text() for p in helpers))
    targets = {t: PLACE / f"{short(shared + t + (ROOT / t).read_text())}.json" for t in tests}

    def told(test: str) -> Callable[[int, Path, float], None]:
        def done(status: int, place: Path, seconds: float) -> None:
            if status or not targets[test].exists():
                sys.exit(f"{test}: cannot be watched\n{(place / 'log').read_text()[-2000:]}")
            console.print(f"{seconds:6.0f} s  {test}", highlight=False)

        return done

    fresh = [t for t in tests if not targets[t].exists()]
    # The longest first, so that two processes end together.
    fresh.sort(key=lambda t: -(ROOT / t).stat().st_size)
    side_by_side([(functools.partial(watch, t, targets[t]), told(t)) for t in fresh])
    found: Reach = {}
    for target in targets.values():
        found |= json.loads(target.read_text())
    for told_of in found.values():
        told_of["lines"] = {name: set(lines) for name, lines in told_of["lines"].items()}
    return found
