"""Claim 22 on real grids: a critic held on the edges alone, against exact W1."""

from __future__ import annotations

import argparse
import time

import numpy as np
import pandas as pd
import torch
from scipy.sparse.csgraph import dijkstra

from benchmarks.common import Run, console, data_file, merged, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.claims.c22_graph_metric import trained
from surveyor.transport import adjacency, slope_one, wasserstein_1_graph

GRIDS = {"European grid": "grid_1354.csv.gz", "grid of Britain": "grid_gb_2224.csv.gz"}
STEPS, WEIGHT, RATE = 20_000, 0.1, 0.02  # of the critic; lengths have mean 1
TAMPERED, LOOKED = 10, 4_000  # buses, and steps of the critic that looks for each
LEAST = 1e-4  # reactance per unit of a branch


def grid(name: str) -> tuple[np.ndarray, np.ndarray, int]:
    """Return edges (m, 2), their reactances (m,) over the mean, and the number of buses."""
    rows = pd.read_csv(data_file(GRIDS[name]))
    rows = rows[rows["u"] != rows["v"]]
    codes, names = pd.factorize(rows[["u", "v"]].to_numpy().ravel())
    lengths = np.maximum(rows["x_pu"].abs().to_numpy(), LEAST)
    return codes.reshape(-1, 2), lengths / lengths.mean(), len(names)


def measured(name: str, seed: int) -> Run:
    """Return what a critic trained between random loads reaches, and where it finds tampering."""
    torch.set_num_threads(1)
    begun = time.monotonic()
    rng = np.random.default_rng(seed)
    edges, lengths, n = grid(name)
    load, other = rng.dirichlet(np.ones(n), 2)
    exact = [wasserstein_1_graph(edges, lengths, load, other, m) for m in ("dual", "beckmann")]
    graph = adjacency(edges, lengths, n)
    found = trained(load, other, STEPS, WEIGHT, RATE, edges, lengths)
    steep = np.abs(found[edges[:, 0]] - found[edges[:, 1]]) / lengths
    proven = slope_one(graph, found)
    gap = load - other
    buses = rng.choice(n, TAMPERED, replace=False)
    far, hits = dijkstra(graph, directed=False, indices=buses), []
    for bus, paths in zip(buses, far, strict=True):
        seen = load.copy()
        seen[bus] += 0.1
        critic = trained(seen / seen.sum(), load, LOOKED, WEIGHT, RATE, edges, lengths)
        hits.append(float((paths < paths[critic.argmax()]).sum()))
    return {
        "grid": name, "seed": seed, "nodes": n, "edges": len(edges), "w1": exact[0],
        "apart": abs(exact[0] / exact[1] - 1), "raw": float(found @ gap) / exact[0],
        "steepest": float(steep.max()), "proven": float(proven @ gap) / exact[0],
        "hits": sum(hit == 0 for hit in hits), "nearer": max(hits), "seconds": time.monotonic() - begun,
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    given = parser.parse_args()
    runs: list[Run] = []
    for name in GRIDS:
        for seed in given.seeds:
            runs.append(measured(name, seed))
            console.print(runs[-1], highlight=False)
            write("grids", {"runs": merged("grids", runs, "grid", "seed")})


def section(found: Found) -> str:
    rows = []
    for (name,), runs in grouped(found["runs"], "grid").items():
        least, most = (f([r["proven"] for r in runs]) for f in (min, max))
        rows.append([
            name, f"{runs[0]['nodes']:,}", f"{runs[0]['edges']:,}", f"{max(r['apart'] for r in runs):.0e}",
            f"{np.mean([r['raw'] for r in runs]):.3f}", f"{max(r['steepest'] for r in runs):.2f}",
            f"{least:.3f} to {most:.3f}", f"{sum(r['hits'] for r in runs)} of {TAMPERED * len(runs)}",
            f"{max(r['nearer'] for r in runs):.0f}",
        ])  # fmt: skip
    return (
        "**Claim 22 on real grids** (`make bench-grids`): a critic of one number a bus, trained under the penalty on the edges (lengths are "
        f"reactances; {STEPS:,} steps of Adam) between two random loads, seeds {', '.join(map(str, found['seeds']))}: how far two exact rulers are apart, "
        "the critic's value and the same proven, after one Dijkstra has brought it to slope 1, as shares of W1; and of buses at which a tenth of the load "
        "was added those at which the critic is highest, and the most other buses that are nearer to such a bus than where it is highest. On 14 buses the claim "
        "asks for 2% and for every bus.\n\n"
        + table(["", "buses", "branches", "rulers apart", "critic", "steepest edge", "proven", "tampering found", "nearer"], rows)
    )  # fmt: skip


SECTION = Section(217, section)


if __name__ == "__main__":
    main()
