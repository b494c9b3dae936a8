"""One card: what must be equal is equal, steps beside the textbook's, a MNIST run from command to report."""

from __future__ import annotations

import argparse
import inspect
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from benchmarks.common import console, data_file, train, write
from benchmarks.device_checks import CARD, Given, checked
from benchmarks.page import Found, Section, table
from benchmarks.speed import SIZES, Size, layers, textbook_update
from surveyor.api import prepare
from surveyor.batch import Draws
from surveyor.build import game_of, plan_of
from surveyor.data.resident import placed
from surveyor.process_state import default_settings
from surveyor.training import Game, State
from surveyor.training.backends.compiled import compiled
from surveyor.training.gradients import ByRows
from surveyor.training.graph import Captured
from surveyor.training.lab import Points
from surveyor.training.lab import game_of as lab_game
from surveyor.training.optimizers.adam import Adam
from surveyor.training.phases.adversarial import moves_of
from surveyor.training.plan import Plan

Step = Callable[[], object]
DIGITS = ("--condition", "labels", "--steps", "4000")
PRECISIONS = ((), ("--precision", "bfloat16"))
CASES = (("toy:ring", "--steps", "2000"), ("adult_train.csv.gz", "--steps", "600"))


def critic_step(size: Size, precision: torch.dtype, last: bool = False) -> Step:
    """Return Surveyor's critic step on the card, as one graph."""
    real, fake = (p.to(CARD) for p in size.points())
    net = "conv:width=32" if len(size.shape) == 3 else f"mlp:width={size.width},depth={size.depth}"
    game = lab_game(Points(real), critic=net, constraint="gradient-penalty:side=two")
    nets = {"generator": game.generator.to(CARD), "critic": game.critic.to(CARD)}
    own = {**vars(game), **nets, "precision": precision}
    given: Game = Given(**{**own, "fake": fake})
    if last:
        in_channels_last(given)
    return played(given, Points(real), critic=True)


def played(game: Game, points: Any, critic: bool = False, batch: int | None = None) -> Step:
    """Return a step that plays rounds of ``game`` as one graph; with ``critic``, of the critic alone."""
    plan = Plan(10**6, batch or len(points), 1, 1e-4, 1e-4, Adam())
    state = State.start(game, plan)
    moves = moves_of(game, ByRows(_Same(points) if critic else points, plan.batch), plan, state)
    rounds = Captured(game, plan, state, moves[:1] if critic else moves)
    count = 0

    def step() -> None:
        nonlocal count
        state.set_rates(1e-4, 1e-4, 0.0)
        rounds(count, 0.0)
        count += 1

    return step


@dataclass(frozen=True)
class _Same:
    """Draws all of its points, so that the critic's step alone is timed."""

    points: Points

    def draw(self, n: int, draws: Draws) -> Points:
        return self.points


def textbook(critic: nn.Module, real: Tensor, fake: Tensor) -> Step:
    """Return the critic step of WGAN-GP as it is usually written, one kernel at a time."""
    optimizer = torch.optim.Adam(critic.parameters(), lr=1e-4, betas=(0.0, 0.9))

    return lambda: textbook_update(critic, optimizer, real, fake)


def pair(game: Game, rows: Any, batch: int) -> Step:
    """Return the textbook's critic step and generator step on the nets of ``game``."""
    generator, critic = game.generator, game.critic
    moving, optimizer = (
        torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.0, 0.9)) for net in (critic, generator)
    )
    x = rows.points.x

    def step() -> None:
        real = x[torch.randint(0, len(x), (batch,), device=CARD)]
        z = torch.randn(batch, game.latent.width, device=CARD)
        with torch.no_grad():
            fake = game.head(generator(z), Draws(0, device=CARD))
        textbook_update(critic, moving, real, fake)
        optimizer.zero_grad()
        z = torch.randn(batch, game.latent.width, device=CARD)
        (-critic(game.head(generator(z), Draws(0, device=CARD))).mean()).backward()
        optimizer.step()

    return step


def residual(precision: torch.dtype, last: bool = False) -> tuple[Game, Any]:
    """Return a residual pair on pictures of 64 x 64, and such pictures on the card."""
    pictures = np.random.default_rng(0).integers(0, 256, (512, 64, 64, 3)).astype(np.uint8)
    options = {
        "generator": "residual:width=32", "critic": "residual:width=32", "device": CARD,
        "constraint": "gradient-penalty:side=two", "precision": str(precision).split(".")[1],
    }  # fmt: skip
    data, config = prepare({"images": pictures}, options)
    game = game_of(config, data.codec)
    return (in_channels_last(game) if last else game), placed(data.train, game.device)


def in_channels_last(game: Game) -> Game:
    """Return the game with the weights of convolutions laid out channels last."""
    for net in (game.generator, game.critic):
        net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return game


def timed(step: Step, seconds: float = 1.0) -> float:
    """Return the median milliseconds of a step, over runs of steps between two waits."""
    for _ in range(5):
        step()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    step()
    torch.cuda.synchronize()
    many = max(1, min(200, int(0.1 / (time.perf_counter() - begun + 1e-9))))
    times, begun = [], time.perf_counter()
    while time.perf_counter() - begun < seconds:
        at = time.perf_counter()
        for _ in range(many):
            step()
        torch.cuda.synchronize()
        times.append((time.perf_counter() - at) / many)
    return 1000 * float(np.median(times))


def speeds(seconds: float, sizes: Sequence[Size] = SIZES) -> list[dict[str, Any]]:
    """Return milliseconds a step, by size and method, in turns on one card."""
    rows: list[dict[str, Any]] = []

    def add(size: str, method: str, build: Callable[[], Step]) -> None:
        try:
            row = {"size": size, "method": method, "ms": timed(build(), seconds)}
        except Exception as error:
            row = {"size": size, "method": method, "why": " ".join(str(error).split())[:300]}
        rows.append(row)
        console.print(row, highlight=False)

    ways = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    for size in sizes:
        ends = [p.to(CARD) for p in size.points()]
        add(size.name, "textbook", partial(textbook, layers(size).to(CARD), *ends))
        for name, precision in ways.items():
            add(size.name, f"Surveyor, {name}", partial(critic_step, size, precision))
            if len(size.shape) == 3:
                said = f"Surveyor, {name}, channels last"
                add(size.name, said, partial(critic_step, size, precision, True))
    title = "residual 64 x 64 pair, batch 64"
    game, rows_there = residual(torch.float32)
    add(title, "textbook", partial(pair, game, rows_there, 64))
    for name, precision in ways.items():
        for last in (False, True):
            said = f"Surveyor, {name}" + ", channels last" * last
            add(title, said, partial(played, *residual(precision, last), batch=64))
    return rows


def run(source: str, *flags: str) -> dict[str, Any]:
    """Return the seconds of a run from command to report, and its figures."""
    with tempfile.TemporaryDirectory() as place:
        data = source if ":" in source else data_file(source)
        if data.endswith(".csv.gz"):
            pd.read_csv(data).to_csv(data := f"{place}/data.csv", index=False)
        begun = time.monotonic()
        done = train(data, flags, Path(place) / "run")
        seconds = time.monotonic() - begun
        figures = {f.name: f.value for f in done.evaluation.figures if f.of == "generated"}
        told = {"data": source, "flags": " ".join(flags), "seconds": seconds}
        return told | {"training": done.seconds, "figures": figures}


def busy(last: bool = False, code: bool = False, steps: int = 150) -> dict[str, Any]:
    """Return the share of time in which the card computes, during steps of a MNIST run.

    With ``last`` weights are laid out channels last; with ``code`` steps are compiled.
    """
    from torch.profiler import ProfilerActivity, profile

    data, config = prepare(
        data_file("mnist_train.npz"), {"condition": ["labels"], "device": CARD, "steps": 4000}
    )
    game, plan = game_of(config, data.codec), plan_of(config)
    rows = placed(data.train, game.device)
    refused = None
    if last:
        in_channels_last(game)
    if code:
        game, refused = compiled(game, rows.draw(plan.batch, Draws(0, device=CARD)))
    state = State.start(game, plan)
    rounds = Captured(game, plan, state, moves_of(game, ByRows(rows, plan.batch), plan, state))
    for step in range(10):
        rounds(step, 0.0)
    state.settle()
    torch.cuda.synchronize()
    begun = time.perf_counter()
    for step in range(10, 10 + steps):
        state.set_rates(*plan.rates(step), 0.0)
        rounds(step, 0.0)
    torch.cuda.synchronize()
    plain = (time.perf_counter() - begun) / steps
    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as found:
        for step in range(10 + steps, 10 + steps + 40):
            state.set_rates(*plan.rates(step), 0.0)
            rounds(step, 0.0)
        torch.cuda.synchronize()
    spans = sorted(
        (e.time_range.start, e.time_range.end)
        for e in found.events()
        if str(e.device_type).endswith("CUDA")
    )
    covered, until = 0.0, float("-inf")
    for start, end in spans:
        covered += max(0.0, end - max(start, until))
        until = max(until, end)
    whole = spans[-1][1] - spans[0][0]
    how = ", ".join(["channels last"] * last + ["compiled"] * code) or "as it is"
    return {
        "how": how,
        "refused": refused,
        "ms a round": 1000 * plain,
        "busy": covered / whole,
        "kernels": len(spans) / 40,
    }


def as_here() -> None:
    """Leave out what an older PyTorch does not take when it compiles."""
    plain = torch.compile
    if "isolate_recompiles" not in inspect.signature(plain).parameters:
        known = {"isolate_recompiles"}
        torch.compile = lambda *a, **k: plain(*a, **{n: v for n, v in k.items() if n not in known})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--sizes", type=int, nargs="*", default=[0, 1, 2, 3])
    parser.add_argument("--parts", nargs="*", default=["checks", "speeds", "busy", "mnist"])
    given = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("benchmarks.device: no CUDA device here; its rows stay as they were measured")
    as_here()
    found: dict[str, Any] = {"card": torch.cuda.get_device_name(), "seeds": [0], "runs": []}
    parts: dict[str, Callable[[], Any]] = {
        "checks": checked,
        "speeds": lambda: speeds(given.seconds, [SIZES[k] for k in given.sizes]),
        "busy": lambda: [busy(), busy(last=True), busy(code=True)],
        "mnist": lambda: [run("mnist_train.npz", *DIGITS, *more) for more in PRECISIONS],
        "devices": lambda: [run(*case, "--device", d) for case in CASES for d in (CARD, "cpu")],
    }
    for name in given.parts:
        begun = time.monotonic()
        try:
            with default_settings():
                found[name] = parts[name]()
        except Exception:
            found[name] = traceback.format_exc()[-2000:]
        console.print(name, f"{time.monotonic() - begun:.0f} s", found[name], highlight=False)
        write("device", found)


def section(found: Found) -> str:
    by: dict[str, dict[str, float]] = {}
    for r in found["speeds"]:
        by.setdefault(r["size"], {})[r["method"]] = r.get("ms", float("nan"))
    methods = list(dict.fromkeys(r["method"] for r in found["speeds"]))
    rows = [
        [size, *(f"{ms[m]:.2f}" if m in ms else "-" for m in methods)] for size, ms in by.items()
    ]
    used = [
        f"{b['how']}: {b['ms a round']:.2f} ms a round of {b['kernels']:.0f} kernels, the card busy {b['busy']:.0%} of the time"
        for b in found["busy"]
    ]
    first = found["mnist"][0]
    wrong = [c["check"] for c in found["checks"] if not c["result"].startswith(("equal", "ok")) and "apart" not in c["result"]]  # fmt: skip
    apart = max(float(c["result"].split()[0]) for c in found["checks"] if "apart" in c["result"])
    return (
        f"**One card** (`python -m benchmarks.device`, {found['card']}, {found['measured']['machine']['cores']} cores), milliseconds a step: "
        "the textbook loop one kernel at a time, Surveyor's as one graph. The pair is a critic step and a generator step; the others are a critic step.\n\n"
        + table(["step", *methods], rows)
        + f"\n\nA round of MNIST (`--condition labels`), under PyTorch's profiler: {'; '.join(used)}. "
        f"From command to report its {4000:,} steps took {first['seconds']:.0f} s, {first['training']:.0f} s of them until the last step"
        f"{', ' + first['note'] if 'note' in first else ''}. "
        f"Of {len(found['checks'])} checks {len(wrong)} failed{': ' + ', '.join(wrong) if wrong else ''}: graphs give the bits of single kernels, "
        "a seed gives the same files twice and after an interruption, a number that is not finite is named as on the processor; "
        f"gradients are at most {apart:.0e} of their norm from the processor's.\n\n*{found.get('note', '')}*".replace(
            "\n\n**", ""
        )
    )


SECTION = Section(105, section)


if __name__ == "__main__":
    main()
