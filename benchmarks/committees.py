"""Committees, packs and noise on the digits: do they help the default critic, where, at what cost."""

from __future__ import annotations

import argparse
from typing import Any

from benchmarks.common import console, merged, show, train_all, write
from benchmarks.page import Found, Section, cells, grouped, table

STEPS = 1500
METHODS: dict[str, list[str]] = {
    "one critic (the default)": [],
    "4 of patches": ["--critic", "committee:of=conv,members=4,see=patches"],
    "3 of bands": ["--critic", "committee:of=conv,members=3,see=bands"],
    "4 of projections": ["--critic", "committee:of=mlp,members=4,see=projections"],
    "packs of 2": ["--critic", "packed:of=conv,members=2"],
    "noise .3 to .01 over half": ["--noise", "anneal:start=0.3"],
    "noise 1 to .01 over 80%": ["--noise", "anneal:start=1,until=0.8"],
    "noise .3 to .01 over 80%, adapted": ["--noise", "adaptive:start=0.3,until=0.8"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--at-once", type=int, default=2)
    chosen = parser.parse_args()
    usual = ["--condition", "digit", "--steps", str(STEPS), "--threads", "1"]
    jobs = {
        (name, seed): ("example:digits", [*usual, "--seed", str(seed), *METHODS[name]])
        for seed in chosen.seeds
        for name in chosen.methods
    }
    runs: list[dict[str, Any]] = []
    for (name, seed), done in train_all(jobs, chosen.at_once):
        told = done.evaluation
        runs.append(
            {
                "method": name,
                "seed": seed,
                "w1 / floor": told["w1"].ratio,
                "auc": told["auc"].value,
                "frechet / floor": told["frechet"].ratio,
                "recall": told["recall"].value,
                "asked": told["asked"].value,
                "seconds": done.seconds,
            }
        )
        console.print(runs[-1], highlight=False)
        write("committees", {"steps": STEPS, "runs": merged("committees", runs, "method", "seed")})
    keys = [k for k in runs[0] if k not in ("method", "seed")]
    show("Digits", ("method", "seed", *keys), [(r["method"], r["seed"], *(r[k] for k in keys)) for r in runs])  # fmt: skip


def section(found: Found) -> str:
    keys = {
        "w1 / floor": ".2f",
        "auc": ".2f",
        "frechet / floor": ".2f",
        "recall": ".2f",
        "asked": ".3f",
        "seconds": ".0f",
    }
    rows = [
        [f"{method}, seed {seed}", *cells(runs, keys)[1:]]
        for (seed, method), runs in sorted(
            grouped(found["runs"], "seed", "method").items(), key=lambda item: item[0][0]
        )
    ]
    return (
        f"**Committees, packs, noise** (`python -m benchmarks.committees`, one thread each, some on a busy machine, so that seconds are upper bounds; the 8 x 8 digits, digit as condition, {found['steps']:,} steps of each). Differences between critics are no larger than between seeds: none of these helps here.\n\n"
        + table(["critic", *keys], rows)
    )  # fmt: skip


SECTION = Section(180, section)


if __name__ == "__main__":
    main()
