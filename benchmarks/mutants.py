"""Mutants: single faults put into the code, one at a time, and whether the tests notice.

The faults are mutmut's: an operator swapped, an argument dropped, a number one up. A seeded sample
of them is drawn from the rooms that compute; each runs the tests that reach its line, the quick
ones first, until one fails. Messages, whose strings hold blanks, are left as they are.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import coverage
import pytest

from benchmarks.common import RESULTS, console, write
from benchmarks.faults import ROOMS, Mutant, sample, short
from benchmarks.origin import CODE, ROOT

ELSEWHERE = {"training/ranks.py": "tests/test_ranks.py"}  # what runs in processes of its own
SKIPPED = ("tests/test_claims.py", "tests/test_readme.py", "tests/test_architecture.py")
QUICK = 0.5  # seconds: tests below it come first
MOST = 150.0  # seconds of tests that one mutant may take, as the code without faults takes them
KILLED, SURVIVED, LATE = "killed", "survived", "timeout"
PLACE = ROOT / ".mutants"  # what tests reach, by what they are; trees of mutated code

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
        begun = time.monotonic()
        self._enter(item.nodeid)
        self.uses[item.nodeid] = list(getattr(item, "fixturenames", ()))
        result = yield
        self._leave()
        self.seconds[item.nodeid] = time.monotonic() - begun
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
        """Note a failure."""
        if report.outcome != "passed":
            self.failed.add(report.nodeid)


def watch(test: str, target: Path, place: Path) -> int:
    """Run a file of tests and write to ``target`` what each of them reaches."""
    sys.path.insert(0, str(ROOT / "src"))
    os.environ["PYTHONPATH"] = str(ROOT / "src")
    measured = coverage.Coverage(data_file=None, include=[f"{CODE}/*"])
    measured.start()
    plugin = Watched(measured)
    _pytest([f"--basetemp={place / 'tmp'}", test], plugin)
    measured.stop()
    data, reached = measured.get_data(), {}
    contexts: dict[str, dict[str, list[int]]] = {}
    for path in data.measured_files():
        name = Path(path).relative_to(CODE).as_posix()
        for line, names in data.contexts_by_lineno(path).items():
            for context in names:
                contexts.setdefault(context, {}).setdefault(name, []).append(line)
    for test_id, seconds in plugin.seconds.items():
        if test_id in plugin.failed:
            continue
        lines = dict(contexts.get(test_id, {}))
        for fixture in plugin.uses[test_id]:
            for name, more in contexts.get(f"fixture {fixture}", {}).items():
                lines[name] = lines.get(name, []) + more
        kept = {n: sorted(set(found)) for n, found in lines.items() if n.startswith(ROOMS)}
        reached[test_id] = {"seconds": round(seconds, 3), "lines": kept}
    target.write_text(json.dumps(reached))
    return 0


class Chosen:
    """A plugin that runs the tests given, in their order, each within its time."""

    def __init__(self, limits: dict[str, float], told: Path) -> None:
        self.limits, self.told = limits, told
        self.place = {test: k for k, test in enumerate(limits)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep the tests chosen."""
        kept = [item for item in items if item.nodeid in self.place]
        items[:] = sorted(kept, key=lambda item: self.place[item.nodeid])

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        """End the process where a test takes far longer than without the fault."""
        signal.setitimer(signal.ITIMER_REAL, self.limits[item.nodeid])
        result = yield
        signal.setitimer(signal.ITIMER_REAL, 0)
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Tell which test failed."""
        if report.failed:
            self.told.write_text(report.nodeid)


def attempt(code: str | None, file: str, tests: dict[str, float], place: Path) -> int:
    """Run ``tests`` on a tree whose ``file`` reads ``code``; return pytest's exit code."""
    tree = place / "src"
    shutil.copytree(ROOT / "src", tree, copy_function=os.link)
    if code is not None:
        (tree / "surveyor" / file).unlink()
        (tree / "surveyor" / file).write_text(code)
    sys.path.insert(0, str(tree))
    os.environ["PYTHONPATH"] = str(tree)
    plugin = Chosen({t: 60 + 10 * s for t, s in tests.items()}, place / "by")
    files = list(dict.fromkeys(t.split("::")[0] for t in tests))
    return _pytest(["-x", f"--basetemp={place / 'tmp'}", *files], plugin)


def _pytest(words: Sequence[str], plugin: object) -> int:
    usual = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"]
    usual += ["--randomly-seed=1", "--randomly-dont-reorganize", "--no-header", "-q"]
    return int(pytest.main([*usual, *words], plugins=[plugin]))


def chosen(mutant: Mutant, reach: Reach) -> dict[str, float]:
    """Return the tests that reach a mutant's line, quick ones first, and their seconds."""
    beside = ELSEWHERE.get(mutant.file)
    tests = {
        test: told["seconds"]
        for test, told in reach.items()
        if not told["lines"].get(mutant.file, set()).isdisjoint(mutant.lines)
        or (beside is not None and test.startswith(beside))
    }
    whole: dict[str, float] = {}
    for test, seconds in tests.items():
        name = test.split("::")[0]
        whole[name] = whole.get(name, 0) + seconds
    ordered = sorted(tests, key=lambda t: (tests[t] > QUICK, whole[t.split("::")[0]], tests[t]))
    kept: dict[str, float] = {}
    spent = 0.0
    for test in ordered:
        spent += tests[test]
        if spent <= MOST or not kept:
            kept[test] = tests[test]
    return kept


@dataclass
class Job:
    """A process at work, and what to do with its exit status when it ends."""

    begun: float
    place: Path
    done: Callable[[int, Path, float], None]


def side_by_side(
    jobs: Sequence[tuple[Callable[[Path], int], Callable[[int, Path, float], None]]],
) -> None:
    """Run each job in a process forked from this one, which has imported the libraries."""
    running: dict[int, Job] = {}
    left = list(jobs)
    while left or running:
        while left and len(running) < (os.cpu_count() or 1):
            work, done = left.pop(0)
            place = Path(tempfile.mkdtemp(dir=PLACE))
            pid = os.fork()
            if pid == 0:
                _child(work, place)
            running[pid] = Job(time.monotonic(), place, done)
        pid, status = os.wait()
        job = running.pop(pid)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what it started and left
        job.done(status, job.place, time.monotonic() - job.begun)
        shutil.rmtree(job.place, ignore_errors=True)


def _child(work: Callable[[Path], int], place: Path) -> NoReturn:
    code = 70
    try:
        os.setpgid(0, 0)
        log = os.open(place / "log", os.O_CREAT | os.O_WRONLY)
        for number in (1, 2):
            os.dup2(log, number)
        code = work(place)
    finally:
        os._exit(code)


def reached(tests: Sequence[str]) -> Reach:
    """Return what every test reaches; files of tests are watched anew where something changed."""
    code = "".join(short(p.read_text()) for p in sorted(CODE.rglob("*.py")))
    shared = short(code + (ROOT / "tests" / "conftest.py").read_text())
    targets = {t: PLACE / f"{short(shared + t + (ROOT / t).read_text())}.json" for t in tests}

    def told(test: str) -> Callable[[int, Path, float], None]:
        def done(status: int, place: Path, seconds: float) -> None:
            if status:
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


def imported() -> None:
    """Import what the code and the tests import, and forget the code itself."""
    import torch

    torch.set_num_threads(1)
    sys.path.insert(0, str(ROOT / "src"))
    for path in sorted(CODE.rglob("*.py")):
        name = path.relative_to(ROOT / "src").with_suffix("").as_posix().replace("/", ".")
        if "__main__" not in name and ".claims." not in name:
            importlib.import_module(name.removesuffix(".__init__"))
    for name in list(sys.modules):
        if name.split(".")[0] == "surveyor":
            del sys.modules[name]
    sys.path.pop(0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=400, help="mutants in the sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="keep the verdicts there are")
    parser.add_argument("--survivors", action="store_true", help="try those that survived again")
    parser.add_argument("--name", default="mutants", help="of the file of results")
    given = parser.parse_args()
    os.chdir(ROOT)
    PLACE.mkdir(exist_ok=True)
    imported()
    drawn = sample(given.n, given.seed)
    tests = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("test_*.py"))
    reach = reached([t for t in tests if t not in SKIPPED])
    path = RESULTS / f"{given.name}.json"
    before = json.loads(path.read_text())["runs"] if path.exists() else []
    kept = {r["key"]: r for r in before}
    runs: list[dict[str, Any]] = []

    def tried(mutant: Mutant, count: int) -> Callable[[int, Path, float], None]:
        def done(status: int, place: Path, seconds: float) -> None:
            late = os.WIFSIGNALED(status)
            verdict = LATE if late else SURVIVED if status in (0, 5 << 8) else KILLED
            by = (place / "by").read_text() if (place / "by").exists() else ""
            run = {
                "key": short(mutant.key), "where": f"{mutant.file}:{mutant.lines.start}",
                "verdict": verdict, "diff": mutant.diff, "tests": count, "by": by,
                "seconds": round(seconds, 1),
            }  # fmt: skip
            if verdict == SURVIVED and "equivalent" in kept.get(run["key"], {}):
                run["equivalent"] = kept[run["key"]]["equivalent"]
            if verdict == KILLED and not by:
                run["by"] = (place / "log").read_text()[-300:]
            runs.append(run)
            console.print(f"{len(runs):4}  {seconds:5.0f} s  {verdict:8}  {run['where']}")
            _keep(given.name, given.seed, runs)

        return done

    jobs = []
    for mutant in drawn:
        old = kept.get(short(mutant.key))
        again = old is None or (given.survivors and old["verdict"] == SURVIVED)
        if old is not None and (given.resume or given.survivors) and not again:
            runs.append(old)
            continue
        own = chosen(mutant, reach)
        jobs.append((functools.partial(_attempted, mutant, own), tried(mutant, len(own))))
    side_by_side(jobs)


def _attempted(mutant: Mutant, tests: dict[str, float], place: Path) -> int:
    return attempt(mutant.make(), mutant.file, tests, place) if tests else 5


def _keep(name: str, seed: int, runs: Sequence[dict[str, Any]]) -> None:
    counts = {v: sum(r["verdict"] == v for r in runs) for v in (KILLED, SURVIVED, LATE)}
    write(name, {"seed": seed, "rooms": ROOMS, "counts": counts, "runs": list(runs)})


if __name__ == "__main__":
    main()
