"""Modes: PacGAN's ring and grid, one configuration for both, three objectives, ten seeds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import numpy as np

import surveyor
from benchmarks.common import show, train_all, write
from surveyor.data.toy import draw, grid_modes, ring_modes
from surveyor.measures.coverage import coverage
from surveyor.transport import wasserstein_1_discrete

SETTINGS: dict[str, tuple[Callable[[], np.ndarray], float]] = {
    "ring": (ring_modes, 0.01),
    "grid": (grid_modes, 0.05),
}
OBJECTIVES = {
    "relativistic, R1 + R2 (default)": [],
    "Wasserstein, one-sided penalty": [
        *("--objective", "wasserstein", "--constraint", "gradient-penalty:weight=1"),
        *("--generator-rate", "8e-4"),
    ],
    "original GAN, R1": [
        *("--objective", "minimax"),
        *("--constraint", "gradient-penalty:target=0,points=real,weight=0.01"),
    ],
}


def judge(model: surveyor.Model, toy: str, seed: int) -> dict[str, float]:
    centres, sigma = SETTINGS[toy]
    points = model.sample(2500, seed=seed)["x"]
    found = coverage(points, centres(), sigma)
    # The spread is judged on 25,000 samples: on 100 a mode its own error would be 5%.
    spread = coverage(model.sample(25_000, seed=seed + 1)["x"], centres(), sigma).spread
    rng = np.random.default_rng(20_000 + seed)
    real = [draw(toy, 2048, rng) for _ in range(4)]
    w1 = np.mean([wasserstein_1_discrete(r, points[:2048]) for r in real[:2]])
    floor = np.mean([wasserstein_1_discrete(a, b) for a, b in zip(real[:2], real[2:], strict=True)])
    return {
        "modes": found.modes,
        "high_quality": found.high_quality,
        "reverse_kl": found.reverse_kl,
        "spread_min": min(spread),
        "spread_median": float(np.median(spread)),
        "spread_max": max(spread),
        "ratio": float(w1 / floor),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    given = parser.parse_args()
    jobs = {
        (name, toy, seed): (f"toy:{toy}:100000", ["--seed", str(seed), "--threads", "1", *options])
        for name, options in OBJECTIVES.items()
        for toy in SETTINGS
        for seed in given.seeds
    }
    runs = []
    for (name, toy, seed), trained in train_all(jobs):
        judged = judge(surveyor.load(trained.folder), toy, seed)
        runs.append(
            {"objective": name, "data": toy, "seed": seed, "seconds": trained.seconds} | judged
        )
        write(
            "modes", {"seeds": given.seeds, "runs": runs}
        )  # as it goes: hours of runs are not lost
    # Two runs side by side slow each other; one alone, on all cores, tells what a user waits.
    options = ["--seed", str(given.seeds[0]), "--threads", str(os.cpu_count())]
    apart = {toy: (f"toy:{toy}:100000", options) for toy in SETTINGS}
    alone = {toy: trained.seconds for toy, trained in train_all(apart, at_once=1)}
    write("modes", {"seeds": given.seeds, "runs": runs, "alone": alone})
    table = []
    for name in OBJECTIVES:
        for toy in SETTINGS:
            own = [r for r in runs if (r["objective"], r["data"]) == (name, toy)]
            mean = {
                k: float(np.mean([r[k] for r in own]))
                for k in ("modes", "high_quality", "reverse_kl", "ratio")
            }
            worst = min(r["high_quality"] for r in own)
            low, high = min(r["spread_min"] for r in own), max(r["spread_max"] for r in own)
            middle = float(np.median([r["spread_median"] for r in own]))
            seconds = float(np.median([r["seconds"] for r in own]))
            table.append(
                (
                    f"{name}, {toy}",
                    f"{mean['modes']:.1f}",
                    f"{mean['high_quality']:.1%}",
                    f"{worst:.1%}",
                    f"{mean['reverse_kl']:.4f}",
                    f"{low:.2f} / {middle:.2f} / {high:.2f}",
                    f"{mean['ratio']:.2f}",
                    f"{seconds:.0f}",
                )
            )
    columns = (
        "objective, data",
        "modes",
        "high quality",
        "worst seed",
        "reverse KL",
        "spread min / median / max",
        "W1 / floor",
        "s",
    )
    show(f"PacGAN's ring and grid, {len(given.seeds)} seeds", columns, table)
    print("the default alone, on all cores:", ", ".join(f"{k} {v:.0f} s" for k, v in alone.items()))


if __name__ == "__main__":
    main()
