"""A group of 5% beside one of 95%: what a penalty by group and balanced batches do for it."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

import surveyor
from benchmarks.common import console, show, write
from benchmarks.page import Found, Section, grouped, median, table
from surveyor.transport import wasserstein_1_discrete

POINTS, SMALL, STEPS, N = 8000, 0.05, 2500, 1000
PENALTY = ("gradient-penalty", "gradient-penalty:groups=true")
METHODS: dict[str, dict[str, Any]] = {
    "plain": {"constraint": PENALTY[0]},
    "penalty by group": {"constraint": PENALTY[1]},
    "balanced batches": {"constraint": PENALTY[0], "balance": True},
    "both": {"constraint": PENALTY[1], "balance": True},
}


def group_points(label: int, n: int, rng: np.random.Generator) -> np.ndarray:
    """Return a wide ring, or four narrow clusters beside it."""
    angle = rng.uniform(0, 2 * np.pi, n) if label == 0 else np.pi / 2 * rng.integers(0, 4, n)
    radius, centre, noise = ((2.0, 0.0, 0.1), (0.3, 3.0, 0.03))[label]
    ring = radius * np.stack([np.cos(angle), np.sin(angle)], axis=1) + [centre, 0.0]
    return np.asarray(ring + rng.normal(0, noise, ring.shape))


def measured(name: str, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    label = (rng.random(POINTS) < SMALL).astype(int)
    x = np.empty((POINTS, 2))
    for k in (0, 1):
        x[label == k] = group_points(k, int((label == k).sum()), rng)
    model = surveyor.fit(
        {"x": x.astype(np.float32), "g": label}, condition=["g"], group="g", seed=seed, steps=STEPS,
        measure=f"w1:every={STEPS}", threads=1, objective="wasserstein", critic_steps=2, **METHODS[name],
    )  # fmt: skip
    found: dict[str, Any] = {"method": name, "seed": seed}
    slopes = {f.of: f.value for f in model.evaluation.parts("gradient_norm", "condition")}
    for k, what in enumerate(("large", "small")):
        made = model.sample(N, {"g": k}, seed)["x"].astype(float)
        fresh = [group_points(k, N, rng) for _ in range(2)]
        floor = wasserstein_1_discrete(fresh[0], fresh[1])
        found[what] = wasserstein_1_discrete(made, fresh[0]) / floor
        found[f"slope, {what}"] = slopes[f"g={k}"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    runs: list[dict[str, Any]] = []
    for seed in given.seeds:
        for name in METHODS:
            runs.append(measured(name, seed))
            console.print(runs[-1], highlight=False)
            write("minority", {"share": SMALL, "runs": runs})
    keys = ("large", "slope, large", "small", "slope, small")
    show(
        "W1 / floor and the critic's slope, medians",
        ("method", *keys),
        [
            (name, *(float(np.median([r[k] for r in runs if r["method"] == name])) for k in keys))
            for name in METHODS
        ],
    )


def section(found: Found) -> str:
    keys = ("large", "small", "slope, large", "slope, small")
    by = grouped(found["runs"], "method")
    return (
        f"**A group of {found['share']:.0%}** (`make bench-minority`, medians of {len(next(iter(by.values())))} seeds, worst in brackets): four narrow "
        "clusters beside a wide ring, the group as condition. W1 / floor of each group, and the critic's mean slope there.\n\n"
        + table(["", "large group", "small group", "slope, large", "slope, small"],
                [[name, *(f"{median(runs, k):.2f} ({max(r[k] for r in runs):.2f})" for k in keys)] for (name,), runs in by.items()])
    )  # fmt: skip


SECTION = Section(190, section)


if __name__ == "__main__":
    main()
