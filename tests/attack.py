"""Damaged and hostile run folders: seeded mutations of every file, put through all that reads them.

``python -m tests.attack [MUTATIONS [FILE ...]]`` (``make attack``) makes so many of each file, and
tells how many were refused, how many were taken, and whatever else came of them.
"""

from __future__ import annotations

import random
import resource
import shutil
import stat
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

import surveyor
from surveyor.api import prepare
from surveyor.data import Data
from surveyor.errors import InputError, SurveyorError
from surveyor.run import resume, start
from tests.conftest import QUICK, WGAN, mixed
from tests.damage import CODEC_FILES, FILES, forge, mutate

STEPS = 4  # of 6: the runs are stopped there


@dataclass(frozen=True)
class Sound:
    """A run stopped half-way, with everything that a run folder can hold, and its data."""

    path: Path
    source: str
    said: dict[str, Any]


def sound_runs(folder: Path) -> list[Sound]:
    """Return runs of a table, of vectors and of pictures, trained for a few steps."""
    rng = np.random.default_rng(0)
    mixed(150).to_csv(folder / "table.csv", index=False)
    np.save(folder / "vectors.npy", rng.standard_normal((90, 3)))
    np.savez(
        folder / "pictures.npz",
        x=rng.integers(0, 255, (90, 8, 8), np.uint8),
        label=rng.integers(0, 3, 90),
    )
    own: dict[str, dict[str, Any]] = {
        "table.csv": {
            "condition": ["town", "visits"],
            "group": "member",
            "rule": ["age >= visits"],  # kept by rejection
        },
        "vectors.npy": {"whiten": True, "generator": "mlp:width=8", **WGAN},
        "pictures.npz": {"condition": ["label"], "generator": "conv:width=2", "optimizer": "rmsprop"},
    }  # fmt: skip
    made = []
    for name, more in own.items():
        said = QUICK | {"critic": "mlp:width=8", "warm_start": 0.0} | more
        run = Sound(folder / Path(name).stem, str(folder / name), said)
        data, config = prepare(run.source, said)
        for record in start(data, run.source, config, run.path).records():
            if record.step == STEPS:
                break
        surveyor.load(run.path).evaluate()
        surveyor.load(run.path).report()
        made.append(run)
    return made


RESUMED = ("checkpoint/state.safetensors", "timing.jsonl")


def commands(
    run: Sound, data: Data, name: str, thorough: bool
) -> dict[str, Callable[[Path], object]]:
    """Return all that reads a file; evaluation, which is slow, only where ``thorough``."""

    def go_on(path: Path) -> None:
        session = resume(path, data)
        for record in session.records():
            if record.step >= STEPS + 1:
                break

    every: dict[str, Callable[[Path], object]] = {
        "sample": lambda path: surveyor.load(path).sample(20),
        "report": lambda path: surveyor.load(path).report(run.source),
        "resume": go_on,
    }
    if name in RESUMED:
        return {"resume": go_on}
    if thorough:
        every["evaluate"] = lambda path: surveyor.load(path).evaluate()
    return every


def whole(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """Return every entry of a folder: its kind, its size, and what it holds."""
    found = {}
    for entry in sorted(path.rglob("*")):
        about = entry.lstat()
        read = stat.S_ISREG(about.st_mode) and about.st_size < 2**26
        content = entry.read_bytes() if read else b""
        found[str(entry.relative_to(path))] = stat.S_IFMT(about.st_mode), about.st_size, content
    return found


@dataclass
class Outcome:
    """What came of mutations: counts, and whatever should not have been."""

    told: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    longest: float = 0.0
    slow: list[str] = field(default_factory=list)


def attack(run: Sound, data: Data, name: str, seed: int, scratch: Path, outcome: Outcome) -> None:
    """Mutate one file of a copy of ``run`` and put it through every command that reads it."""
    rng = random.Random(f"{run.path.name} {name} {seed}")
    hurt, outside = scratch / "hurt", scratch / "outside" / "precious"
    outside.parent.mkdir(exist_ok=True)
    outside.write_bytes(b"precious\n")
    shutil.copytree(run.path, hurt)
    how = mutate(hurt, name, outside, rng)
    forged = name in CODEC_FILES and seed % 2 == 0
    if forged:
        forge(hurt)
    damaged = whole(hurt)
    refused = False
    for command, call in commands(run, data, name, seed % 10 == 0).items():
        label = f"{run.path.name}/{name} #{seed} ({how}): {command}"
        begun = time.monotonic()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", surveyor.errors.Notice)
                call(hurt)
        except SurveyorError as error:
            refused = True
            problems = error.problems if isinstance(error, InputError) else [str(error)]
            if any("\n" in p or len(p) > 1500 for p in problems):
                outcome.wrong.append(f"{label}: no single line: {error!r:.300}")
            if isinstance(error, InputError) and whole(hurt) != damaged:
                outcome.wrong.append(f"{label}: refused, and changed: {error!r:.200}")
        except BaseException:
            outcome.wrong.append(f"{label}: {traceback.format_exc(limit=-4)}")
        seconds = time.monotonic() - begun
        if seconds > outcome.longest:
            outcome.longest = seconds
            outcome.slow.append(f"{seconds:.1f} s: {label}")
        if whole(hurt) != damaged:
            shutil.rmtree(hurt)
            shutil.copytree(run.path, hurt)
            mutate(hurt, name, outside, random.Random(f"{run.path.name} {name} {seed}"))
            if forged:
                forge(hurt)
            damaged = whole(hurt)
    outcome.told["refused" if refused else "taken"] += 1
    if outside.read_bytes() != b"precious\n" or len(list(outside.parent.iterdir())) != 1:
        outcome.wrong.append(f"{run.path.name}/{name} #{seed} ({how}): wrote outside of the folder")
    shutil.rmtree(hurt)


def main(mutations: int = 300, *files: str) -> int:
    """Attack files of every kind of run, all of them unless named; return 1 where one was wrong."""
    torch.set_num_threads(1)
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        runs = sound_runs(scratch)
        every = [(run, prepare(run.source, run.said)[0]) for run in runs]
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        for file in files or FILES:
            for k in range(mutations):
                run, data = every[k % len(every)]
                attack(run, data, file, k, scratch, outcome)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20
    for line in outcome.wrong:
        print(line)
    print(
        f"{sum(outcome.told.values()):,} mutations: {outcome.told['refused']:,} refused, "
        f"{outcome.told['taken']:,} taken by all that read them, {len(outcome.wrong):,} wrong; "
        f"slowest command {outcome.longest:.1f} s; {grown:.2f} GiB above a sound run"
    )
    print(*outcome.slow[-3:], sep="\n")
    return 1 if outcome.wrong or outcome.longest > 10 or grown > 1 else 0


if __name__ == "__main__":
    sys.exit(main(int([*sys.argv, "300"][1]), *sys.argv[2:]))
