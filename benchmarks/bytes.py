"""Same seed, same bytes: every kind of data trained and sampled twice."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.common import data_file, show, write
from benchmarks.page import Found, Section
from benchmarks.resume import files


def main() -> None:
    kinds = {
        "vectors": ["toy:grid"],
        "images": ["example:digits", "--condition", "digit"],
        "table": [data_file("adult_train.csv.gz"), "--condition", "income"],
    }
    rows, result = [], {}
    for name, words in kinds.items():
        found = []
        for _ in range(2):
            with tempfile.TemporaryDirectory() as place:
                run = Path(place) / "run"
                surveyor = [sys.executable, "-m", "surveyor"]
                steps = ["--steps", "120", "--measure", "w1:every=30"]
                subprocess.run(
                    [*surveyor, "train", *words, "--out", str(run), *steps],
                    check=True,
                    capture_output=True,
                )
                suffix = "csv" if name == "table" else "npz"
                output = ["-n", "500", "--seed", "3", "-o", str(run / f"samples.{suffix}")]
                subprocess.run(
                    [*surveyor, "sample", str(run), *output], check=True, capture_output=True
                )
                found.append(files(run))
        different = [k for k in found[0] if found[0][k] != found[1].get(k)]
        result[name] = {"files": len(found[0]), "different": different}
        rows.append((name, len(found[0]), ", ".join(different) or "none"))
    show("Two runs of the same seed", ("data", "files", "files that differ"), rows)
    write("bytes", {"seeds": [0], "runs": result})
    sys.exit(1 if any(r["different"] for r in result.values()) else 0)


def section(found: Found) -> str:
    kinds = {name: v["different"] for name, v in found["runs"].items()}
    same = [name for name, different in kinds.items() if not different]
    told = [f"all files equal for {', '.join(same)}"] * bool(same)
    told += [f"{name}: {', '.join(files)} differ" for name, files in kinds.items() if files]
    return f"**Same seed, same bytes** (`make bench-bytes`): {'; '.join(told)}."


SECTION = Section(60, section)


if __name__ == "__main__":
    main()
