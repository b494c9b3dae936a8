"""Adult over five clients that share no level of education: federated, in one place, and averaged."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import pandas as pd

import surveyor
from benchmarks.common import Run, console, data_file, kept, merged, show, write
from benchmarks.page import Found, Section, grouped, median, table
from surveyor import federated
from surveyor.api import finish

CLIENTS = {
    "school": ("HS-grad", "Some-college"),
    "college": ("Bachelors", "Masters"),
    "between": ("Assoc-voc", "Assoc-acdm", "11th", "10th", "7th-8th", "9th", "12th"),
    "doctors": ("Prof-school", "Doctorate"),
    "little": ("5th-6th", "1st-4th", "Preschool"),
}
SMALLEST = "little"
CENTRAL = {"steps": 200, "rules": "no", "device": "cpu"}
AVERAGED = {"ratio": 1.082, "auc": 0.718, "smallest": 0.0}
"""FedAvg by rows, 20 rounds of 60 local steps: a trial of one seed on the same split, not run here."""
DRAWN = 20_000


def split(folder: Path) -> list[str]:
    """Write a file for each client, and return their paths."""
    rows = pd.read_csv(data_file("adult_train.csv.gz"))
    for name, levels in CLIENTS.items():
        rows[rows["education"].isin(levels)].to_csv(folder / f"{name}.csv", index=False)
    return [str(folder / f"{name}.csv") for name in CLIENTS]


def shares(made: pd.DataFrame) -> dict[str, float]:
    return {name: float(made["education"].isin(own).mean()) for name, own in CLIENTS.items()}


def measured(model: surveyor.Model, method: str, seed: int, begun: float) -> Run:
    """Return what is measured of a run on the held-out rows of all clients."""
    found = model.evaluation.by_name
    clients = {f.of: f for f in found.parts("w1", "client")}
    worst = max((f.ratio or 0.0) for f in clients.values()) if clients else None
    aucs = [f.known for f in found.parts("auc", "client")]
    return {
        "method": method, "seed": seed, "ratio": found["w1"].ratio, "auc": found["auc"].value,
        "shares": shares(model.sample(DRAWN, seed=seed)), "client_ratio": worst,
        "client_auc": max(aucs, default=None), "seconds": time.monotonic() - begun,
    }  # fmt: skip


def one(seed: int, steps: int | None, weigh: str, paths: list[str], folder: Path) -> Run:
    """Train federated."""
    begun = time.monotonic()
    said = {"seed": seed} | ({} if steps is None else {"steps": steps})
    joined, members, config = federated.prepare(paths, said, [weigh])
    session = federated.start(joined, members, config, folder / f"{weigh}-{seed}")
    model = finish(session)
    return measured(model, f"sums, {weigh}", seed, begun)


def central(seed: int, steps: int | None, paths: list[str], folder: Path) -> Run:
    """Train on all rows in one file, with the options of the federated run."""
    begun = time.monotonic()
    whole = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    _, _, config = federated.prepare(paths, {"seed": seed})
    same = {
        name: getattr(config, name)
        for name in ("generator", "warm_start", "warm_rate", "batch", "calibrate")
    }
    said = {**same, **CENTRAL, "seed": seed} | ({} if steps is None else {"steps": steps})
    model = surveyor.fit(whole, folder / f"central-{seed}", **said)
    return measured(model, "in one place", seed, begun)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--steps", type=int, help="fewer steps, for a trial that is not written")
    told = parser.parse_args()
    runs: list[Run] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = split(folder)
        rows = {name: len(pd.read_csv(path)) for name, path in zip(CLIENTS, paths, strict=True)}
        real = {name: n / sum(rows.values()) for name, n in rows.items()}
        for seed in told.seeds:
            for weigh in ("rows", "alike"):
                runs.append(one(seed, told.steps, weigh, paths, folder))
                console.print(runs[-1], highlight=False)
            runs.append(central(seed, told.steps, paths, folder))
            console.print(runs[-1], highlight=False)
    if told.steps is None:
        before = merged("federated", runs, "method", "seed") if kept("federated") else runs
        write("federated", {"runs": before, "real": real, "averaged": AVERAGED})
    show(
        "Adult over five clients",
        ("method", "W1 / floor", "AUC", "smallest share", "real"),
        [(r["method"], r["ratio"], r["auc"], r["shares"][SMALLEST], real[SMALLEST]) for r in runs],
    )


def section(found: Found) -> str:
    by = grouped(found["runs"], "method")
    rows = [
        [
            name, f"{median(runs, 'ratio'):.3f}", f"{median(runs, 'auc'):.3f}",
            *(f"{sorted(r['shares'][c] for r in runs)[len(runs) // 2]:.3f}" for c in CLIENTS),
        ]
        for (name,), runs in by.items()
    ]  # fmt: skip
    real = ["real rows", "1", ".5", *(f"{found['real'][c]:.3f}" for c in CLIENTS)]
    own = found["averaged"]
    return (
        "**Several clients** (`make bench-federated`, medians of "
        f"{len(next(iter(by.values())))} seeds): Adult over five clients that share no level of education, {DRAWN:,} samples. "
        f"In a trial of one seed on this split, averaging weights by rows gave W1 / floor {own['ratio']}, AUC {own['auc']}, and no "
        "row of the smallest client. By `alike` every client's share is to be .2.\n\n"
        + table(["", "W1 / floor", "AUC", *CLIENTS], [real, *rows])
    )


SECTION = Section(225, section)


if __name__ == "__main__":
    main()
