"""Jobs in processes that are forked from one which has imported the libraries, some side by side."""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from benchmarks.origin import CODE, ROOT

PLACE = ROOT / ".mutants"  # what tests reach, by what they are; trees of code with a fault
BROKEN = 70  # the exit status of a job that failed itself


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
        job = running.pop(pid, None)
        if job is None:  # some other child of this process
            continue
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)  # what it started and left
        job.done(status, job.place, time.monotonic() - job.begun)
        shutil.rmtree(job.place, ignore_errors=True)


def _child(work: Callable[[Path], int], place: Path) -> NoReturn:
    code = BROKEN
    try:
        os.setpgid(0, 0)
        log = os.open(place / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for number in (1, 2):
            os.dup2(log, number)
        code = work(place)
    except BaseException:
        with (place / "log").open("a") as file:
            file.write(traceback.format_exc())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def tested(words: Sequence[str], plugin: object, code: Path) -> int:
    """Run pytest in this process on the package below ``code``; return its exit status."""
    sys.path.insert(0, str(code))
    os.environ["PYTHONPATH"] = str(code)
    usual = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "no:faulthandler"]
    usual += ["--randomly-seed=1", "--randomly-dont-reorganize", "--no-header", "-q"]
    return int(pytest.main([*usual, *words], plugins=[plugin]))


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
