"""Training on ten million rows: peak resident memory, and the step rate beside that on 100,000."""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.common import console, data_file, show, write
from benchmarks.page import Found, Section

GROUP = 100_000


def made(path: Path, rows: int) -> None:
    """Write ``rows`` rows drawn from Adult, a little noise on every number, in row groups."""
    adult = pd.read_csv(data_file("adult_train.csv.gz"))
    rng = np.random.default_rng(0)
    writer = None
    for _ in range(rows // GROUP):
        part = adult.iloc[rng.integers(0, len(adult), GROUP)].reset_index(drop=True)
        part["fnlwgt"] += rng.integers(-500, 500, GROUP)
        table = pa.Table.from_pandas(part, preserve_index=False)
        writer = writer or pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    assert writer is not None
    writer.close()


def run(path: Path, steps: int, folder: Path) -> dict[str, float]:
    """Train in a process of its own and return what it took."""
    command = [
        sys.executable, "-m", "surveyor", "train", str(path), "--out", str(folder),
        "--steps", str(steps), "--measure", f"w1:every={steps // 2}", "--threads", "1",
    ]  # fmt: skip
    begun = time.monotonic()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - begun
    clock = [json.loads(line) for line in (folder / "timing.jsonl").read_text().splitlines()]
    between = clock[-1]["seconds"] - clock[-2]["seconds"]
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    return {
        "rate": (clock[-1]["step"] - clock[-2]["step"]) / between,
        "peak": float(peak),
        "seconds": whole,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 10_000_000])
    parser.add_argument("--steps", type=int, default=400)
    given = parser.parse_args()
    found = {}
    with tempfile.TemporaryDirectory() as name:
        for rows in sorted(given.rows):  # a peak is that of all children so far: the small first
            path = Path(name) / f"{rows}.parquet"
            made(path, rows)
            found[str(rows)] = run(path, given.steps, Path(name) / f"run-{rows}")
            console.print(f"{rows:,} rows done")
    write("memory", {"seeds": [0], "steps": given.steps, "runs": found})
    show(
        "Training from Parquet",
        ("rows", "peak GiB", "steps a second", "s in all"),
        [
            (f"{int(k):,}", f"{v['peak'] / 2**30:.2f}", f"{v['rate']:.1f}", f"{v['seconds']:.0f}")
            for k, v in found.items()
        ],
    )


def section(found: Found) -> str:
    told = "; ".join(
        f"{int(rows):,} rows: {r['peak'] / 2**30:.2f} GiB at the peak, {r['rate']:.1f} steps a second"
        for rows, r in found["runs"].items()
    )
    return f"**Files larger than memory** (`make bench-memory`), a table of Adult's columns in Parquet: {told}."


SECTION = Section(120, section)


if __name__ == "__main__":
    main()
