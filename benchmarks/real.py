"""Real data: final held-out W1 over its floor, for the default and three other constraints."""

from __future__ import annotations

import argparse

import numpy as np

from benchmarks.common import data_file, kept, show, train_all, write
from benchmarks.page import Found, Section, grouped, table

# Constraints are compared on one net for all columns, where the game does all the work.
TABLES, ONE_NET = ("Adult", "diamonds"), ["--generator", "mlp:width=256,depth=2,residual=true"]
PENALTY = "gradient penalty"
VARIANTS: dict[str, list[str]] = {
    "default": [],
    "clipping": [
        "--constraint",
        "clip:limit=0.03",
        "--optimizer",
        "rmsprop",
        "--critic-rate",
        "1e-4",
        "--generator-rate",
        "1e-4",
    ],
    "spectral norm": ["--constraint", "spectral"],
    "JS baseline": ["--objective", "minimax", "--constraint", "none"],
    PENALTY: [],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--resume", action="store_true", help="keep the runs in results/real.json")
    given = parser.parse_args()
    data = {
        "digits": ("example:digits", ["--condition", "digit"]),
        "Adult": (data_file("adult_train.csv.gz"), []),
        "diamonds": (data_file("diamonds.csv.gz"), []),
    }
    jobs = {
        (name, variant, seed): (
            source,
            [
                *(ONE_NET if name in TABLES and variant != "default" else []),
                *(*own, *options, "--seed", str(seed), "--threads", "1"),
            ],
        )
        for name, (source, own) in data.items()
        for variant, options in VARIANTS.items()
        for seed in given.seeds
        if name in TABLES or variant != PENALTY
    }
    runs = []
    if given.resume:
        runs = [r for r in kept("real") if (r["data"], r["variant"], r["seed"]) in jobs]
        for r in runs:
            del jobs[r["data"], r["variant"], r["seed"]]
    for (name, variant, seed), trained in train_all(jobs):
        e = trained.evaluation
        runs.append(
            {
                "data": name,
                "variant": variant,
                "seed": seed,
                "w1": e["w1"].value,
                "floor": e["w1"].floor,
                "ratio": e["w1"].ratio,
                "auc": e["auc"].value,
                "auc_floor": e["auc"].floor,
                "slope_max": e["gradient_norm_max"].value,
                "seconds": trained.seconds,
            }
        )
        write(
            "real", {"seeds": given.seeds, "runs": runs}
        )  # as it goes: hours of runs are not lost
    table = []
    for name in data:
        for variant in VARIANTS:
            own_runs = [r for r in runs if (r["data"], r["variant"]) == (name, variant)]
            if not own_runs:
                continue
            values = {
                k: [r[k] for r in own_runs] for k in ("w1", "floor", "ratio", "auc", "seconds")
            }
            table.append(
                (
                    name,
                    variant,
                    *[float(np.median(values[k])) for k in ("w1", "floor", "ratio")],
                    f"{min(values['ratio']):.3f} to {max(values['ratio']):.3f}",
                    float(np.median(values["auc"])),
                    float(np.median(values["seconds"])),
                )
            )
    show(
        f"Held-out W1 over floor, medians of {len(given.seeds)} seeds",
        ("data", "constraint", "W1", "floor", "W1 / floor", "spread", "classifier AUC", "s"),
        table,
    )


def section(found: Found) -> str:
    ordered = sorted(found["runs"], key=lambda r: (r["data"], r["variant"] != "default"))
    rows = [
        [data, variant, *(f"{float(np.median([r[k] for r in runs])):.3f}" for k in ("w1", "floor", "ratio", "auc")),
         f"{float(np.median([r['seconds'] for r in runs])):.0f}"]
        for (data, variant), runs in grouped(ordered, "data", "variant").items()
    ]  # fmt: skip
    return (
        f"**Real data** (`make bench-real`, median of {len(found['seeds'])} seeds, training seconds on one "
        "core): held-out W1 over its floor, and the AUC of a classifier that tells generated from "
        "held-out rows (.5 is chance), which sees what W1 cannot in many dimensions. Tables: the default draws "
        "column by column, all others with one net for all columns (`--generator mlp`).\n\n"
        + table(["data", "constraint", "W1", "floor", "W1 / floor", "AUC", "s"], rows)
    )


SECTION = Section(30, section)


if __name__ == "__main__":
    main()
