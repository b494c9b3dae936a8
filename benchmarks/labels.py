"""Wrong labels: how often samples of a label are of it, with the share of wrong ones told or not."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

import surveyor
from benchmarks.common import console, show, train_all, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.data.toy import eight_gaussians

SHARES = (0.0, 0.2, 0.4)
POINTS, STEPS = 20_000, 3000
METHODS: dict[str, list[str]] = {
    "told nothing": [],
    "told the share": ["--label-noise"],
    "original GAN, told nothing": [
        *("--objective", "minimax"),
        *("--constraint", "gradient-penalty:target=0,points=real,weight=0.01"),
    ],
}


def centres(x: np.ndarray) -> np.ndarray:
    angle = 2 * np.pi * np.arange(8) / 8
    radius = np.linalg.norm(x, axis=1).mean()
    return np.asarray(radius * np.stack([np.cos(angle), np.sin(angle)], axis=1))


def nearest(x: np.ndarray, modes: np.ndarray) -> np.ndarray:
    label: np.ndarray = ((x[:, None] - modes) ** 2).sum(-1).argmin(1)
    return label


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        jobs: dict[Any, tuple[str, list[str]]] = {}
        modes = np.zeros((8, 2))
        for seed in given.seeds:
            for share in SHARES:
                rng = np.random.default_rng([seed, round(100 * share)])
                x = eight_gaussians(POINTS, rng)
                modes = centres(x)
                label = nearest(x, modes)
                wrong = rng.random(POINTS) < share
                told = np.where(wrong, (label + rng.integers(1, 8, POINTS)) % 8, label)
                path = Path(place) / f"{seed}-{share}.npz"
                np.savez(path, x=x.astype(np.float32), label=told)
                for name, options in METHODS.items():
                    more = [*options, str(share)] if options == ["--label-noise"] else options
                    own = ["--condition", "label", "--steps", str(STEPS), "--seed", str(seed)]
                    jobs[name, share, seed] = (str(path), [*own, "--threads", "1", *more])
        runs: list[dict[str, Any]] = []
        for (name, share, seed), trained in train_all(jobs):
            model = surveyor.load(trained.folder)
            right = [
                float(np.mean(nearest(model.sample(500, {"label": k}, seed)["x"], modes) == k))
                for k in range(8)
            ]
            runs.append({"method": name, "share": share, "seed": seed, "accuracy": float(np.mean(right)),
                         "worst": min(right), "ratio": trained.evaluation["w1"].ratio})  # fmt: skip
            console.print(runs[-1], highlight=False)
            write("labels", {"steps": STEPS, "runs": runs})
    show(
        "Samples that are of the label asked for",
        ("method", "share wrong", "seed", "accuracy", "worst label"),
        [(r["method"], r["share"], r["seed"], r["accuracy"], r["worst"]) for r in runs],
    )


def section(found: Found) -> str:
    shares = sorted({r["share"] for r in found["runs"]})
    rows = []
    for (method,), runs in grouped(found["runs"], "method").items():
        cells = []
        for share in shares:
            own = [r for r in runs if r["share"] == share]
            cells.append(", ".join(f"{r['accuracy']:.3f}" for r in own))
            cells.append(f"{min(r['worst'] for r in own):.3f}")
        rows.append([method, *cells])
    columns = [text for share in shares for text in (f"{share:.0%} wrong", "worst label")]
    return (
        f"**Wrong labels** (`make bench-labels`, eight Gaussians with their number as condition, {found['steps']:,} steps, one figure per "
        "seed): share of samples that are nearest to the Gaussian requested; in the row `told the share`, training has `--label-noise`.\n\n"
        + table(["", *columns], rows)
    )


SECTION = Section(230, section)


if __name__ == "__main__":
    main()
