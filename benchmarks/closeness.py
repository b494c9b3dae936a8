"""Closeness: exact W1, 2,048 generated against 2,048 fresh points, over its floor. Five seeds."""

from __future__ import annotations

import argparse

import numpy as np

import surveyor
from benchmarks.common import show, train_all, write
from benchmarks.page import Found, Section, mean, table
from surveyor.data.toy import draw
from surveyor.transport import wasserstein_1_discrete

TOYS = ("ring", "grid", "swiss-roll", "eight-gaussians")
N = 2048


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--options", default="", help="options of surveyor train, as one text")
    given = parser.parse_args()
    jobs = {
        (toy, seed): (
            f"toy:{toy}:100000",
            ["--seed", str(seed), "--threads", "1", *given.options.split()],
        )
        for toy in TOYS
        for seed in given.seeds
    }
    rows: dict[str, list[dict[str, float]]] = {toy: [] for toy in TOYS}
    for (toy, seed), trained in train_all(jobs):
        rng = np.random.default_rng(10_000 + seed)
        real = [draw(toy, N, rng) for _ in range(6)]
        made = surveyor.load(trained.folder).sample(3 * N, seed=seed)["x"].reshape(3, N, 2)
        w1 = float(
            np.mean([wasserstein_1_discrete(r, m) for r, m in zip(real, made, strict=False)])
        )
        floor = float(
            np.mean([wasserstein_1_discrete(a, b) for a, b in zip(real[:3], real[3:], strict=True)])
        )
        rows[toy].append(
            {
                "seed": seed,
                "w1": w1,
                "floor": floor,
                "ratio": w1 / floor,
                "seconds": trained.seconds,
            }
        )
        write(
            "closeness", {"seeds": given.seeds, "options": given.options, "runs": rows}
        )  # as it goes: hours of runs are not lost
    table = [
        (
            toy,
            float(np.mean([r["w1"] for r in found])),
            float(np.mean([r["floor"] for r in found])),
            float(np.mean([r["ratio"] for r in found])),
            float(np.max([r["ratio"] for r in found])),
            float(np.median([r["seconds"] for r in found])),
        )
        for toy, found in rows.items()
    ]
    show(
        "Exact W1 on 2,048 points over its floor",
        ("data", "W1", "floor", "ratio, mean", "worst seed", "s"),
        table,
    )


def section(found: Found) -> str:
    rows = [
        [toy, f"{mean(runs, 'w1'):.4f}", f"{mean(runs, 'floor'):.4f}", f"{mean(runs, 'ratio'):.2f}",
         f"{max(r['ratio'] for r in runs):.2f}"]
        for toy, runs in found["runs"].items()
    ]  # fmt: skip
    return (
        f"**Closeness** (`make bench-closeness`, {len(found['seeds'])} seeds): exact W1 of 2,048 generated "
        "against 2,048 fresh points, over the same between real and real.\n\n"
        + table(["data", "W1", "floor", "ratio, mean", "worst seed"], rows)
    )


SECTION = Section(20, section)


if __name__ == "__main__":
    main()
