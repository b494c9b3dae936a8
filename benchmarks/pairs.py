"""Emoji: super-resolution by 4 and edges to icons, beside the same nets without a critic, and bicubic."""

from __future__ import annotations

import argparse
import re
import tempfile
import time
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

import surveyor
from benchmarks.common import RESULTS, console, data_file, merged, show, write
from benchmarks.page import Found, Section, cells, grouped, table
from surveyor.data.arrays import Arrays
from surveyor.kinds.images.answers.measures import answer_figures
from surveyor.kinds.images.answers.quality import patch_frechet
from surveyor.kinds.images.answers.scaling import enlarged, reduced
from surveyor.kinds.images.sheets import sheet

SKIN = re.compile("-?1F3F[BCDEF]", re.IGNORECASE)
SCALE, SHOWN = 4, 10
TASKS: dict[str, dict[str, Any]] = {
    "super-resolution": {"task": f"super-resolution:scale={SCALE}"},
    "edges to icons": {"task": "translate:source=edges,target=images"},
}
ALONE: dict[str, dict[str, Any]] = {
    "super-resolution": {
        "squared error alone": {"term": "reconstruction:loss=l2", "warm_start": 1.0},
        "L1 alone": {"warm_start": 1.0},
    },
    "edges to icons": {"L1 alone": {"warm_start": 1.0}},
}
METHODS = ["Surveyor", *{name: None for alone in ALONE.values() for name in alone}]


def split() -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Return training and test icons; an icon and its skin tones are on one side."""
    archive = np.load(data_file("emoji32.npz"))
    bases = [SKIN.sub("", code) for code in archive["codepoints"]]
    test = np.array([zlib.crc32(base.encode()) % 7 == 0 for base in bases])
    every = {name: archive[name] for name in ("images", "edges")}
    return {k: v[~test] for k, v in every.items()}, {k: v[test] for k, v in every.items()}


def points(images: np.ndarray) -> Tensor:
    return torch.from_numpy(images.astype(np.float32) / 127.5 - 1).permute(0, 3, 1, 2)


def figures(made: np.ndarray, wanted: np.ndarray, train: np.ndarray) -> dict[str, float | None]:
    figures = answer_figures(points(made), points(wanted), points(train), floor=0.0)
    return {figure.name: figure.value for figure in figures}


def given(task: str, test: dict[str, np.ndarray]) -> np.ndarray:
    if task == "super-resolution":
        return reduced(Arrays(test["images"], {}, "images"), SCALE).main
    return test["edges"]


def strip(task: str, lines: dict[str, np.ndarray], test: dict[str, np.ndarray]) -> None:
    """Save the first test icons: given, each method's answers, and the truth."""
    some = np.linspace(0, len(test["images"]) - 1, SHOWN).astype(int)
    small = given(task, test)[some]
    if task == "super-resolution":
        small = small.repeat(SCALE, 1).repeat(SCALE, 2)
    else:
        small = np.repeat(small[..., None], 3, 3)
    every = [small, *(made[some] for made in lines.values()), test["images"][some]]
    path = RESULTS / f"{task.replace(' ', '-')}.png"
    sheet(np.concatenate(every), columns=SHOWN, zoom=2).save(path)


def trained(
    task: str, said: dict[str, Any], seed: int, train: dict[str, np.ndarray], asked: np.ndarray
) -> tuple[np.ndarray, float]:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as place:
        source = train if task != "super-resolution" else {"images": train["images"]}
        model = surveyor.fit(
            source, Path(place) / "run", seed=seed, threads=1, **TASKS[task], **said
        )
        seconds = time.monotonic() - begun
        return model.translate(asked)["images"], seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--tasks", nargs="*", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--methods", nargs="*", choices=METHODS, help="all, if not said")
    parser.add_argument("--steps", type=int, help="generator steps; the default's if not said")
    parser.add_argument(
        "--content", type=float, help="weight of the reconstruction beside the critic"
    )
    chosen = parser.parse_args()
    for task in chosen.tasks:
        known = [*ALONE[task], "Surveyor"]
        if chosen.methods and not set(chosen.methods) & set(known):
            parser.error(f"{task} knows the methods {', '.join(known)}")
    more: dict[str, Any] = {}
    if chosen.steps is not None:
        more["steps"] = chosen.steps
    if chosen.content is not None:
        more["term"] = f"reconstruction:weight={chosen.content:g}"
    words = {"steps": "{:,} steps", "term": "--term {}"}
    suffix = "".join(f", {words[k].format(v)}" for k, v in more.items())
    train, test = split()
    runs: list[dict[str, Any]] = []
    for task in chosen.tasks:
        asked = given(task, test)
        for seed in chosen.seeds:
            lines: dict[str, np.ndarray] = {}
            if task == "super-resolution":
                lines["bicubic"] = enlarged(asked, SCALE, 255.0)
            seconds = dict.fromkeys(lines, 0.0)
            alone = {} if chosen.content else ALONE[task]  # the weight of one loss changes nothing
            for method, said in (*alone.items(), ("Surveyor", {})):
                if chosen.methods and method not in chosen.methods:
                    continue
                name = method + suffix
                lines[name], seconds[name] = trained(task, said | more, seed, train, asked)
            for method, made in lines.items():
                found = figures(made, test["images"], train["images"])
                runs.append({"task": task, "method": method, "seed": seed, "seconds": seconds[method], **found})  # fmt: skip
                console.print(runs[-1], highlight=False)
            if seed == chosen.seeds[0] and not more and not chosen.methods:
                strip(task, lines, test)
            floor = patch_frechet(points(test["images"]), points(train["images"]))
            every = merged("pairs", runs, "task", "method", "seed")
            every.sort(key=lambda run: list(TASKS).index(run["task"]))
            write("pairs", {"patch_frechet_floor": floor, "runs": every})
    keys = [k for k in runs[0] if k not in ("task", "method", "seed")]
    show("Emoji", ("task", "method", "seed", *keys), [(r["task"], r["method"], r["seed"], *(r[k] for k in keys)) for r in runs])  # fmt: skip


def section(found: Found) -> str:
    keys = {
        "psnr": ".2f",
        "ssim": ".3f",
        "perceptual": ".3f",
        "patch_frechet": ".3f",
        "sharpness": ".2f",
        "seconds": ".0f",
    }
    rows = [
        [f"{task}: {method}", *cells(runs, keys)]
        for (task, method), runs in grouped(found["runs"], "task", "method").items()
    ]
    named = [
        "",
        "seeds",
        "PSNR, dB",
        "SSIM",
        "perceptual",
        "patch Frechet",
        "sharpness",
        "s, one thread",
    ]
    return (
        "**Pictures from pictures** (`make bench-images`, three seeds by `python -m benchmarks.pairs --seeds 1 2 3`, on a busy machine, so that seconds are upper bounds; icons of 32 x 32, held-out icons are not skin-tone variants of training icons; the "
        "same nets and generator steps with and without a critic). Perceptual distance by an ImageNet net; patches of 8 x 8 against those of "
        f"training pictures (real ones {found['patch_frechet_floor']:.3f}); sharpness is the power of fine detail over the real one.\n\n"
        + table(named, rows)
        + "\n\n![Given, bicubic, squared error, L1, Surveyor, truth](benchmarks/results/super-resolution.png)"
        + "\n\n*From above: given, bicubic, squared error alone, L1 alone, Surveyor, the truth; not cherry-picked.*"
        + "\n\n![Edges, L1 alone, Surveyor, truth](benchmarks/results/edges-to-icons.png)"
        + "\n\n*From above: edges, L1 alone, Surveyor, the truth.*"
    )  # fmt: skip


SECTION = Section(170, section)


if __name__ == "__main__":
    main()
