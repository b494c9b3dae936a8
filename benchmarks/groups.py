"""Adult by sex and race: the smallest group beside the largest, a gap closed, and anomalies found."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest
from sklearn.metrics import accuracy_score, roc_auc_score

import surveyor
from benchmarks.common import console, data_file, show, train_all, write
from benchmarks.page import Found, Section, grouped, table
from benchmarks.tables import numbers
from surveyor.run.parity import gap

SWAPPED = 3  # cells a row that are exchanged with another row's


def accuracy(made: pd.DataFrame, real: pd.DataFrame) -> float:
    """Return the accuracy on real rows of boosted trees trained on made ones."""
    (a, b), kinds = numbers(made[list(real)], real)
    trees = HistGradientBoostingClassifier(categorical_features=kinds[:-1], random_state=0)
    return float(accuracy_score(b[:, -1], trees.fit(a[:, :-1], a[:, -1]).predict(b[:, :-1])))


def odd_rows(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return rows of which ``SWAPPED`` random cells each hold another row's value."""
    rng, odd = np.random.default_rng(seed), rows.copy()
    for _ in range(SWAPPED):
        cell, other = rng.integers(0, rows.shape[1], len(rows)), rng.permutation(len(rows))
        for k, name in enumerate(rows):
            odd.loc[cell == k, name] = rows[name].to_numpy()[other][cell == k]
    return odd


def detection(
    model: surveyor.Model, known: pd.DataFrame, rows: pd.DataFrame, seed: int
) -> dict[str, float]:
    """Return the AUC of likelihood, critic and an isolation forest in telling odd rows."""
    odd, told = odd_rows(rows, seed), np.repeat([1, 0], len(rows))
    (a, b, c), _ = numbers(known, rows, odd)
    forest = IsolationForest(n_estimators=300, random_state=seed).fit(a)
    both = {
        "likelihood": [model.score(rows), model.score(odd)],
        "critic": [model.score(rows, by="critic"), model.score(odd, by="critic")],
        "IsolationForest": [forest.score_samples(b), forest.score_samples(c)],
    }
    return {name: float(roc_auc_score(told, np.concatenate(s))) for name, s in both.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    known, test = (pd.read_csv(data_file(f"adult_{part}.csv.gz")) for part in ("train", "test"))
    with tempfile.TemporaryDirectory() as place:
        source = str(Path(place) / "adult.csv")
        known.to_csv(source, index=False)
        jobs = {
            (group, balance, seed): (
                source, ["--group", group, *balance, "--seed", str(seed), "--threads", "1"]
            )
            for group in ("sex", "race")
            for balance in ((), ("--balance",))
            for seed in given.seeds
        }  # fmt: skip
        runs: list[dict[str, Any]] = []
        for (group, balance, seed), trained in train_all(jobs):
            parts = trained.evaluation.parts("w1", "group")
            run: dict[str, Any] = {"group": group, "balance": bool(balance), "seed": seed}
            run["parts"] = {p.of: [p.n, p.value, p.floor] for p in parts}
            ordered = sorted(parts, key=lambda p: (-p.n, p.of))
            ratios = [p.ratio for p in ordered if p.ratio is not None]
            run["smallest over largest"] = ratios[-1] / ratios[0]
            run["auc"] = trained.evaluation["auc"].value
            if group == "sex" and not balance:
                model = surveyor.load(trained.folder)
                fair = model.sample(len(known), seed=seed, parity=("income", "sex"))
                plain = model.sample(len(known), seed=seed)
                run["parity"] = {
                    "gap, real": gap(known["income"].to_numpy(), known["sex"].to_numpy()),
                    "gap, generated": gap(plain["income"].to_numpy(), plain["sex"].to_numpy()),
                    "gap, with parity": gap(fair["income"].to_numpy(), fair["sex"].to_numpy()),
                    "accuracy, real": accuracy(known, test),
                    "accuracy, generated": accuracy(plain, test),
                    "accuracy, with parity": accuracy(fair, test),
                }
                run["detection"] = detection(model, known, test, seed)
            runs.append(run)
            console.print(run, highlight=False)
            write("groups", {"swapped": SWAPPED, "runs": runs})
    show(
        "Smallest group's W1 / floor over the largest's",
        ("group", "balanced", "seed", "ratio"),
        [(r["group"], r["balance"], r["seed"], f"{r['smallest over largest']:.2f}") for r in runs],
    )


def section(found: Found) -> str:
    told = []
    for (group, balance), runs in grouped(found["runs"], "group", "balance").items():
        each = ", ".join(f"{r['smallest over largest']:.2f}" for r in runs)
        told.append(f"{group}{' with `--balance`' * balance} {each}")
    fair = [r for r in found["runs"] if "parity" in r]
    rows = [
        [name, *(f"{r['parity'][f'{what}, {name}']:.3f}" for what in ("gap", "accuracy") for r in fair)]
        for name in ("real", "generated", "with parity")
    ]  # fmt: skip
    seeds = [f"{what}, seed {r['seed']}" for what in ("gap", "accuracy") for r in fair]
    found_by = "; ".join(
        f"{name} {', '.join(format(r['detection'][name], '.3f') for r in fair)}"
        for name in fair[0]["detection"]
    )
    return (
        "**Groups of Adult** (`make bench-groups`, two seeds): W1 / floor of the smallest group over that of the largest: "
        + "; ".join(told) + ". Income above 50K by sex, and the accuracy on the test file of boosted trees trained on the rows, "
        "without and with `--parity income:sex`:\n\n" + table(["rows", *seeds], rows)
        + f"\n\n**Odd rows** (same command): AUC in separating test rows from the same rows with {found['swapped']} random cells "
        f"exchanged, none of them seen in training: {found_by}."
    )  # fmt: skip


SECTION = Section(140, section)


if __name__ == "__main__":
    main()
