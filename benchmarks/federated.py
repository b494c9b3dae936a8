"""Clients that share no value of a column: Adult by levels of education, digits two by two."""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

import surveyor
from benchmarks.common import Run, console, data_file, merged, write
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
IN_ONE_PLACE = {"steps": 200, "rules": "no", "device": "cpu"}
WAYS: dict[str, tuple[str, str]] = {
    "sums, rows": ("rows", "none"),
    "sums, alike": ("alike", "none"),
    "sums, rows, epsilon 3 at each": ("rows", "gaussian:epsilon=3"),
}
CENTRAL, DIGITS = "in one place", "digits"
METHODS = (*WAYS, CENTRAL, f"{CENTRAL}, epsilon 3", DIGITS)
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


def one(seed: int, steps: int | None, method: str, paths: list[str], folder: Path) -> Run:
    """Train federated."""
    begun, (weigh, privacy) = time.monotonic(), WAYS[method]
    said = {"seed": seed, "privacy": privacy} | ({} if steps is None else {"steps": steps})
    joined, members, config = federated.prepare(paths, said, [weigh])
    session = federated.start(joined, members, config, folder / f"{method}-{seed}")
    model = finish(session)
    return measured(model, method, seed, begun)


def central(
    seed: int, steps: int | None, paths: list[str], folder: Path, privacy: str = "none"
) -> Run:
    """Train on all rows in one file, with the options of the federated run."""
    begun = time.monotonic()
    whole = pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    _, _, config = federated.prepare(paths, {"seed": seed, "privacy": privacy})
    same = {
        name: getattr(config, name)
        for name in ("generator", "warm_start", "warm_rate", "batch", "calibrate")
    }
    said = {**same, **IN_ONE_PLACE, "seed": seed} | ({} if steps is None else {"steps": steps})
    name = CENTRAL if privacy == "none" else f"{CENTRAL}, epsilon 3"
    model = surveyor.fit(whole, folder / f"{name}-{seed}", privacy=privacy, **said)
    return measured(model, name, seed, begun)


def digits(seed: int, steps: int | None, folder: Path) -> Run:
    """Train on pictures of two digits a client, and return how often each is read as asked for."""
    every = load_digits()
    pixels, paths = (every.images * (255 / 16)).astype(np.uint8), []
    for k in range(5):
        own = np.isin(every.target, (2 * k, 2 * k + 1))
        paths.append(str(folder / f"c{k}.npz"))
        np.savez(paths[-1], x=pixels[own], digit=every.target[own])
    begun = time.monotonic()
    said = {"seed": seed, "condition": ["digit"]} | ({} if steps is None else {"steps": steps})
    joined, members, config = federated.prepare(paths, said)
    session = federated.start(joined, members, config, folder / f"digits-{seed}")
    found = finish(session).evaluation.by_name
    (worst,) = found.parts("asked", "label")
    whole = found["asked"]
    return {
        "method": DIGITS, "seed": seed, "ratio": found["w1"].ratio, "asked": whole.value,
        "read": whole.floor, "worst": worst.value, "seconds": time.monotonic() - begun,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--methods", nargs="*", default=[*METHODS], choices=METHODS)
    parser.add_argument("--steps", type=int, help="fewer steps, for a trial that is not written")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        paths = split(folder)
        rows = {name: len(pd.read_csv(path)) for name, path in zip(CLIENTS, paths, strict=True)}
        real = {name: n / sum(rows.values()) for name, n in rows.items()}
        for seed in told.seeds:
            for method in told.methods:
                if method == DIGITS:
                    run = digits(seed, told.steps, folder)
                elif method.startswith(CENTRAL):
                    privacy = "none" if method == CENTRAL else "gaussian:epsilon=3"
                    run = central(seed, told.steps, paths, folder, privacy)
                else:
                    run = one(seed, told.steps, method, paths, folder)
                console.print(run, highlight=False)
                if told.steps is None:
                    runs = merged("federated", [run], "method", "seed")
                    write("federated", {"runs": runs, "real": real, "averaged": AVERAGED})


def section(found: Found) -> str:
    every = grouped(found["runs"], "method")
    by = {key: runs for key, runs in every.items() if key != (DIGITS,)}
    rows = [
        [
            name, str(len(runs)), f"{median(runs, 'ratio'):.3f}", f"{median(runs, 'auc'):.3f}",
            *(f"{sorted(r['shares'][c] for r in runs)[len(runs) // 2]:.3f}" for c in CLIENTS),
        ]
        for (name,), runs in by.items()
    ]  # fmt: skip
    real = ["real rows", "", "1", ".5", *(f"{found['real'][c]:.3f}" for c in CLIENTS)]
    own = found["averaged"]
    return (
        "**Several clients** (`make bench-federated`, medians over the seeds): "
        f"Adult over five clients that share no level of education, {DRAWN:,} samples. "
        f"In a trial of one seed on this split, averaging weights by rows gave W1 / floor {own['ratio']}, AUC {own['auc']}, and no "
        "row of the smallest client. By `alike` every client's share is to be .2. Epsilon is that of differential privacy, of all rows in one place or at each client.\n\n"
        + table(["", "seeds", "W1 / floor", "AUC", *CLIENTS], [real, *rows])
        + _digits(every.get((DIGITS,), []))
    )


def _digits(runs: list[Run]) -> str:
    if not runs:
        return ""
    return (
        f"\n\nDigits, two a client, medians of {len(runs)} seeds: {median(runs, 'asked'):.1%} of the pictures are read as the digit asked for, "
        f"of the worst digit {median(runs, 'worst'):.1%}, on the worst seed {min(r['worst'] for r in runs):.1%} ({median(runs, 'read'):.1%} of held-out ones are read right); W1 / floor {median(runs, 'ratio'):.2f}."
    )


SECTION = Section(225, section)


if __name__ == "__main__":
    main()
