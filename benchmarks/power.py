"""Whether two sets of 20,000 x 20 are told apart: power over four differences, and size, beside others' tests."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import ks_2samp, mannwhitneyu
from sklearn.ensemble import HistGradientBoostingClassifier

from benchmarks.common import Run, console, merged, show, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.two_sample import LEVEL, of_points, prove

ROWS, COLUMNS = 20_000, 20
PEERS = os.environ.get("SURVEYOR_DRIFT_PEERS", ".venv-drift/bin/python")
Pair = tuple[np.ndarray, np.ndarray]
NONE = "none"


def pair(difference: str, seed: int, n: int = ROWS) -> Pair:
    """Return two sets of Gaussian columns with one difference between them."""
    r = np.random.default_rng(1000 + seed)
    a, b = r.normal(size=(n, COLUMNS)), r.normal(size=(n, COLUMNS))
    if difference == "a column moved by .1":
        b[:, 3] += 0.1
    if difference == "a column widened by 1.2":
        b[:, 3] *= 1.2
    if difference == "a correlation of .3":
        b[:, 4] = 0.3 * b[:, 3] + 0.91**0.5 * b[:, 4]
    if difference == "1% of rows moved by 3 in five columns":
        b[: n // 100, :5] += 3
    return a, b


DIFFERENCES = (
    "a column moved by .1", "a column widened by 1.2", "a correlation of .3",
    "1% of rows moved by 3 in five columns",
)  # fmt: skip


def surveyor(a: np.ndarray, b: np.ndarray, seed: int) -> bool:
    return bool(prove(of_points(a, b), seed).p_value <= LEVEL)


def every_column(a: np.ndarray, b: np.ndarray, seed: int) -> bool:
    """alibi-detect's rule: Kolmogorov-Smirnov on every column, Bonferroni."""
    p = [ks_2samp(x, y).pvalue for x, y in zip(a.T, b.T, strict=True)]
    return bool(min(p) <= LEVEL / len(p))


def domain_classifier(a: np.ndarray, b: np.ndarray, seed: int) -> bool:
    """Boosted trees on half of the rows; a rank test of their scores on the other half."""
    half = len(a) // 2
    x, y = np.concatenate([a[:half], b[:half]]), np.repeat([0, 1], half)
    model = HistGradientBoostingClassifier(random_state=seed).fit(x, y)
    scores = [model.predict_proba(side[half:])[:, 1] for side in (a, b)]
    return bool(mannwhitneyu(scores[1], scores[0], alternative="greater").pvalue <= LEVEL)


OWN: dict[str, Callable[[np.ndarray, np.ndarray, int], bool]] = {
    "Surveyor": surveyor,
    "alibi-detect's rule: KS, Bonferroni": every_column,
    "domain classifier, boosted trees": domain_classifier,
}
OTHERS = {
    "evidently, preset, any column": "evidently",
    "frouros, MMD on 1,000 rows": "frouros",
}


def own(method: str, difference: str, seeds: Sequence[int]) -> list[Run]:
    """Return what a method of this environment says of each pair."""
    runs = []
    for seed in seeds:
        a, b = pair(difference, seed)
        begun = time.monotonic()
        rejects = OWN[method](a, b, seed)
        runs.append({"rejects": rejects, "seconds": time.monotonic() - begun})
    return runs


def other(method: str, difference: str, seeds: Sequence[int]) -> list[Run]:
    """Return what a peer says of each pair, from its own environment."""
    with tempfile.TemporaryDirectory() as place:
        paths = []
        for seed in seeds:
            a, b = pair(difference, seed)
            paths.append(f"{place}/{seed}.npz")
            np.savez(paths[-1], a=a, b=b)
        script = str(Path(__file__).with_name("power_peers.py"))
        command = [PEERS, script, OTHERS[method], *paths]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr[-2000:])
    found: list[Run] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--different", type=int, default=20, help="pairs for each difference")
    parser.add_argument("--equal", type=int, default=200, help="pairs without a difference")
    parser.add_argument("--methods", nargs="*", default=[*OWN, *OTHERS])
    given = parser.parse_args()
    if set(given.methods) & set(OTHERS) and not Path(PEERS).exists():
        sys.exit(f"{PEERS}: not there; make .venv-drift makes it, or set SURVEYOR_DRIFT_PEERS")
    runs: list[Run] = []
    for method in given.methods:
        for difference in (NONE, *DIFFERENCES):
            count = given.equal if difference == NONE else given.different
            found = (own if method in OWN else other)(method, difference, range(count))
            seconds = float(np.median([f["seconds"] for f in found]))
            share = float(np.mean([f["rejects"] for f in found]))
            runs.append(
                {"method": method, "difference": difference, "pairs": count, "rejected": share, "seconds": seconds}
            )  # fmt: skip
            console.print(runs[-1], highlight=False)
            kept = merged("power", runs, "method", "difference")
            write("power", {"seeds": list(range(given.equal)), "runs": kept})
    show("Power and size", ("method", "difference", "pairs", "rejected", "s"), [list(r.values()) for r in runs])  # fmt: skip


def section(found: Found) -> str:
    rows: list[list[str]] = []
    for (method,), runs in grouped(found["runs"], "method").items():
        by: dict[str, Any] = {r["difference"]: r for r in runs}
        cells = [f"{by[d]['rejected']:.3f}" if d in by else "-" for d in (NONE, *DIFFERENCES)]
        pairs = [str(by[d]["pairs"]) for d in (NONE, DIFFERENCES[0]) if d in by]
        seconds = f"{np.median([r['seconds'] for r in runs]):.1f}"
        rows.append([method, *cells, " + ".join(pairs), seconds])
    return (
        f"**Power and size** (`make bench-power`): the share of pairs of {ROWS:,} x {COLUMNS} Gaussian rows that a test at level {LEVEL} tells apart; "
        "the pairs without a difference and with each; and median seconds a pair.\n\n"
        + table(["test", "no difference", *DIFFERENCES, "pairs", "s"], rows)
    )


SECTION = Section(35, section)


if __name__ == "__main__":
    main()
