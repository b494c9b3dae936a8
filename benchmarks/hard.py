"""What a critic of proven slope does for a generator: equal time against the penalised critic."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import surveyor
from benchmarks.common import data_file, show, train_all, write
from benchmarks.modes import SETTINGS, judge
from benchmarks.page import Found, Section, grouped, table

HARD = ["--objective", "wasserstein", "--constraint"]
CRITICS: dict[str, list[str]] = {
    "penalised (default)": [],
    "orthogonal, folds": [*HARD, "orthogonal:activation=absolute"],
    "orthogonal, GroupSort": [*HARD, "orthogonal"],
}
MINUTES = {"ring": 0.7, "grid": 0.7, "digits": 0.8, "Adult": 1.2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    sources = {
        "ring": ("toy:ring:100000", []),
        "grid": ("toy:grid:100000", []),
        "digits": ("example:digits", ["--condition", "digit"]),
        "Adult": (data_file("adult_train.csv.gz"), []),
    }
    jobs = {
        (name, critic, seed): (
            source,
            [
                *own,
                *options,
                "--minutes",
                str(MINUTES[name]),
                "--seed",
                str(seed),
                "--threads",
                "1",
            ],
        )
        for name, (source, own) in sources.items()
        for critic, options in CRITICS.items()
        for seed in given.seeds
    }
    runs: list[dict[str, Any]] = []
    for (name, critic, seed), trained in train_all(jobs):
        e = trained.evaluation
        run = {"data": name, "critic": critic, "seed": seed, "seconds": trained.seconds}
        run |= {"ratio": e["w1"].ratio, "auc": e["auc"].value}
        if name in SETTINGS:
            run |= judge(surveyor.load(trained.folder), name, seed)
        runs.append(run)
        write("hard", {"minutes": MINUTES, "seeds": given.seeds, "runs": runs})
    rows = []
    for name in sources:
        for critic in CRITICS:
            own_runs = [r for r in runs if (r["data"], r["critic"]) == (name, critic)]
            cells = [
                " / ".join(f"{r[key]:.3g}" for r in own_runs if key in r) or "-"
                for key in ("ratio", "auc", "modes", "high_quality", "reverse_kl")
            ]
            seconds = float(np.median([r["seconds"] for r in own_runs]))
            rows.append((f"{name}, {critic}", *cells, seconds))
    columns = ("data, critic", "W1 / floor", "AUC", "modes", "high quality", "reverse KL", "s")
    show("Critics of proven slope for generators, a figure a seed", columns, rows)


def section(found: Found) -> str:
    def each(runs: list[dict[str, Any]], key: str, form: str) -> str:
        return ", ".join(format(r[key], form) for r in runs if key in r) or "-"

    rows = [
        [data, critic, each(runs, "ratio", ".2f"), each(runs, "auc", ".2f"), each(runs, "high_quality", ".1%")]
        for (data, critic), runs in grouped(found["runs"], "data", "critic").items()
    ]  # fmt: skip
    minutes = ", ".join(f"{k} {v:g}" for k, v in found["minutes"].items())
    return (
        f"**Critics of proven slope for generators** (`make bench-hard`, equal time: {minutes} minutes, two runs side by side, "
        "without tuning; one figure per seed): the penalised default against orthogonal matrices with folds or GroupSort.\n\n"
        + table(["data", "critic", "W1 / floor", "AUC", "high quality"], rows)
    )


SECTION = Section(90, section)


if __name__ == "__main__":
    main()
