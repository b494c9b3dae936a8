"""W1 on networks: seconds of the exact flow and of a linear programme, and the gap that is left."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.common import Run, console, data_file, merged, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.transport import graph_transport, wasserstein_1_graph

SOLVED_BOTH_WAYS = 20_000  # edges up to which the linear programme is run too
SIDES = (100, 300)  # of square lattices
NETWORKS = ("grid of Britain", *(f"lattice {side} x {side}" for side in SIDES))


def edges_of(name: str, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return edges (m, 2) and lengths (m,)."""
    if name == "grid of Britain":
        rows = pd.read_csv(data_file("grid_gb_2224.csv.gz"))
        codes = pd.factorize(rows[["u", "v"]].to_numpy().ravel())[0].reshape(-1, 2)
        return codes, np.ones(len(codes))
    side = int(name.split()[-1])
    place = np.arange(side * side).reshape(side, side)
    across = np.c_[place[:, :-1].ravel(), place[:, 1:].ravel()]
    down = np.c_[place[:-1].ravel(), place[1:].ravel()]
    edges = np.concatenate([across, down])
    return edges, rng.uniform(0.5, 1.5, len(edges))


def measured(name: str, seed: int) -> Run:
    """Return the seconds and values of one network with random masses."""
    rng = np.random.default_rng(seed)
    edges, lengths = edges_of(name, rng)
    nodes = int(edges.max()) + 1
    p, q = rng.dirichlet(np.ones(nodes), 2)
    begun = time.monotonic()
    found = graph_transport(edges, lengths, p, q)
    run: dict[str, Any] = {
        "network": name, "seed": seed, "nodes": nodes, "edges": len(edges), "w1": found.high,
        "gap": (found.high - found.low) / found.high, "seconds": time.monotonic() - begun,
    }  # fmt: skip
    if len(edges) <= SOLVED_BOTH_WAYS:
        begun = time.monotonic()
        other = wasserstein_1_graph(edges, lengths, p, q)
        run |= {"programme": time.monotonic() - begun, "apart": abs(found.high / other - 1)}
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    given = parser.parse_args()
    runs: list[Run] = []
    for name in given.networks:
        for seed in given.seeds:
            runs.append(measured(name, seed))
            console.print(runs[-1], highlight=False)
            write("network", {"runs": merged("network", runs, "network", "seed")})


def section(found: Found) -> str:
    rows = []
    for (name,), runs in grouped(found["runs"], "network").items():
        seconds = [r["seconds"] for r in runs]
        slow = [r["programme"] for r in runs if "programme" in r]
        apart = [r["apart"] for r in runs if "apart" in r]
        rows.append([
            name, f"{runs[0]['nodes']:,}", f"{runs[0]['edges']:,}",
            f"{np.median(seconds):.2f} ({max(seconds):.2f})", f"{np.median(slow):.2f}" if slow else "-",
            f"{max(r['gap'] for r in runs):.0e}", f"{max(apart):.0e}" if apart else "-",
        ])  # fmt: skip
    return (
        "**W1 on networks** (`make bench-network`): random masses on all nodes; seconds of the flow by network simplex, median "
        f"over seeds {', '.join(map(str, found['seeds']))} (slowest), and of the same problem as a linear programme (HiGHS); the largest gap "
        "between the flow's cost and the potential's bound, and between both methods, as shares of W1.\n\n"
        + table(["", "nodes", "edges", "s", "linear programme", "gap", "apart"], rows)
    )  # fmt: skip


SECTION = Section(218, section)


if __name__ == "__main__":
    main()
