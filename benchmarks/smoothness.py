"""A penalty on the gradient in a continuous condition: what it does between conditions seen."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import surveyor
from benchmarks.common import console, show, write
from benchmarks.page import Found, Section, grouped, median, table
from surveyor.transport import wasserstein_1_discrete

POINTS, STEPS, NOISE, GAP = 6000, 3000, 0.1, (0.4, 0.55)
WEIGHTS = (0.0, 0.01, 0.1, 1.0)


def points(c: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return points about (3 c, sin 2 pi c)."""
    centre = np.stack([3 * c, np.sin(2 * np.pi * c)], axis=1)
    return (centre + rng.normal(0, NOISE, centre.shape)).astype(np.float32)


def measured(weight: float, seed: int) -> dict[str, float]:
    rng = np.random.default_rng(seed)
    c = rng.uniform(0, 1, POINTS)
    c = c[(c < GAP[0]) | (c > GAP[1])]
    held = ("gradient-penalty", *([f"condition-penalty:weight={weight}"] if weight else []))
    model = surveyor.fit(
        {"x": points(c, rng), "c": c.astype(np.float32)}, condition=["c"], seed=seed, steps=STEPS,
        measure=f"w1:every={STEPS}", threads=1, objective="wasserstein", constraint=held, critic_steps=2,
    )  # fmt: skip
    found: dict[str, float] = {}
    grid = np.linspace(0.02, 0.98, 33)
    inside = (grid > GAP[0]) & (grid < GAP[1])
    w1 = np.array([
        wasserstein_1_discrete(model.sample(300, {"c": float(g)}, seed)["x"].astype(float), points(np.full(300, g), rng).astype(float))
        for g in grid
    ])  # fmt: skip
    centres = np.stack([model.sample(400, {"c": float(g)}, seed)["x"].mean(0) for g in grid])
    steps = np.linalg.norm(np.diff(centres, axis=0), axis=1) / np.diff(grid)
    true = np.linalg.norm(
        np.diff(np.stack([3 * grid, np.sin(2 * np.pi * grid)], axis=1), axis=0), axis=1
    )
    sides = [points(np.full(300, 0.2), rng).astype(float) for _ in "ab"]
    floor = wasserstein_1_discrete(sides[0], sides[1])
    found["seen"], found["gap"] = float(w1[~inside].mean()), float(w1[inside].mean())
    found["largest step / true"] = float((steps * np.diff(grid) / true).max())
    return found | {"floor": float(floor)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for seed in given.seeds:
        for weight in WEIGHTS:
            runs.append({"weight": weight, "seed": seed, **measured(weight, seed)})
            console.print(runs[-1], highlight=False)
            write("smoothness", {"gap": GAP, "runs": runs})
    show(
        "W1 at conditions seen and in the gap, medians",
        ("weight", "seen", "gap", "floor", "largest step / true"),
        [
            (w, *(float(np.median([r[k] for r in runs if r["weight"] == w])) for k in ("seen", "gap", "floor", "largest step / true")))
            for w in WEIGHTS
        ],
    )  # fmt: skip


def section(found: Found) -> str:
    by = grouped(found["runs"], "weight")
    keys = ("seen", "gap", "floor", "largest step / true")
    low, high = found["gap"]
    gaps = [median(runs, "gap") for runs in by.values()]
    worse = min(gaps[1:]) >= gaps[0]
    return (
        f"**A penalty on the gradient in the condition** (`make bench-smoothness`, medians of {len(next(iter(by.values())))} seeds): points on a "
        f"curve parametrised by a continuous condition from 0 to 1, with none between {low:g} and {high:g}. W1 at conditions in the training range and in "
        "the gap, and the largest step between neighbouring conditions over the true one: "
        f"{'the penalty does not help on these data' if worse else 'the penalty helps'}.\n\n"
        + table(["weight", "W1, seen", "W1, in the gap", "floor", "largest step / true"],
                [[f"{weight:g}", *(f"{median(runs, k):.3f}" for k in keys)] for (weight,), runs in by.items()])
    )  # fmt: skip


SECTION = Section(250, section)


if __name__ == "__main__":
    main()
