"""Modes: PacGAN's ring and grid, one configuration for both, three objectives, ten seeds."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable

import numpy as np

import surveyor
from benchmarks.common import show, train_all, write
from benchmarks.page import Found, Row, Section, grouped, mean, table
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


def section(found: Found) -> str:
    rows = []
    alone = ", ".join(f"{toy} {seconds:.0f} s" for toy, seconds in found.get("alone", {}).items())
    for (objective, data), runs in grouped(found["runs"], "objective", "data").items():
        low, high = min(r["spread_min"] for r in runs), max(r["spread_max"] for r in runs)
        middle = float(np.median([r["spread_median"] for r in runs]))
        rows.append([
            f"{objective}, {data}", f"{mean(runs, 'modes'):.1f}",
            f"{mean(runs, 'high_quality'):.1%} ({min(r['high_quality'] for r in runs):.1%})",
            f"{mean(runs, 'reverse_kl'):.4f}", f"{low:.2f} - {middle:.2f} - {high:.2f}",
            f"{float(np.median([r['seconds'] for r in runs])):.0f}",
        ])  # fmt: skip
    columns = [
        "objective, data",
        "modes",
        "high quality (worst seed)",
        "reverse KL",
        "spread of modes",
        "s",
    ]
    return (
        f"**Modes** (`make bench-modes`, {len(found['seeds'])} seeds, one configuration for both sets): "
        "PacGAN's ring of 8 and grid of 25. The spread is each mode's deviation over the true one: least, "
        "median and largest over all modes and seeds. Seconds of training are those of two runs side by "
        f"side, a core each; the default alone, on both cores: {alone or 'not measured'}.\n\n"
        + table(columns, rows)
    )


def headline(found: Found, beside: Found) -> list[str]:
    runs = grouped(found["runs"], "objective", "data")
    own = next(v for (name, data), v in runs.items() if "default" in name and data == "grid")
    other = next(r for r in beside["runs"] if (r["method"], r["data"]) == ("textbook", "grid"))
    return [
        "A grid of 25 modes: samples within three deviations of one",
        f"**{mean(own, 'high_quality'):.1%}**, {mean(own, 'modes'):.0f} modes",
        f"textbook WGAN-GP after {beside['most']:.0f} s: {other['last']}",
    ]


SECTION = Section(10, section, Row(2, headline, beside=("quality",)))


if __name__ == "__main__":
    main()
