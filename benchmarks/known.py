"""Distances known in closed form, by the ruler's critic and by a trained one: value, error, bound."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.common import show, write
from benchmarks.page import Found, Section, table
from surveyor.ruler import Budget, fit
from surveyor.transport import wasserstein_1_gaussians

Draw = Callable[[int], np.ndarray]
SEED = 1
RNG = np.random.default_rng(SEED)


@dataclass(frozen=True)
class Known:
    """Two distributions and the W1 between them."""

    name: str
    high: Draw
    low: Draw
    w1: float
    budget: Budget


def squares() -> tuple[Draw, Draw]:
    """A black picture of 64 x 64, and one with a white square of 35 x 35: |x - y| = 35."""
    white = np.zeros((64, 64))
    white[14:49, 14:49] = 1
    return (
        lambda n: np.tile(white.reshape(1, -1), (n, 1)),
        lambda n: np.zeros((n, 64 * 64)),
    )


def sphere(n: int) -> np.ndarray:
    x = RNG.normal(size=(n, 128))
    return np.asarray(x / np.linalg.norm(x, axis=1, keepdims=True))


def line(draw: Callable[[int], np.ndarray]) -> Draw:
    return lambda n: draw(n).reshape(-1, 1)


SHORT, USUAL = Budget(steps=160, batch=16), Budget(steps=800, batch=256)
CASES = (
    Known("squares of 64 x 64", *squares(), 35.0, SHORT),
    Known("a point and the sphere around it, 128 dimensions", lambda n: np.zeros((n, 128)), sphere, 1.0, USUAL),
    Known("the sphere and its centre, 128 dimensions", sphere, lambda n: np.zeros((n, 128)), 1.0, USUAL),
    Known("point masses 7 apart, on the line", line(np.zeros), line(lambda n: np.full(n, 7.0)), 7.0, USUAL),
    Known("uniform [0, 1] and [3, 4]", line(RNG.random), line(lambda n: 3 + RNG.random(n)), 3.0, USUAL),
    Known("uniform [0, 1] and [-1, 2]", line(RNG.random), line(lambda n: 3 * RNG.random(n) - 1), 0.5, USUAL),
    Known("N(0, 1) and N(2, 1)", line(RNG.standard_normal), line(lambda n: 2 + RNG.standard_normal(n)), 2.0, USUAL),
    Known(
        "N(0, 1) and N(1, 3^2)", line(RNG.standard_normal), line(lambda n: 1 + 3 * RNG.standard_normal(n)),
        wasserstein_1_gaussians(0.0, 1.0, 1.0, 3.0), USUAL,
    ),
    Known(
        "N(0, I) and N(m, I), |m| = 3, 32 dimensions", lambda n: RNG.standard_normal((n, 32)),
        lambda n: 3 / 32**0.5 + RNG.standard_normal((n, 32)), 3.0, USUAL,
    ),
)  # fmt: skip


def gap(critic: torch.nn.Module, high: Draw, low: Draw, rounds: int = 40, n: int = 5000) -> float:
    """Return E f(high) - E f(low) from 200,000 fresh points a side."""
    total = 0.0
    with torch.no_grad():
        for _ in range(rounds):
            x, y = (torch.as_tensor(d(n), dtype=torch.float32) for d in (high, low))
            total += float(critic(x).double().mean() - critic(y).double().mean())
    return total / rounds


def measured(case: Known, solved: bool) -> dict[str, Any]:
    """Return the gap of the ruler's critic, or of a trained one where exact transport may not win."""
    begun = time.monotonic()
    made = fit(case.high, case.low, case.budget, solved)
    seconds = time.monotonic() - begun
    few = (1, 16) if case.name.startswith("squares") else ()
    return {
        "value": gap(made, case.high, case.low, *few), "bound": made.bound,
        "critic": type(made.inner).__name__, "seconds": seconds,
    }  # fmt: skip


def main() -> None:
    rows, table = [], []
    for case in CASES:
        ruler, trained = measured(case, True), measured(case, False)
        rows.append({
            "name": case.name, "w1": case.w1, "steps": case.budget.steps, "batch": case.budget.batch,
            **ruler, "trained": trained,
        })  # fmt: skip
        for which, found in (("ruler", ruler), ("trained", trained)):
            table.append((
                f"{case.name}: {which}", f"{case.w1:.4f}", f"{found['value']:.4f}",
                f"{found['value'] / case.w1 - 1:+.2%}", found["critic"], case.budget.steps,
                f"{found['seconds']:.0f}",
            ))  # fmt: skip
    write("known", {"seeds": [SEED], "runs": rows})
    columns = ("distributions", "W1", "critic's gap", "error", "critic", "steps", "s")
    show("Known distances, slope at most 1 by proof", columns, table)


def section(found: Found) -> str:
    told = all("trained" in r for r in found["runs"])
    rows = []
    for r in found["runs"]:
        cells = [
            r["name"],
            f"{r['w1']:.4f}",
            f"{r['steps']} x {r['batch']}",
            f"{r['value']:.4f}",
            f"{r['value'] / r['w1'] - 1:+.2%}",
        ]
        if told:
            trained = r["trained"]
            cells += [
                r["critic"],
                f"{trained['value']:.4f}",
                f"{trained['value'] / r['w1'] - 1:+.2%}",
                trained["critic"],
            ]
        rows.append(cells)
    columns = ["distributions", "W1", "steps", "gap", "error"]
    columns += ["critic", "trained: gap", "error", "critic"] if told else []
    beside = (
        " The best trained one is given too." if told else " Which of them it was is not recorded."
    )
    return (
        "**Distances in closed form** (`make bench-known`): gaps on fresh points of the critic that the ruler returns, whose "
        "slope is at most 1 by proof. It is the best of two trained families, Peaks and Folds, and of Cones, which need no "
        f"training: the potentials of exact transport between 2,048 points per side, extended to other points.{beside}\n\n"
        + table(columns, rows)
    )


SECTION = Section(80, section)


if __name__ == "__main__":
    main()
