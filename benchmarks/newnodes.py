"""New nodes of a network: neighbours of nodes held out, against those that models choose."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import networkx as nx
import numpy as np
import pandas as pd
import torch
from scipy.sparse.csgraph import dijkstra
from sklearn.metrics import roc_auc_score

from benchmarks.common import Run, console, data_file, merged, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.networks.arrival import Arrival, arrival
from surveyor.networks.ways import adjacent
from surveyor.transport import wasserstein_1_line

FILES = {"European grid": "grid_1354.csv.gz", "grid of Britain": "grid_gb_2224.csv.gz"}
GROWN = "grown, clustered"  # Holme and Kim 2002
NETWORKS = (*FILES, GROWN)
HELD, MADE = 0.1, 1_000  # share of nodes held out; new nodes made
RANK, WALKED, RATE = 16, 300, 0.05  # of the low-rank walk, its steps of Adam and their rate
FAR = 30  # steps: the distance of nodes between which there is no path
METHODS = {
    "ours": "**`sample --network`**", "walk": "low-rank walk (as CELL)", "preferential": "preferential attachment",
    "real": "nodes held in",
}  # fmt: skip
FIGURES = ("degree", "triangles", "apart")

Sets = list[np.ndarray]


def edges_of(name: str, seed: int) -> tuple[np.ndarray, int]:
    """Return edges (m, 2), each once, without loops, and the number of nodes."""
    if name == GROWN:
        pairs = np.array(nx.powerlaw_cluster_graph(1500, 3, 0.6, seed=seed).edges)
    else:
        rows = pd.read_csv(data_file(FILES[name]))
        pairs = pd.factorize(rows[["u", "v"]].to_numpy().ravel())[0].reshape(-1, 2)
    once = np.unique(np.sort(pairs, axis=1), axis=0)
    return once[once[:, 0] != once[:, 1]], int(once.max()) + 1


def held_out(edges: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, int, Sets]:
    """Return the network without some nodes, and the neighbours there that each of them has."""
    out = np.random.default_rng(seed).random(n) < HELD
    place = np.cumsum(~out) - 1
    inside = ~out[edges].any(1)
    across = edges[out[edges].sum(1) == 1]
    ends = np.where(out[across], across, -1).max(1), np.where(out[across], -1, across).max(1)
    sets = [place[ends[1][ends[0] == v]] for v in np.unique(ends[0])]
    return place[edges[inside]], int((~out).sum()), sets


def low_rank(edges: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Return a transition matrix (n, n) of low rank before the softmax (Rendsburg et al. 2020)."""
    torch.manual_seed(seed)
    lines = torch.tensor(adjacent(edges, n).todense())
    down, up = (torch.randn(n, RANK).mul_(0.1).requires_grad_(True) for _ in range(2))
    moves = torch.optim.Adam([down, up], RATE)
    for _ in range(WALKED):
        loss = -(lines * torch.log_softmax(down @ up.T, 1)).sum() / lines.sum()
        moves.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        moves.step()
    return torch.softmax(down @ up.T, 1).detach().double().numpy()


def walking(walk: np.ndarray, degree: np.ndarray) -> Callable[[list[int]], np.ndarray]:
    """Return the odds of the next neighbour: two steps of the walk from those chosen."""
    start = degree / degree.sum()
    return lambda chosen: start if not chosen else walk[chosen].mean(0) @ walk


def attached(degree: np.ndarray) -> Callable[[list[int]], np.ndarray]:
    """Return the odds of the next neighbour: its degree (Barabasi and Albert 1999)."""
    return lambda chosen: degree / degree.sum()


def drawn(odds: Callable[[list[int]], np.ndarray], sizes: np.ndarray, seed: int) -> Sets:
    """Return sets of neighbours of these sizes, drawn one after another."""
    rng, sets = np.random.default_rng(seed), []
    for k in sizes:
        chosen: list[int] = []
        for _ in range(int(k)):
            p = odds(chosen).copy()
            p[chosen] = 0
            chosen.append(int(rng.choice(len(p), p=p / p.sum())))
        sets.append(np.array(chosen))
    return sets


def figures(sets: Sets, far: np.ndarray) -> dict[str, np.ndarray]:
    """Return of each set its size, its triangles, and the distances between its nodes."""
    pairs = [far[np.ix_(s, s)][np.triu_indices(len(s), 1)] for s in sets]
    return {
        "degree": np.array([float(len(s)) for s in sets]),
        "triangles": np.array([float((p == 1).sum()) for p in pairs]),
        "apart": np.concatenate([np.minimum(p, FAR) for p in pairs]),
    }


def link_auc(scores: Callable[[list[int], int], np.ndarray], sets: Sets, seed: int) -> float:
    """Return the mean AUC of one neighbour of each set among all nodes, the others given."""
    rng, found = np.random.default_rng(seed), []
    for own in sets:
        if len(own) < 2:
            continue
        *given, asked = rng.permutation(own)
        value = scores([int(v) for v in given], len(own))
        left = np.setdiff1d(np.arange(len(value)), given)
        found.append(roc_auc_score(left == asked, value[left]))
    return float(np.mean(found))


def held_in(model: Arrival, nodes: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of nodes of the network, each as it lies without the node itself."""
    around, sizes, pairs = model.around(), [], []
    for node in nodes:
        own = around.without(int(node))
        paths = np.minimum(dijkstra(around.lengths, indices=own)[:, own], FAR)
        sizes.append(float(len(own)))
        pairs.append(paths[np.triu_indices(len(own), 1)])
    triangles = np.array([float((p == 1).sum()) for p in pairs])
    return {"degree": np.array(sizes), "triangles": triangles, "apart": np.concatenate(pairs)}


def measured(name: str, seed: int) -> list[Run]:
    """Return, of each method, W1 of degrees, triangles and distances to nodes held out, and AUC."""
    torch.set_num_threads(1)
    edges, n, real = held_out(*edges_of(name, seed), seed)
    rng = np.random.default_rng(seed)
    lines = adjacent(edges, n)
    far, degree = dijkstra(lines, unweighted=True), np.bincount(edges.ravel(), minlength=n)
    sizes = rng.choice([len(s) for s in real], MADE)
    begun = time.monotonic()
    model = arrival(edges, n, seed)
    seconds = time.monotonic() - begun
    around = model.around()
    walk = walking(low_rank(edges, n, seed), degree)
    hub = attached(degree)

    def ours(given: list[int], k: int) -> np.ndarray:
        seen = around.nothing()
        for node in given:
            seen = around.joined(seen, node)
        return model.scores(around, seen, k)

    scores = {
        "ours": ours, "walk": lambda given, k: walk(given), "preferential": lambda given, k: hub(given),
    }  # fmt: skip
    auc = {method: link_auc(score, real, seed) for method, score in scores.items()}
    made = {
        "ours": model.sample(MADE, seed, sizes), "walk": drawn(walk, sizes, seed),
        "preferential": drawn(hub, sizes, seed),
    }  # fmt: skip
    told = {method: figures(sets, far) for method, sets in made.items()}
    told["ours"]["degree"] = np.array([float(len(s)) for s in model.sample(MADE, seed)])
    for method in ("walk", "preferential"):  # neither says how many neighbours a node has
        del told[method]["degree"]
    told["real"] = held_in(model, rng.permutation(np.flatnonzero(degree))[: len(real)])
    truth = figures(real, far)
    found = []
    for method, values in told.items():
        run: Run = {"network": name, "method": method, "seed": seed, "auc": auc.get(method)}
        run |= {
            key: wasserstein_1_line(values[key], truth[key]) for key in FIGURES if key in values
        }
        if method == "ours":
            run |= {
                "seconds": seconds, "likelihood": model.log_likelihood(real, seed),
                "uniform": -float(np.log(n)),
            }  # fmt: skip
        found.append(run)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS), choices=NETWORKS)
    given = parser.parse_args()
    runs: list[Run] = []
    for name in given.networks:
        for seed in given.seeds:
            runs += measured(name, seed)
            console.print(runs[-4:], highlight=False)
            write("newnodes", {"runs": merged("newnodes", runs, "network", "method", "seed")})


def section(found: Found) -> str:
    rows, seconds = [], []
    for (name, method), runs in grouped(found["runs"], "network", "method").items():
        seconds += [r["seconds"] for r in runs if "seconds" in r]
        means = [
            f"{np.mean([r[key] for r in runs]):.2f}" if key in runs[0] else "-" for key in FIGURES
        ]
        auc = "-" if runs[0]["auc"] is None else f"{np.mean([r['auc'] for r in runs]):.3f}"
        rows.append([name, METHODS[method], *means, auc])
    return (
        f"**New nodes** (`make bench-newnodes`): {HELD:.0%} of the nodes of a network are held out, and models of the others make {MADE:,} new ones. W1 to "
        "the nodes held out of the number of neighbours, of triangles at a node, and of the steps between two of its neighbours without it, and the AUC of "
        f"one neighbour among all nodes, the others given; means over seeds {', '.join(map(str, found['seeds']))}. Numbers of neighbours are drawn from "
        f"the network, for triangles, steps and the other methods from those of the nodes held out; nodes without a path count as {FAR} steps apart. "
        "*Nodes held in* is the floor: nodes of the network, each without itself. "
        f"Learning takes {max(seconds):.0f} s at most.\n\n"
        + table(["network", "", "degree", "triangles", "steps apart", "AUC"], rows)
    )  # fmt: skip


SECTION = Section(220, section)


if __name__ == "__main__":
    main()
