"""Seconds to a quality, on all cores: Surveyor's default beside the textbook WGAN-GP loop.

The goal on the grid is 25 of 25 modes with 95% of samples within three deviations of one, on the
ring an exact W1 of at most 1.5 times its floor; looked at every so often, off the clock.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.common import console, kept, show, write
from benchmarks.modes import SETTINGS
from benchmarks.page import Found, Section, grouped, table
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of, plan_of, threads_for
from surveyor.data.toy import draw
from surveyor.measures.coverage import coverage
from surveyor.streams import Stream
from surveyor.training import State, steps
from surveyor.transport import wasserstein_1_discrete

LOOK = 250
Sample = Callable[[int], np.ndarray]


def surveyor(toy: str, seed: int) -> Iterator[Sample]:
    """Surveyor's default; the averaged generator."""
    data, config = prepare(f"toy:{toy}:100000", {"seed": seed})
    game, plan = game_of(config, data.codec), plan_of(config)
    state = State.start(game, plan)
    torch.set_num_threads(threads_for(config, game))

    def sample(n: int) -> np.ndarray:
        with torch.no_grad():
            batch = game.generate(n, None, Draws(seed, 1, Stream.SAMPLE), state.average)
        return np.asarray(data.codec.decode(batch, np.zeros((n, 0), np.int16), Draws(0))["x"])

    for _ in steps(game, data.train, plan, state):
        yield sample


def textbook(toy: str, seed: int) -> Iterator[Sample]:
    """The toy script of the WGAN-GP paper: 3 x 512 ReLU, 5 critic steps, Adam 1e-4, weight .1."""
    torch.manual_seed(seed)
    torch.set_num_threads(os.cpu_count() or 1)
    rng = np.random.default_rng(seed)
    points = torch.as_tensor(draw(toy, 100_000, rng), dtype=torch.float32)
    centre, scale = points.mean(0), points.std()

    def net() -> nn.Sequential:
        layers: list[nn.Module] = []
        for a, b in ((2, 512), (512, 512), (512, 512)):
            layers += [nn.Linear(a, b), nn.ReLU()]
        return nn.Sequential(*layers, nn.Linear(512, 2))

    generator, critic = net(), net()
    critic[-1] = nn.Linear(512, 1)
    both = [torch.optim.Adam(m.parameters(), 1e-4, (0.5, 0.9)) for m in (generator, critic)]

    def fake(n: int) -> Tensor:
        made: Tensor = generator(torch.randn(n, 2))
        return made

    def sample(n: int) -> np.ndarray:
        with torch.no_grad():
            return np.asarray(fake(n) * scale + centre)

    while True:
        for _ in range(5):
            x = (points[torch.randint(0, len(points), (256,))] - centre) / scale
            y = fake(256).detach()
            e = torch.rand(256, 1)
            between = (e * x + (1 - e) * y).requires_grad_(True)
            (g,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
            penalty = (g.norm(dim=1) - 1).square().mean()
            both[1].zero_grad()
            (critic(y).mean() - critic(x).mean() + 0.1 * penalty).backward()
            both[1].step()
        both[0].zero_grad()
        (-critic(fake(256)).mean()).backward()
        both[0].step()
        yield sample


def reached(toy: str, sample: Sample, seed: int) -> tuple[bool, str]:
    if toy == "grid":
        centres, sigma = SETTINGS[toy]
        found = coverage(sample(5000), centres(), sigma)
        return (
            found.modes == 25 and found.high_quality >= 0.95,
            f"{found.modes} modes, {found.high_quality:.1%}",
        )
    rng = np.random.default_rng(30_000 + seed)
    a, b = draw(toy, 2048, rng), draw(toy, 2048, rng)
    ratio = wasserstein_1_discrete(a, sample(2048)) / wasserstein_1_discrete(a, b)
    return ratio <= 1.5, f"W1 / floor {ratio:.2f}"


def seconds_to(toy: str, run: Iterator[Sample], seed: int, most: float) -> tuple[float, bool, str]:
    clock, said = 0.0, ""
    while True:
        begun, taken = time.monotonic(), list(islice(run, LOOK))
        clock += time.monotonic() - begun
        if not taken:
            return clock, False, said
        there, said = reached(toy, taken[-1], seed)
        if there or clock > most:
            return clock, there, said


METHODS: dict[str, Callable[[str, int], Iterator[Sample]]] = {
    "Surveyor": surveyor,
    "textbook": textbook,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--most", type=float, default=300.0, help="seconds after which to give up")
    parser.add_argument("--methods", nargs="*", default=list(METHODS), choices=list(METHODS))
    parser.add_argument("--resume", action="store_true", help="keep runs of results/quality.json")
    given = parser.parse_args()
    runs = kept("quality") if given.resume else []
    done = {(r["data"], r["seed"], r["method"]) for r in runs}
    for toy in SETTINGS:
        for seed in given.seeds:
            for name in given.methods:
                if (toy, seed, name) in done or (name == "textbook" and seed != given.seeds[0]):
                    continue  # the textbook's loop takes minutes, and on the first seed alone
                method = METHODS[name]
                seconds, there, said = seconds_to(toy, method(toy, seed), seed, given.most)
                runs.append({"data": toy, "seed": seed, "method": name, "seconds": seconds,
                             "reached": there, "last": said})  # fmt: skip
                console.print(f"{toy} {seed} {name}: {seconds:.0f} s, {said}", highlight=False)
                write("quality", {"most": given.most, "runs": runs})
    show(
        "Seconds to quality",
        ("data", "seed", "method", "s", "reached", "at the end"),
        [(r["data"], r["seed"], r["method"], f"{r['seconds']:.0f}", r["reached"], r["last"]) for r in runs],
    )  # fmt: skip


def section(found: Found) -> str:
    rows = []
    for (data, method), runs in grouped(found["runs"], "data", "method").items():
        rows.append([
            data, method,
            ", ".join(f"{r['seconds']:.0f}" if r["reached"] else "not reached" for r in runs),
            "; ".join(r["last"] for r in runs),
        ])  # fmt: skip
    return (
        "**Time to quality** (`make bench-quality`, start of training to the goal, all cores free; a run is given up after "
        f"{found['most']:.0f} s): on the grid 25 modes with 95% of samples within three deviations of one, on the ring W1 of at "
        "most 1.5 times its floor; a figure a seed, the textbook's loop on the first alone.\n\n"
        + table(["data", "method", "s", "when it stopped"], rows)
    )  # fmt: skip


SECTION = Section(110, section)


if __name__ == "__main__":
    main()
