"""Differential privacy on Adult: what each epsilon costs, columns and nets together.

Beside the AUC of a membership attack stands that of the same attack on samples that are nothing but
the training rows.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import surveyor
from benchmarks.common import console, data_file, show, train, write
from benchmarks.page import Found, Section, grouped, median, table
from benchmarks.tables import judged, need_peers
from surveyor.measures.memorising import Joint, memorising
from surveyor.run import own_data

EPSILONS = (1.0, 3.0, 10.0)
METHODS: dict[str, list[str]] = {
    "likelihood": [],
    "likelihood, then the game": ["--warm-start", "0.667", "--steps", "900"],
    "the game alone": ["--generator", "mlp:width=128,depth=2", "--steps", "1500"],
}
FIGURES = ("quality", "trends", "c2st", "f1", "membership", "copies", "ratio", "seconds")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    given = parser.parse_args()
    need_peers()
    runs: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as place:
        source, test = (Path(place) / f"{part}.csv" for part in ("train", "test"))
        for part, path in (("train", source), ("test", test)):
            pd.read_csv(data_file(f"adult_{part}.csv.gz")).to_csv(path, index=False)
        for seed in given.seeds:
            for epsilon in EPSILONS:
                for name in given.methods:
                    folder = Path(place) / str(len(runs))
                    own = [
                        "--privacy",
                        f"gaussian:epsilon={epsilon}",
                        "--seed",
                        str(seed),
                        "--threads",
                        "1",
                        *METHODS[name],
                    ]
                    done = train(str(source), own, folder / "run")
                    made = surveyor.load(folder / "run").sample(len(pd.read_csv(source)), seed=seed)
                    told, data = done.evaluation, own_data(folder / "run", str(source))
                    train_rows, held = Joint(data.train), Joint(data.holdout)
                    runs.append({
                        "method": name, "epsilon": epsilon, "seed": seed, **judged(made, test, folder),
                        "membership": told["membership_auc"].value, "ratio": told["w1"].ratio,
                        "copies": memorising(train_rows, train_rows, held, seed).membership_auc,
                        "account": asdict(told.privacy) if told.privacy else None, "seconds": done.seconds,
                    })  # fmt: skip
                    console.print(runs[-1], highlight=False)
                    write("privacy", {"runs": runs})
    show(
        "Adult under differential privacy, medians",
        ("epsilon", "method", *FIGURES),
        [
            (e, m, *(float(np.median([r[k] for r in runs if (r["epsilon"], r["method"]) == (e, m)])) for k in FIGURES))
            for e in EPSILONS
            for m in given.methods
        ],
    )  # fmt: skip


def section(found: Found) -> str:
    forms = {
        "quality": ".3f",
        "trends": ".3f",
        "c2st": ".3f",
        "f1": ".3f",
        "membership": ".3f",
        "copies": ".3f",
        "seconds": ".0f",
    }
    names = ("Quality", "trends", "C2ST", "F1", "attack", "on copies", "s")
    shown = {k: n for k, n in zip(forms, names, strict=True) if k in found["runs"][0]}
    by = grouped(found["runs"], "epsilon", "method")
    rows = [
        [f"{epsilon:g}", method, *(format(median(runs, k), forms[k]) for k in shown)]
        for (epsilon, method), runs in by.items()
    ]  # fmt: skip
    if "copies" in shown:
        told = (
            "the AUC of a membership attack and of the same attack on samples that are the training rows; seconds "
            "on a busy machine). Epsilon covers samples and run folder, columns and nets."
        )
    else:
        told = "the AUC of a membership attack; seconds on a busy machine). The account covers the weights, not the codec's values."
    return (
        f"**Differential privacy on Adult** (`make bench-privacy`, seeds: {len(next(iter(by.values())))}; measured as in Adult's table, with {told}\n\n"
        + table(["epsilon", "trained by", *shown.values()], rows)
    )  # fmt: skip


SECTION = Section(200, section)


if __name__ == "__main__":
    main()
