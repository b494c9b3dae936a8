"""What the benchmarks share: where data lie, how results are written, how a run is timed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import surveyor
from benchmarks.origin import origin
from surveyor.measures import Evaluation

RESULTS = Path(__file__).parent / "results"
DATA = Path(os.environ.get("SURVEYOR_DATA", "../shared/data"))
Run = dict[str, Any]
console = Console(width=140)


def data_file(name: str) -> str:
    """Return the path of a data file, or stop with a plain word where it is missing."""
    path = DATA / name
    if not path.exists():
        sys.exit(f"benchmark data not found: {path}; set SURVEYOR_DATA to their folder")
    return str(path)


def write(name: str, content: Mapping[str, Any]) -> None:
    """Write ``results/NAME.json`` with what is needed to read it: ``origin``, and the runs' seeds."""
    RESULTS.mkdir(exist_ok=True)
    path, runs = RESULTS / f"{name}.json", content.get("runs")
    seeds = {r["seed"] for r in runs if "seed" in r} if isinstance(runs, list) else set()
    whole = {"measured": origin(name), "seeds": sorted(seeds), **content}
    path.write_text(json.dumps(whole, indent=1) + "\n")


def kept(name: str) -> list[Run]:
    """Return the runs in ``results/NAME.json``, each with its own origin; none without the file."""
    path = RESULTS / f"{name}.json"
    if not path.exists():
        return []
    found = json.loads(path.read_text())
    return [{"measured": found["measured"]} | run for run in found["runs"]]


def merged(name: str, runs: Sequence[Run], *keys: str) -> list[Run]:
    """Return the runs kept in ``results/NAME.json`` and ``runs``, which replace those of equal ``keys``.

    Methods keep the order in which they were first written. A kept run says itself where and when it
    was measured, if not with the last.
    """
    by = {tuple(run[k] for k in keys): run for run in [*kept(name), *runs]}
    return list(by.values())


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table."""
    table = Table(title=title, title_justify="left")
    for k, column in enumerate(columns):
        table.add_column(column, justify="left" if k == 0 else "right")
    for row in rows:
        table.add_row(*[f"{v:.4g}" if isinstance(v, float) else str(v) for v in row])
    console.print(table)


@dataclass(frozen=True)
class Trained:
    """A finished run: its folder's content, and the seconds of its training."""

    folder: Path
    evaluation: Evaluation
    seconds: float


def train(source: str, options: Sequence[str], folder: Path) -> Trained:
    """Train in a process of its own, as a user would."""
    begun = time.monotonic()
    command = [sys.executable, "-m", "surveyor", "train", source, "--out", str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}\n{done.stderr}")
    timing = folder / "timing.jsonl"  # a run with --privacy keeps no clock
    clock = (
        [json.loads(line) for line in timing.read_text().splitlines()] if timing.exists() else []
    )
    return Trained(
        folder,
        surveyor.load(folder).evaluation,
        clock[-1]["seconds"] if clock else time.monotonic() - begun,
    )


def train_all(
    jobs: Mapping[Any, tuple[str, Sequence[str]]], at_once: int = 2
) -> Iterable[tuple[Any, Trained]]:
    """Train several runs, ``at_once`` one-thread processes side by side; yields as they finish."""
    with (
        tempfile.TemporaryDirectory() as place,
        ThreadPoolExecutor(at_once) as pool,
    ):
        futures = {
            key: pool.submit(train, source, options, Path(place) / str(k))
            for k, (key, (source, options)) in enumerate(jobs.items())
        }
        begun = time.monotonic()
        for key, future in futures.items():
            result = future.result()
            console.print(f"{time.monotonic() - begun:6.0f} s  {key}", highlight=False)
            yield key, result
