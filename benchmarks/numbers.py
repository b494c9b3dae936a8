"""Numeric tables: how hard generated rows are to tell from real ones, and the rules they break.

Half of a table trains, the other half judges; real rows of the first half are the mark. Tuned on
seed 1, reported on others.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import f1_score, r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict

import surveyor
from benchmarks.common import Run, console, data_file, merged, write
from benchmarks.page import Found, Section, grouped, table
from benchmarks.tables import need_peers, numbers, peer
from surveyor.data import Options
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.files import Table
from surveyor.kinds.table.rules import View, find_rules

MOST = 8_000  # rows of either half
TABLES = {
    "texture": "class", "penbased": "class", "satimage": "class",
    "diamonds": "price", "flights_nyc": "arr_delay", "adult_train": "income",
}  # fmt: skip
OWN: dict[str, dict[str, Any]] = {
    "Surveyor": {},
    "Surveyor, likelihood alone": {"warm_start": 1.0},
}
PEERS: dict[str, list[str]] = {
    "CTGAN, 30 epochs": ["ctgan", "--epochs", "30"],
    "ARF": ["arf"],
}
METHODS = (*OWN, *PEERS)


def halves(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows = pd.read_csv(data_file(f"{name}.csv.gz")).sample(frac=1, random_state=seed)
    rows = rows.head(2 * MOST).reset_index(drop=True)
    half = len(rows) // 2
    return rows[:half], rows[half:].reset_index(drop=True)


def c2st(made: pd.DataFrame, real: pd.DataFrame, seed: int) -> float:
    """Return 2 (1 - AUC) of boosted trees over three folds, at most 1: 1 is indistinguishable."""
    n = min(len(made), len(real))
    (a, b), kinds = numbers(made[:n], real[:n])
    x, y = np.concatenate([a, b]), np.repeat([0, 1], n)
    order = np.random.default_rng(seed).permutation(2 * n)
    trees = HistGradientBoostingClassifier(categorical_features=kinds, random_state=seed)
    told = cross_val_predict(trees, x[order], y[order], cv=3, method="predict_proba")[:, 1]
    return float(min(1.0, 2 * (1 - roc_auc_score(y[order], told))))


def usefulness(made: pd.DataFrame, real: pd.DataFrame, target: str, seed: int) -> float:
    """Return the F1 or R2 on real rows of trees that predict a column, trained on made ones."""
    made, real = (f.dropna(subset=[target]) for f in (made, real))
    (a, b), kinds = numbers(*(f.drop(columns=target) for f in (made, real)))
    if pd.api.types.is_numeric_dtype(real[target]) and real[target].nunique() > 20:
        fitted = HistGradientBoostingRegressor(categorical_features=kinds, random_state=seed)
        return float(r2_score(real[target], fitted.fit(a, made[target]).predict(b)))
    trees = HistGradientBoostingClassifier(categorical_features=kinds, random_state=seed)
    words = made[target].astype(str), real[target].astype(str)
    return float(f1_score(words[1], trees.fit(a, words[0]).predict(b), average="macro"))


def broken(made: pd.DataFrame, train: pd.DataFrame, seed: int) -> int:
    """Return how many rows break a rule that no training row breaks."""
    files = Table()
    raw = files.read(train, Options())
    codec = files.fit(raw, Options())
    assert isinstance(codec, TableCodec)
    whole = View(codec.measured, raw.take(np.arange(len(raw))))
    rules = [f.rule for f in find_rules(codec.measured, whole.frame, seed)]
    kept = [rule for rule in rules if rule.check(whole).counts[0] == 0]
    reopened = files.reopen(made, codec)
    view = View(codec.measured, reopened.take(np.arange(len(reopened))))
    wrong = np.zeros(len(view), dtype=bool)
    for rule in kept:
        checked = rule.check(view)
        wrong |= checked.applies & checked.broken
    return int(wrong.sum())


def judged(
    made: pd.DataFrame, train: pd.DataFrame, real: pd.DataFrame, name: str, seed: int
) -> Run:
    with tempfile.TemporaryDirectory() as folder:
        made.to_csv(Path(folder) / "made.csv", index=False)
        made = pd.read_csv(Path(folder) / "made.csv")
    return {
        "C2ST": c2st(made, real, seed),
        "useful": usefulness(made, real, TABLES[name], seed),
        "broken": broken(made, train, seed),
    }


def by_surveyor(
    train: pd.DataFrame, seed: int, options: dict[str, Any]
) -> tuple[pd.DataFrame, float]:
    begun = time.monotonic()
    made = surveyor.fit(train, seed=seed, **options).sample(len(train), seed=seed)
    return made, time.monotonic() - begun


def by_peer(
    train: pd.DataFrame, name: str, seed: int, words: list[str]
) -> tuple[pd.DataFrame, float]:
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "train.csv", Path(folder) / "made.csv"
        train.dropna().to_csv(source, index=False)  # ARF takes no missing values
        more = ["--target", TABLES[name], "--seed", str(seed)]
        seconds = peer(words[0], source, out, *words[1:], *more)["seconds"]
        return pd.read_csv(out), seconds


def made_by(method: str, train: pd.DataFrame, name: str, seed: int) -> tuple[pd.DataFrame, float]:
    if method in OWN:
        return by_surveyor(train, seed, OWN[method])
    return by_peer(train, name, seed, PEERS[method])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[2, 3])
    parser.add_argument("--tables", nargs="*", default=list(TABLES))
    parser.add_argument("--methods", nargs="*", default=[*METHODS], choices=[*METHODS])
    given = parser.parse_args()
    if {*given.methods} & {*PEERS}:
        need_peers()
    runs: list[Run] = []
    for seed in given.seeds:
        for name in given.tables:
            train, real = halves(name, seed)
            own = {"table": name, "seed": seed}
            runs.append(own | {"method": "real rows"} | judged(train, train, real, name, seed))
            console.print(runs[-1], highlight=False)
            for method in given.methods:
                made, seconds = made_by(method, train, name, seed)
                found = judged(made, train, real, name, seed) | {"seconds": seconds}
                runs.append(own | {"method": method} | found)
                console.print(runs[-1], highlight=False)
            write("numbers", {"runs": merged("numbers", runs, "table", "seed", "method")})


def section(found: Found) -> str:
    rows = []
    for (name, method), runs in grouped(found["runs"], "table", "method").items():
        c2sts, useful = ([run[k] for run in runs] for k in ("C2ST", "useful"))
        seconds = [run["seconds"] for run in runs if "seconds" in run]
        rows.append(
            [
                name, method,
                f"{np.median(c2sts):.3f} ({min(c2sts):.3f})",
                f"{np.median(useful):.3f} ({min(useful):.3f})",
                f"{sum(run['broken'] for run in runs):,}",
                f"{np.median(seconds):.0f}" if seconds else "",
                str(len(runs)),
            ]
        )  # fmt: skip
    return (
        f"**Numeric tables** (`make bench-numbers`; medians over seeds, worst in brackets): half of a table, at most {MOST:,} rows, trains; the "
        "other half judges. C2ST, 2 (1 - AUC) of boosted trees over three folds (1: cannot be told); F1 (macro) or R2 on real rows of boosted "
        "trees that predict the class, the price, the delay or the income, trained on generated rows; rows that break a rule that no training "
        "row breaks; seconds from rows to rows. CTGAN and ARF (adversarial random forests, Watson et al. 2023) get the rows without missing values. Tuned on seed 1.\n\n"
        + table(["", "rows", "C2ST", "F1 or R2", "broken", "s", "seeds"], rows)
    )  # fmt: skip


SECTION = Section(215, section)


if __name__ == "__main__":
    main()
