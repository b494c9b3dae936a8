"""Odd nodes planted in networks: how well scores find them."""

from __future__ import annotations

import argparse
import time

import networkx as nx
import numpy as np
import ot
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import dijkstra
from sklearn.ensemble import IsolationForest
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import LocalOutlierFactor

from benchmarks.common import Run, console, data_file, merged, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.networks import Network
from surveyor.networks.links import spectrum
from surveyor.networks.oddity import oddities
from surveyor.networks.ways import adjacent

NETWORKS = {"European grid": "grid_1354.csv.gz", "grid of Britain": "grid_gb_2224.csv.gz"}
PLANTS = ("clique", "moved", "extra")
SHARE, CLIQUE = 0.05, 15  # of the nodes; nodes of a clique
RANK = 32  # eigenvectors of the spread
METHODS = {
    "dense": "`dense`", "odd_links": "`odd_links`", "degree": "degree", "oddball": "OddBall",
    "forest": "IsolationForest, 9 features", "lof": "LOF, 9 features",
    "curvature": "W1 along its edges (curvature)", "spread": "spread of its neighbours in the spectrum",
}  # fmt: skip


def edges_of(name: str) -> tuple[np.ndarray, int]:
    """Return edges (m, 2), each once, without loops, and the number of nodes."""
    rows = pd.read_csv(data_file(NETWORKS[name]))
    codes, names = pd.factorize(rows[["u", "v"]].to_numpy().ravel())
    return distinct(codes.reshape(-1, 2)), len(names)


def distinct(edges: np.ndarray) -> np.ndarray:
    """Return edges each once, the lesser end first, without loops."""
    once = np.unique(np.sort(edges, axis=1), axis=0)
    return np.asarray(once[once[:, 0] != once[:, 1]])


def planted(edges: np.ndarray, n: int, kind: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the edges with odd nodes, and which nodes (n,) are odd.

    ``clique``: groups joined fully; ``moved``: every edge led to a random node; ``extra``: as many
    edges again, to random nodes.
    """
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(n)[: round(SHARE * n)]
    odd = np.zeros(n, dtype=bool)
    odd[chosen] = True
    if kind == "clique":
        groups = np.array_split(chosen, round(len(chosen) / CLIQUE))
        pairs = [g[np.stack(np.triu_indices(len(g), 1), axis=1)] for g in groups]
        return distinct(np.concatenate([edges, *pairs])), odd
    ends = np.repeat(chosen, np.bincount(edges.ravel(), minlength=n)[chosen])
    new = np.stack([ends, rng.integers(0, n, len(ends))], axis=1)
    kept = edges if kind == "extra" else edges[~odd[edges].any(1)]
    return distinct(np.concatenate([kept, new])), odd


def structure(edges: np.ndarray, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return nine features of each node (n, 9), and OddBall's score (n,)."""
    lines = adjacent(edges, n)
    degree = np.asarray(lines.sum(1)).ravel()
    graph = nx.from_scipy_sparse_array(lines)
    triangles = np.asarray((lines @ lines).multiply(lines).sum(1)).ravel() / 2
    core, rank = nx.core_number(graph), nx.pagerank(graph)
    inside = degree + triangles
    around = lines @ degree
    features = [
        degree, triangles, triangles / np.maximum(degree * (degree - 1) / 2, 1),
        [core[v] for v in range(n)], [rank[v] for v in range(n)], around / np.maximum(degree, 1),
        np.asarray(lines.multiply(degree[None]).max(1).todense()).ravel(), inside,
        around - degree - 2 * triangles,
    ]  # fmt: skip
    size, links = np.log(degree + 1), np.log(inside + 1)
    line = np.polyval(np.polyfit(size, links, 1), size)  # Akoglu, McGlohon and Faloutsos 2010
    return np.stack([np.asarray(f, dtype=float) for f in features], axis=1), links - line


def curvature(edges: np.ndarray, n: int) -> np.ndarray:
    """Return the mean of W1 along a node's edges, between the neighbours of both ends (Ollivier)."""
    lines = adjacent(edges, n)
    far = dijkstra(lines, unweighted=True)
    near = np.split(lines.indices, lines.indptr[1:-1])
    w1 = [ot.emd2([], [], far[np.ix_(near[u], near[v])]) for u, v in edges]
    total = np.bincount(edges.T.ravel(), np.tile(w1, 2), minlength=n)
    return total / np.maximum(np.bincount(edges.ravel(), minlength=n), 1)


def spread(edges: np.ndarray, n: int) -> np.ndarray:
    """Return the variance of the neighbours' coordinates in the spectrum."""
    lines, places = adjacent(edges, n), spectrum(edges, n)[:, :RANK]
    mean = sparse.diags(1 / np.maximum(np.asarray(lines.sum(1)).ravel(), 1)) @ lines
    return np.asarray((mean @ places**2 - (mean @ places) ** 2).sum(1))


def measured(name: str, kind: str, seed: int) -> Run:
    """Return the AUC of every score, and that for planted nodes of two or more own edges."""
    own, n = edges_of(name)
    edges, odd = planted(own, n, kind, seed)
    begun = time.monotonic()
    found = oddities(Network([str(v) for v in range(n)], edges, np.ones(len(edges))))
    seconds = time.monotonic() - begun
    features, oddball = structure(edges, n)
    lof = LocalOutlierFactor(n_neighbors=20)
    lof.fit(np.log1p(np.maximum(features, 0)))
    scores = {
        "dense": found.dense, "odd_links": found.odd_links, "degree": features[:, 0], "oddball": oddball,
        "forest": -IsolationForest(random_state=seed).fit(features).score_samples(features),
        "lof": -lof.negative_outlier_factor_, "curvature": curvature(edges, n), "spread": spread(edges, n),
    }  # fmt: skip
    several = ~odd | (np.bincount(own.ravel(), minlength=n) > 1)
    run: Run = {"network": name, "plant": kind, "seed": seed, "seconds": seconds}
    for key, score in scores.items():
        run[key] = float(roc_auc_score(odd, score))
        run[f"{key}_2"] = float(roc_auc_score(odd[several], score[several]))
    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    given = parser.parse_args()
    runs: list[Run] = []
    for name in given.networks:
        for kind in PLANTS:
            for seed in given.seeds:
                runs.append(measured(name, kind, seed))
                console.print(runs[-1], highlight=False)
                write("oddities", {"runs": merged("oddities", runs, "network", "plant", "seed")})


def section(found: Found) -> str:
    cells = grouped(found["runs"], "network", "plant")
    networks = list(dict.fromkeys(name for name, _ in cells))

    def shown(runs: list[Run], key: str) -> str:
        return f"{np.mean([r[key] for r in runs]):.3f}".replace("0.", ".", 1)

    rows = []
    for key, label in METHODS.items():
        row = [label]
        for name in networks:
            row.append(shown(cells[name, "clique"], key))
            for kind in ("moved", "extra"):
                runs = cells[name, kind]
                row.append(f"{shown(runs, key)} ({shown(runs, f'{key}_2')})")
        rows.append(row)
    seconds = np.median([r["seconds"] for r in found["runs"]])
    return (
        "**Odd nodes** (`make bench-oddities`): in 5% of the nodes a clique of about 15, all edges moved to random nodes, or as many extra; "
        f"AUC of the nodes' scores, means over seeds {', '.join(map(str, found['seeds']))}, and in brackets that for planted nodes of two or "
        "more edges of their own (a leaf whose one edge is moved is still a leaf). No score is told what is planted; both of ours "
        f"take {seconds:.1f} s.\n\n"
        + table(["", *(f"{name}: {kind}" for name in networks for kind in PLANTS)], rows)
    )  # fmt: skip


SECTION = Section(219, section)


if __name__ == "__main__":
    main()
