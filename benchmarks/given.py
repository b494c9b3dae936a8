"""Any column given: holes of Adult filled, columns predicted, rare values drawn, by one model."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer
from sklearn.metrics import log_loss, roc_auc_score

import surveyor
from benchmarks.common import Run, console, data_file, kept, merged, write
from benchmarks.numbers import c2st
from benchmarks.page import Found, Section, grouped, median, table

ROWS, SHARE = 4000, 0.2
TARGETS = ("income", "occupation", "hours-per-week", "age")
RARE: dict[str, dict[str, str]] = {
    "native-country=Thailand": {"native-country": "Thailand"},
    "Doctorate, female, <=50K": {"education": "Doctorate", "sex": "Female", "income": "<=50K"},
    "capital-gain=99999": {"capital-gain": "99999"},
}
Fill = Callable[[pd.DataFrame], pd.DataFrame]


def gone(rows: pd.DataFrame, at_random: bool, rng: np.random.Generator) -> np.ndarray:
    """Return which cells (n, columns) are made holes: any, or more often large or frequent ones.

    Not at random, a cell above its column's median, or with its most frequent label, is lost with
    probability .3, others with .1.
    """
    odds = np.full(rows.shape, SHARE)
    if not at_random:
        for k, name in enumerate(rows):
            own = rows[name]
            number = pd.api.types.is_numeric_dtype(own)
            high = own > own.median() if number else own == own.mode()[0]
            odds[:, k] = np.where(high, 0.3, 0.1)
    lost = rng.random(rows.shape) < odds
    return np.asarray(lost & rows.notna().to_numpy())


def holed(rows: pd.DataFrame, holes: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame({n: rows[n].mask(holes[:, k]) for k, n in enumerate(rows)})


def most_frequent(train: pd.DataFrame) -> Fill:
    typical = {
        n: train[n].median() if pd.api.types.is_numeric_dtype(train[n]) else train[n].mode()[0]
        for n in train
    }
    return lambda rows: rows.fillna(typical)


def iterative(train: pd.DataFrame, seed: int, drawn: bool) -> Fill:
    """scikit-learn's IterativeImputer, with labels as numbers, rounded to the nearest one."""
    labels = {
        n: sorted(train[n].dropna().unique())
        for n in train
        if not pd.api.types.is_numeric_dtype(train[n])
    }

    def numbers(rows: pd.DataFrame) -> pd.DataFrame:
        made = {n: rows[n] for n in rows}
        for n, own in labels.items():
            made[n] = rows[n].map({label: k for k, label in enumerate(own)})
        return pd.DataFrame(made).astype(float)

    imputer = IterativeImputer(random_state=seed, sample_posterior=drawn)
    imputer.fit(numbers(train))

    def fill(rows: pd.DataFrame) -> pd.DataFrame:
        filled = pd.DataFrame(imputer.transform(numbers(rows)), columns=rows.columns)
        for n in rows:
            own = filled[n].round()
            if n in labels:
                own = own.clip(0, len(labels[n]) - 1).astype(int).map(dict(enumerate(labels[n])))
            filled[n] = rows[n].where(rows[n].notna(), own)
        return filled

    return fill


def figures(made: pd.DataFrame, rows: pd.DataFrame, holes: np.ndarray) -> Run:
    """Return the share of labels that are right, the error of numbers in deviations, both means."""
    right, error = [], []
    for k, name in enumerate(rows):
        a, b = made[name][holes[:, k]], rows[name][holes[:, k]]
        if pd.api.types.is_numeric_dtype(rows[name]):
            spread = rows[name].std()
            error.append(float((a.astype(float) - b).abs().mean() / spread))
        else:
            right.append(float((a == b).mean()))
    return {"right": float(np.mean(right)), "error": float(np.mean(error))}


def filled(model: surveyor.Model, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> list[Run]:
    fills: dict[str, Fill] = {
        "Surveyor": lambda rows: model.impute(rows, seed=seed),
        "Surveyor, drawn": lambda rows: model.impute(rows, 1, seed).drop(columns="draw"),
        "IterativeImputer": iterative(train, seed, False),
        "IterativeImputer, drawn": iterative(train, seed, True),
        "median and mode": most_frequent(train),
    }
    runs: list[Run] = []
    for at_random in (True, False):
        holes = gone(test, at_random, np.random.default_rng(seed))
        rows = holed(test, holes)
        for name, fill in fills.items():
            begun = time.monotonic()
            made = fill(rows)
            seconds = time.monotonic() - begun
            whole = made.mask(test.isna())  # what is missing in the test file, in all methods
            runs.append(
                {
                    "what": "fill", "data": "at random" if at_random else "not at random",
                    "method": name, "seed": seed, **figures(made, test, holes),
                    "c2st": c2st(whole, train, seed), "rows_s": len(rows) / seconds,
                }
            )  # fmt: skip
            console.print(runs[-1], highlight=False)
    return runs


def said(model: surveyor.Model, rows: pd.DataFrame, target: str) -> tuple[Any, float]:
    begun = time.monotonic()
    told = model.predict(rows.drop(columns=target), target)
    return told, len(rows) / (time.monotonic() - begun)


def coded(rows: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {
            n: rows[n]
            if pd.api.types.is_numeric_dtype(like[n])
            else pd.Categorical(rows[n], categories=sorted(like[n].dropna().unique()))
            for n in like
        }
    )


def predicted(
    model: surveyor.Model, train: pd.DataFrame, test: pd.DataFrame, seed: int
) -> list[Run]:
    """Predict columns by the model, and by boosted trees trained for each."""
    runs: list[Run] = []
    for target in TARGETS:
        x, y = coded(train.drop(columns=target), train.drop(columns=target)), train[target]
        own, true = coded(test.drop(columns=target), train.drop(columns=target)), test[target]
        known = y.notna().to_numpy()
        x, y, there = x[known], y[known], true.notna().to_numpy()
        told, speed = said(model, test, target)
        number = pd.api.types.is_numeric_dtype(y)
        trees = (HistGradientBoostingRegressor if number else HistGradientBoostingClassifier)(
            categorical_features="from_dtype", random_state=seed
        ).fit(x, y)
        for name in ("Surveyor", "boosted trees"):
            run: Run = {"what": "predict", "data": target, "method": name, "seed": seed}
            if number:
                guess = told[f"{target}: mean"] if name == "Surveyor" else trees.predict(own)
                run["r2"] = float(1 - ((guess - true) ** 2).mean() / true.var())
                if name == "Surveyor":
                    low, high = told[f"{target}: 5%"], told[f"{target}: 95%"]
                    run["inside"] = float(((true >= low) & (true <= high)).mean())
            else:
                labels = sorted(y.unique())
                odds = (
                    told[[f"p({label})" for label in labels]].to_numpy()
                    if name == "Surveyor"
                    else trees.predict_proba(own)
                )[there]
                odds = odds / odds.sum(1, keepdims=True)
                real = true[there]
                run["right"] = float((np.array(labels)[odds.argmax(1)] == real).mean())
                run["log_loss"] = float(log_loss(real, odds, labels=labels))
                if len(labels) == 2:
                    run["auc"] = float(roc_auc_score(real == labels[1], odds[:, 1]))
            if name == "Surveyor":
                run["rows_s"] = speed
            console.print(run, highlight=False)
            runs.append(run)
    return runs


def rare(model: surveyor.Model, seed: int) -> list[Run]:
    runs: list[Run] = []
    for name, where in RARE.items():
        for n in (1000, 20_000):
            begun = time.monotonic()
            made = model.sample(n, where=where, seed=seed)
            seconds = time.monotonic() - begun
            distinct = len(made.drop_duplicates()) / n
            runs.append(
                {
                    "what": "rare", "data": name, "method": f"{n:,} rows", "seed": seed,
                    "rows_s": n / seconds, "distinct": distinct,
                }
            )  # fmt: skip
            console.print(runs[-1], highlight=False)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[2, 3, 4])
    parser.add_argument("--resume", action="store_true", help="keep runs of results/given.json")
    given = parser.parse_args()
    train = pd.read_csv(data_file("adult_train.csv.gz"))
    every = pd.read_csv(data_file("adult_test.csv.gz"))
    every["income"] = every["income"].str.rstrip(".")
    runs: list[Run] = kept("given") if given.resume else []
    for seed in given.seeds:
        test = every.sample(ROWS, random_state=seed).reset_index(drop=True)
        model = surveyor.fit(train, seed=seed)
        new = [
            *filled(model, train, test, seed),
            *predicted(model, train, test, seed),
            *rare(model, seed),
        ]
        runs = merged("given", [*runs, *new], "what", "data", "method", "seed")
        write("given", {"runs": runs})


def section(found: Found) -> str:
    parts = []
    fills = grouped([r for r in found["runs"] if r["what"] == "fill"], "data", "method")
    parts.append(
        "**Any column given** (`make bench-given`, Adult, one default run a seed, medians over seeds). "
        f"Holes: {ROWS:,} rows of the test file lose a fifth of their cells, at random or more often where they are large or frequent; labels that come back "
        "right, error of numbers in deviations (means over columns), and C2ST of the filled rows against real ones (1: cannot be told).\n\n"
        + table(
            ["holes", "filled by", "right", "error", "C2ST", "rows / s"],
            [
                [d, m, *(f"{median(r, k):.3f}" for k in ("right", "error", "c2st")), f"{median(r, 'rows_s'):,.0f}"]
                for (d, m), r in fills.items()
            ],
        )
    )  # fmt: skip
    told = grouped([r for r in found["runs"] if r["what"] == "predict"], "data", "method")

    def shown(runs: list[Run], key: str) -> str:
        return f"{median(runs, key):.3f}" if key in runs[0] else "-"

    parts.append(
        "Predictions of the same rows, whole but for the target, beside boosted trees trained for each target; the share of "
        "numbers between the quantiles of 5 and 95% should be .90.\n\n"
        + table(
            ["target", "by", "right", "log loss", "AUC", "R2", "within 90%", "rows / s"],
            [
                [
                    d, m, *(shown(r, k) for k in ("right", "log_loss", "auc", "r2", "inside")),
                    f"{median(r, 'rows_s'):,.0f}" if "rows_s" in r[0] else "-",
                ]
                for (d, m), r in told.items()
            ],
        )
    )  # fmt: skip
    drawn = grouped([r for r in found["runs"] if r["what"] == "rare"], "data", "method")
    parts.append(
        "Rare values, `sample --where`: rows per second, and the share of rows that equal no other.\n\n"
        + table(
            ["given", "", "rows / s", "distinct"],
            [
                [d, m, f"{median(r, 'rows_s'):,.0f}", f"{median(r, 'distinct'):.3f}"]
                for (d, m), r in drawn.items()
            ],
        )
    )
    return "\n\n".join(parts)


SECTION = Section(217, section)


if __name__ == "__main__":
    main()
