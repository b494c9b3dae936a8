"""Mutants: single faults put into the code, one at a time, and whether the tests notice.

The faults are mutmut's: an operator swapped, an argument dropped, a number one up. A seeded sample
of them is drawn from the rooms that compute; each runs the tests that reach its line, the quick
ones first, until one fails. Messages, whose strings hold blanks, are left as they are.
"""

from __future__ import annotations

import argparse
import functools
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.common import Run, console, kept, write
from benchmarks.mutation.faults import Mutant, sample, short
from benchmarks.mutation.processes import BROKEN, PLACE, imported, side_by_side, tested
from benchmarks.mutation.reach import Reach, reached
from benchmarks.origin import ROOMS, ROOT
from benchmarks.page import Found, Section

ELSEWHERE = {"training/ranks.py": "tests/test_ranks.py"}  # what runs in processes of its own
SKIPPED = ("tests/test_claims.py", "tests/test_readme.py", "tests/test_architecture.py")
# Seconds of processors, as the code without faults takes them.
QUICK = 0.3  # tests below it come first
MOST = 150.0  # of all the tests that a mutant may take
KILLED, SURVIVED, LATE = "killed", "survived", "timeout"
UNREACHED = int(pytest.ExitCode.NO_TESTS_COLLECTED)


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
    """Run ``tests`` on a tree whose ``file`` reads ``code``; return pytest's exit status."""
    if not tests:
        return UNREACHED
    tree = place / "src"
    shutil.copytree(ROOT / "src", tree, copy_function=os.link)
    if code is not None:
        (tree / "surveyor" / file).unlink()
        (tree / "surveyor" / file).write_text(code)
    plugin = Chosen({t: 60 + 20 * s for t, s in tests.items()}, place / "by")
    files = list(dict.fromkeys(t.split("::")[0] for t in tests))
    return tested(["-x", f"--basetemp={place / 'tmp'}", *files], plugin, tree)


def chosen(mutant: Mutant, reach: Reach) -> dict[str, float]:
    """Return the tests that reach a mutant's line, quick ones first, and their seconds."""
    beside = ELSEWHERE.get(mutant.file)
    tests = {
        test: told["seconds"]
        for test, told in reach.items()
        if not told["failed"]
        and (
            not told["lines"].get(mutant.file, set()).isdisjoint(mutant.lines)
            or (beside is not None and test.startswith(beside))
        )
    }
    whole: dict[str, float] = {}
    for test, seconds in tests.items():
        name = test.split("::")[0]
        whole[name] = whole.get(name, 0) + seconds
    ordered = sorted(tests, key=lambda t: (tests[t] > QUICK, whole[t.split("::")[0]], tests[t]))
    own: dict[str, float] = {}
    spent = 0.0
    for test in ordered:
        spent += tests[test]
        if spent <= MOST or not own:
            own[test] = tests[test]
    return own


def judged(mutant: Mutant, count: int, status: int, place: Path, seconds: float) -> Run:
    """Return what became of a mutant whose process ended with ``status``."""
    log, by = (place / "log").read_text(), ""
    code = os.waitstatus_to_exitcode(status)
    if code == BROKEN:
        sys.exit(f"{mutant.file}: {log[-3000:]}")
    if (place / "by").exists():
        by = (place / "by").read_text()
    elif code not in (0, UNREACHED):
        by = f"signal {-code}" if code < 0 else log[-300:]
    verdict = LATE if code == -signal.SIGALRM else SURVIVED if code in (0, UNREACHED) else KILLED
    return {
        "key": short(mutant.key), "where": f"{mutant.file}:{mutant.lines.start}", "verdict": verdict,
        "diff": mutant.diff, "tests": count, "by": by, "seconds": round(seconds, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=400, help="mutants in the sample")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="keep the verdicts there are")
    parser.add_argument("--survivors", action="store_true", help="try anew those that survived")
    given = parser.parse_args()
    os.chdir(ROOT)
    PLACE.mkdir(exist_ok=True)
    imported()
    drawn = sample(given.n, given.seed)
    tests = sorted(p.relative_to(ROOT).as_posix() for p in (ROOT / "tests").rglob("test_*.py"))
    reach = reached([t for t in tests if t not in SKIPPED])
    failing = sorted(test for test, told in reach.items() if told["failed"])
    console.print(
        f"{len(reach):,} tests, {len(failing)} of which fail without any fault: {failing}"
    )
    before = {r["key"]: r for r in kept("mutants")} if given.resume or given.survivors else {}
    runs: list[Run] = []

    def keep(run: Run) -> None:
        old = before.get(run["key"], {})
        if run["verdict"] == SURVIVED and "equivalent" in old:
            run["equivalent"] = old["equivalent"]
        runs.append(run)
        counts = {v: sum(r["verdict"] == v for r in runs) for v in (KILLED, LATE, SURVIVED)}
        told = {"seeds": [given.seed], "rooms": ROOMS, "failing": failing, "counts": counts}
        write("mutants", {**told, "runs": runs})

    jobs: list[tuple[Callable[[Path], int], Callable[[int, Path, float], None]]] = []
    for mutant in drawn:
        old = before.get(short(mutant.key))
        if old is not None and not (given.survivors and old["verdict"] == SURVIVED):
            keep({k: v for k, v in old.items() if k != "measured"})
            continue
        own = chosen(mutant, reach)

        def done(
            status: int, place: Path, seconds: float, m: Mutant = mutant, n: int = len(own)
        ) -> None:
            run = judged(m, n, status, place, seconds)
            keep(run)
            console.print(f"{len(runs):4} {seconds:5.0f} s  {run['verdict']:8}  {run['where']}")

        jobs.append((functools.partial(attempted, mutant, own), done))
    side_by_side(jobs)


def attempted(mutant: Mutant, tests: dict[str, float], place: Path) -> int:
    return attempt(mutant.make(), mutant.file, tests, place)


def section(found: Found) -> str:
    counts, whole = found["counts"], len(found["runs"])
    alike = sum("equivalent" in r for r in found["runs"])
    return (
        f"**Mutation testing** (`make mutants`, seed {found['seeds'][0]}): of {whole} single faults inserted into the packages that "
        f"compute, {1 - counts['survived'] / whole:.1%} are detected, {counts['killed']} by a test that fails and {counts['timeout']} by one that does "
        f"not end; {counts['survived']} are not detected, {alike} of which do not change observable behaviour."
    )


SECTION = Section(260, section)


if __name__ == "__main__":
    main()
