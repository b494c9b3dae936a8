"""LaLonde's experiment in exact W1, SDGym's grid and ring in likelihoods, diamonds over their floor."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp
from sklearn.mixture import GaussianMixture

import surveyor
from benchmarks.common import console, data_file, show, train_all, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.data.toy import grid_modes, ring_modes
from surveyor.transport import wasserstein_1_discrete

SIGMA = 0.05**0.5  # SDGym's, of both mixtures
MIXTURES = {"grid": grid_modes(), "ring": ring_modes()}
POINTS = 10_000
EXPERIMENTS = 10  # seeds of LaLonde's 445 rows, of which one sample says little


def mixture(name: str, seed: int) -> pd.DataFrame:
    rng, centres = np.random.default_rng(seed), MIXTURES[name]
    points = centres[rng.integers(0, len(centres), POINTS)] + SIGMA * rng.normal(size=(POINTS, 2))
    return pd.DataFrame(points, columns=["x", "y"])


def likelihood(points: np.ndarray, name: str) -> float:
    """Return the mean log likelihood of points under the true mixture (L_syn)."""
    square = ((points[:, None] - MIXTURES[name][None]) ** 2).sum(-1)
    each = logsumexp(-square / (2 * SIGMA**2), axis=1) - np.log(len(MIXTURES[name]))
    return float(each.mean() - np.log(2 * np.pi * SIGMA**2))


def refitted(points: np.ndarray, name: str, test: np.ndarray) -> float:
    """Return the mean log likelihood of test points under a mixture fitted to ``points`` (L_test)."""
    count = len(MIXTURES[name])
    model = GaussianMixture(count, covariance_type="diag", n_init=5, random_state=0)
    return float(model.fit(points).score(test))


def lalonde(model: surveyor.Model, rows: pd.DataFrame, seed: int) -> dict[str, float]:
    counts = rows["treat"].value_counts()
    parts = [model.sample(int(n), {"treat": t}, seed) for t, n in counts.items()]
    made = pd.concat(parts)[list(rows)]
    fresh = [model.sample(int(n), {"treat": t}, seed, apart_from=rows) for t, n in counts.items()]
    apart = pd.concat(fresh)[list(rows)]
    copies = made.merge(rows.drop_duplicates(), on=list(rows))
    shared = rows.duplicated(keep=False).sum()
    earned = copies[["re74", "re75", "re78"]].sum(axis=1) > 0
    a, b = (f.to_numpy(dtype=float) for f in (made, rows))
    rng = np.random.default_rng(seed)
    mixed = np.stack([rng.permutation(column) for column in b.T], axis=1)
    again = b[rng.integers(0, len(b), len(b))]
    return {
        "w1": wasserstein_1_discrete(a, b),
        "w1 without copies": wasserstein_1_discrete(apart.to_numpy(dtype=float), b),
        "shuffled": wasserstein_1_discrete(mixed, b),
        "bootstrap": wasserstein_1_discrete(again, b),
        "copies": len(copies),
        "copies with earnings": int(earned.sum()),
        "duplicates in the data": int(shared),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    rows = pd.read_csv(data_file("lalonde_nsw.csv.gz")).drop(columns="data_id")
    with tempfile.TemporaryDirectory() as place:
        rows.to_csv(f"{place}/lalonde.csv", index=False)
        jobs: dict[Any, tuple[str, list[str]]] = {}
        for seed in range(1, EXPERIMENTS + 1):
            own = ["--seed", str(seed), "--threads", "1", "--condition", "treat"]
            jobs["lalonde", seed] = (f"{place}/lalonde.csv", own)
        for seed in given.seeds:
            own = ["--seed", str(seed), "--threads", "1"]
            for name in MIXTURES:
                source = Path(place) / f"{name}{seed}.csv"
                mixture(name, seed).to_csv(source, index=False)
                jobs[name, seed] = (str(source), own)
        jobs["diamonds", given.seeds[0]] = (
            data_file("diamonds.csv.gz"), ["--seed", str(given.seeds[0]), "--threads", "1"]
        )  # fmt: skip
        runs: list[dict[str, Any]] = []
        for (name, seed), trained in train_all(jobs):
            model, run = surveyor.load(trained.folder), {"data": name, "seed": seed}
            run |= {"seconds": trained.seconds, "ratio": trained.evaluation["w1"].ratio}
            run["auc"] = trained.evaluation["auc"].value
            if name == "lalonde":
                run |= lalonde(model, rows, seed)
            elif name in MIXTURES:
                made = model.sample(POINTS, seed=seed).to_numpy()
                test = mixture(name, 1000 + seed).to_numpy()
                real = mixture(name, seed).to_numpy()
                run |= {"l_syn": likelihood(made, name), "l_test": refitted(made, name, test)}
                run |= {"l_real": likelihood(real, name), "l_test_real": refitted(real, name, test)}
            runs.append(run)
            console.print(run, highlight=False)
            write("smalltables", {"runs": runs})
    keys = (
        "ratio",
        "auc",
        "w1",
        "w1 without copies",
        "shuffled",
        "bootstrap",
        "copies",
        "l_syn",
        "l_test",
        "l_real",
        "l_test_real",
        "seconds",
    )
    show(
        "Small tables",
        ("data", "seed", *keys),
        [(r["data"], r["seed"], *(f"{r[k]:.4g}" if k in r else "-" for k in keys)) for r in runs],
    )


def section(found: Found) -> str:
    by = grouped(found["runs"], "data")

    def each(name: str, key: str, form: str) -> str:
        return ", ".join(format(r[key], form) for r in by[name,])

    def spread(key: str) -> str:
        values = [r[key] for r in by["lalonde",]]
        return f"{float(np.median(values)):,.0f} ({min(values):,.0f} to {max(values):,.0f})"

    mixtures = [
        [name, *(each(name, key, ".2f") for key in ("l_syn", "l_real", "l_test", "l_test_real"))]
        for name in ("grid", "ring")
    ]
    diamonds = by["diamonds",][0]
    return (
        "**Small tables** (`make bench-smalltables`). LaLonde's experiment, exact W1 in dollars and units between the 445 rows and as many "
        f"generated, medians of {len(by['lalonde',])} seeds (least to largest): {spread('w1')}; with no row equal to a real one (`--apart-from`) "
        f"{spread('w1 without copies')}; columns shuffled {spread('shuffled')}; resampled from the real rows {spread('bootstrap')}. Unless kept "
        f"apart, {spread('copies')} of 445 equal a real row, of those with any earnings {spread('copies with earnings')}. "
        f"Diamonds: W1 / floor {diamonds['ratio']:.2f}, classifier AUC {diamonds['auc']:.2f}. "
        "SDGym's mixtures, log likelihood of generated points under the truth and of test points under a mixture refitted to the "
        "generated ones:\n\n" + table(["data", "L_syn", "of real points", "L_test", "from real points"], mixtures)
    )  # fmt: skip


SECTION = Section(210, section)


if __name__ == "__main__":
    main()
