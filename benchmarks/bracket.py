"""Brackets of W1 on large networks: how wide they are after how many seconds."""

from __future__ import annotations

import argparse
import contextlib
import time

import numpy as np

from benchmarks.common import Run, console, merged, write
from benchmarks.network import edges_of
from benchmarks.page import Found, Section, table
from surveyor.transport import graph_bracket

SIDES = (300, 707)  # of square lattices
WIDTH = 0.02
MARKS = (60, 300)  # seconds
MOST = 330  # seconds


class Enough(Exception):
    """The time is over."""


def measured(side: int, seed: int) -> Run:
    """Return both ends of the bracket after every sweep, with the seconds of one thread."""
    rng = np.random.default_rng(seed)
    edges, lengths = edges_of(f"lattice {side} x {side}", rng)
    p, q = rng.dirichlet(np.ones(side**2), 2)
    begun, trace = time.process_time(), list[tuple[float, float, float]]()

    def watch(low: float, high: float) -> None:
        trace.append((time.process_time() - begun, low, high))
        console.print(side, *trace[-1], 1 - low / high, highlight=False)
        if trace[-1][0] > MOST:
            raise Enough

    with contextlib.suppress(Enough):
        graph_bracket(edges, lengths, p, q, WIDTH, watch)
    return {"side": side, "seed": seed, "nodes": side**2, "edges": len(edges), "trace": trace}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1])
    parser.add_argument("--sides", type=int, nargs="*", default=list(SIDES))
    given = parser.parse_args()
    runs: list[Run] = []
    for side in given.sides:
        for seed in given.seeds:
            runs.append(measured(side, seed))
            write("bracket", {"runs": merged("bracket", runs, "side", "seed")})


def section(found: Found) -> str:
    def width(trace: list[tuple[float, float, float]], until: float) -> str:
        known = [1 - low / high for seconds, low, high in trace if seconds <= until]
        return f"{known[-1]:.1%}" if known else "-"

    rows = [
        [
            f"lattice {r['side']} x {r['side']}", str(r["seed"]), f"{r['nodes']:,}", f"{r['edges']:,}",
            *(width(r["trace"], mark) for mark in MARKS), width(r["trace"], np.inf),
            f"{r['trace'][-1][0]:.0f}",
        ]
        for r in found["runs"]
    ]  # fmt: skip
    return (
        "**Brackets of W1 on networks** (`make bench-bracket`): random masses on all nodes, the certified bracket's width as a share of its upper "
        f"end after so many seconds of one thread, and at the end: {WIDTH:.0%}, or the sweep that ends after {MOST} s.\n\n"
        + table(["", "seed", "nodes", "edges", *(f"{m} s" for m in MARKS), "at the end", "s"], rows)
    )


SECTION = Section(219, section)


if __name__ == "__main__":
    main()
