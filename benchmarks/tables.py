"""Adult's rows, Surveyor's and others': quality, a classifier's two-sample test, usefulness, time."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import cross_val_predict

import surveyor
from benchmarks.common import console, data_file, kept, show, train, write
from benchmarks.page import Found, Row, Section, grouped, table

PEERS = os.environ.get("SURVEYOR_PEERS", ".venv-peers/bin/python")
RATE_ROWS = 200_000
MOST_CATEGORIES = 200  # more are given to trees as numbers


def need_peers() -> None:
    if not Path(PEERS).exists():
        sys.exit(f"{PEERS}: not there; make .venv-peers makes it, or set SURVEYOR_PEERS")


def peer(what: str, real: Path, made: Path, *options: str) -> dict[str, float]:
    script = Path(__file__).with_name("peers.py")
    done = subprocess.run(
        [PEERS, "-P", str(script), what, str(real), str(made), *options],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def numbers(*frames: pd.DataFrame) -> tuple[list[np.ndarray], list[bool]]:
    """Return tables as numbers, categories by their place, and which columns are categories."""
    first, kinds = frames[0], []
    made = [np.empty((len(f), first.shape[1])) for f in frames]
    for k, c in enumerate(first):
        words = not pd.api.types.is_numeric_dtype(first[c])
        if words:
            texts = [f[c].fillna("").astype(str) for f in frames]
            places = {v: j for j, v in enumerate(sorted(pd.concat(texts).unique()))}
        kinds.append(words and len(places) <= MOST_CATEGORIES)
        for j, (out, f) in enumerate(zip(made, frames, strict=True)):
            out[:, k] = texts[j].map(places) if words else f[c].astype(float)
    return made, kinds


def c2st(made: pd.DataFrame, real: pd.DataFrame, seed: int = 0) -> float:
    """Return 2 (1 - AUC) of boosted trees over three folds, at most 1: 1 is indistinguishable."""
    n = min(len(made), len(real))
    (a, b), kinds = numbers(made.iloc[:n][list(real)], real.sample(n, random_state=seed))
    x, y = np.concatenate([a, b]), np.repeat([0, 1], n)
    trees = HistGradientBoostingClassifier(categorical_features=kinds, random_state=seed)
    told = cross_val_predict(trees, x, y, cv=3, method="predict_proba")[:, 1]
    return float(min(1.0, 2 * (1 - roc_auc_score(y, told))))


def usefulness(made: pd.DataFrame, real: pd.DataFrame, seed: int = 0) -> float:
    """Return the F1 on real rows of a classifier of the last column trained on made ones."""
    (a, b), kinds = numbers(made[list(real)], real)
    trees = HistGradientBoostingClassifier(categorical_features=kinds[:-1], random_state=seed)
    fitted = trees.fit(a[:, :-1], a[:, -1])
    return float(f1_score(b[:, -1], fitted.predict(b[:, :-1])))


def judged(made: pd.DataFrame, test: Path, folder: Path) -> dict[str, float]:
    real, place = pd.read_csv(test), folder / "made.csv"
    made.to_csv(place, index=False)
    made = pd.read_csv(place)
    found = peer("quality", test, place)
    return found | {"c2st": c2st(made, real), "f1": usefulness(made, real)}


def by_surveyor(*options: str) -> Callable[[Path, Path, int], tuple[pd.DataFrame, dict[str, Any]]]:
    def make(source: Path, folder: Path, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
        begun = time.monotonic()
        run = train(str(source), ["--seed", str(seed), *options], folder / "run").folder
        model = surveyor.load(run)
        made = model.sample(len(pd.read_csv(source)), seed=seed)
        seconds = time.monotonic() - begun
        begun = time.monotonic()
        model.sample(RATE_ROWS)
        rate = RATE_ROWS / (time.monotonic() - begun)
        keep = {k: model.evaluation[k].value for k in ("membership_auc", "closer_to_training")}
        keep["ratio"] = model.evaluation["w1"].ratio
        return made, {"seconds": seconds, "rows_a_second": rate, "evaluation": keep}

    return make


def by_ctgan(epochs: int) -> Callable[[Path, Path, int], tuple[pd.DataFrame, dict[str, Any]]]:
    def make(source: Path, folder: Path, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
        place = folder / "ctgan.csv"
        facts = peer("ctgan", source, place, "--epochs", str(epochs), "--seed", str(seed))
        return pd.read_csv(place), dict(facts)

    return make


def shuffled(source: Path, folder: Path, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    rows, rng = pd.read_csv(source), np.random.default_rng(seed)
    return pd.DataFrame({c: rng.permutation(rows[c].to_numpy()) for c in rows}), {}


def real_rows(source: Path, folder: Path, seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    return pd.read_csv(source).sample(frac=1, random_state=seed), {}


METHODS: dict[str, Callable[[Path, Path, int], tuple[pd.DataFrame, dict[str, Any]]]] = {
    "real training rows": real_rows,
    "columns shuffled": shuffled,
    "Surveyor": by_surveyor(),
    "Surveyor, not calibrated": by_surveyor("--calibrate", "no"),
    "Surveyor, likelihood alone": by_surveyor("--warm-start", "1"),
    "Surveyor, no warm start": by_surveyor("--generator", "mlp:width=256,depth=2,residual=true"),
    "CTGAN, 5 epochs": by_ctgan(5),
    "CTGAN, 300 epochs": by_ctgan(300),
}
FIGURES = ("quality", "shapes", "trends", "c2st", "f1", "seconds", "rows_a_second")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument(
        "--resume", action="store_true", help="keep the runs in results/tables.json"
    )
    given = parser.parse_args()
    need_peers()
    runs: list[dict[str, Any]] = []
    if given.resume:
        runs = kept("tables")
    done = {(r["method"], r["seed"]) for r in runs}
    with tempfile.TemporaryDirectory() as place:
        sources = [Path(place) / f"{part}.csv" for part in ("train", "test")]
        for part, path in zip(("train", "test"), sources, strict=True):
            pd.read_csv(data_file(f"adult_{part}.csv.gz")).to_csv(path, index=False)
        for seed in given.seeds:
            for name in given.methods:
                if (name, seed) in done:
                    continue
                folder = Path(place) / f"{len(runs)}"
                folder.mkdir()
                made, facts = METHODS[name](sources[0], folder, seed)
                run = {"method": name, "seed": seed, **facts, **judged(made, sources[1], folder)}
                runs.append(run)
                told = ", ".join(f"{k} {run[k]:.4g}" for k in FIGURES if k in run)
                console.print(f"{name}, seed {seed}: {told}", highlight=False)
                write("tables", {"runs": runs})
    rows = []
    for name in METHODS:
        own = [r for r in runs if r["method"] == name]
        if own:
            medians = [
                float(np.median([r[k] for r in own])) if k in own[0] else "-" for k in FIGURES
            ]
            rows.append((name, len(own), *medians))
    show("Adult, medians", ("rows", "seeds", *FIGURES), rows)


def section(found: Found) -> str:
    keys = ("quality", "shapes", "trends", "c2st", "f1", "seconds", "rows_a_second")
    forms = (".4f", ".4f", ".4f", ".3f", ".3f", ".0f", ",.0f")
    rows = []
    for (method,), runs in grouped(found["runs"], "method").items():
        medians = [float(np.median([r[k] for r in runs])) if k in runs[0] else None for k in keys]
        cells = ["-" if m is None else format(m, f) for m, f in zip(medians, forms, strict=True)]
        rows.append([method, str(len(runs)), *cells])
    worst = {k: min(r[k] for r in found["runs"] if r["method"] == "Surveyor") for k in keys[:5]}
    return (
        "**Adult's rows** (`make bench-tables`; medians over seeds; CTGAN and sdmetrics in an environment of their own): "
        "against the 16,281 rows of the test file, sdmetrics Quality with its two halves; C2ST, 2 (1 - AUC) of boosted trees over "
        "three folds, 1 where rows cannot be told from real ones; F1 on the test file of the same trees trained on the rows. "
        "Seconds from the file to as many rows as it has, on two cores. Surveyor trains on four fifths of the rows and keeps the rest "
        "for its own numbers; it learns by likelihood first, then plays the game: likelihood alone is in the table. "
        "Surveyor's worst seed: " + ", ".join(f"{k} {v:.3f}" for k, v in worst.items()) + ".\n\n"
        + table(["rows", "seeds", "Quality", "shapes", "trends", "C2ST", "F1", "s", "rows / s"], rows)
    )  # fmt: skip


def headline(found: Found) -> list[str]:
    runs = grouped(found["runs"], "method")
    c2st = {m: float(np.median([r["c2st"] for r in own])) for (m,), own in runs.items()}
    seconds = {
        m: float(np.median([r["seconds"] for r in own if "seconds" in r] or [np.nan]))
        for (m,), own in runs.items()
    }
    return [
        "Adult: how hard its rows are to tell from real ones for boosted trees (C2ST, at most 1)",
        f"**{c2st['Surveyor']:.3f}** in {seconds['Surveyor']:.0f} s",
        f"CTGAN, 300 epochs: {c2st['CTGAN, 300 epochs']:.3f} in "
        f"{seconds['CTGAN, 300 epochs']:,.0f} s; real rows {c2st['real training rows']:.3f}",
    ]


SECTION = Section(130, section, Row(1, headline))


if __name__ == "__main__":
    main()
