"""Whole graphs: community-small and planar, judged by descriptors, MMD and counts."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import networkx as nx
import numpy as np
from scipy.spatial import Delaunay

import surveyor
from benchmarks.common import Run, console, merged, train, write
from benchmarks.page import Found, Section, grouped, table
from surveyor.kinds.graphs.descriptors import described
from surveyor.kinds.graphs.graphs import Graph
from surveyor.kinds.graphs.isomorphism import among, repeats
from surveyor.kinds.graphs.mmd import KERNELS, mmd
from surveyor.kinds.graphs.properties import have
from surveyor.two_sample.classifier import separate

MADE = 100  # test graphs, and graphs of every set that is judged
FLOORS = 10  # sets of real graphs of which floors are the mean
NODES = 64  # of a planar graph
REAL, RANDOM, OWN = "real graphs", "random graphs of as many edges", "Surveyor"
METHODS = (REAL, RANDOM, OWN)


def community(rng: np.random.Generator) -> nx.Graph:
    """Return two communities of 6 to 10 nodes, linked inside with .7, and by .05 n edges.

    Those of the published set are seeded by the number of the community, so that all graphs of a
    size have the same two; these are fresh.
    """
    while True:
        size = int(rng.integers(12, 21))
        sides = np.arange(size) < size // 2
        inside = np.triu(rng.random((size, size)) < 0.7, 1) & (sides[:, None] == sides)
        made = nx.from_numpy_array(inside.astype(int) + inside.T)
        if nx.number_connected_components(made) == 2:
            break
    for _ in range(max(1, int(0.05 * size))):
        made.add_edge(int(rng.integers(size // 2)), int(rng.integers(size // 2, size)))
    return nx.Graph(made.edges())


def planar(rng: np.random.Generator) -> nx.Graph:
    """Return the Delaunay triangulation of random points in the square."""
    corners = Delaunay(rng.random((NODES, 2))).simplices
    return nx.Graph((int(t[a]), int(t[b])) for t in corners for a, b in ((0, 1), (1, 2), (0, 2)))


@dataclass(frozen=True)
class Set:
    """Graphs of a data set: how one is drawn, how many are given, what is valid, and the options."""

    draw: Callable[[np.random.Generator], nx.Graph]
    given: int
    valid: tuple[str, ...]
    options: tuple[str, ...] = ()

    def graphs(self, n: int, seed: int) -> list[nx.Graph]:
        rng = np.random.default_rng(seed)
        return [self.draw(rng) for _ in range(n)]


SETS = {
    "community-small": Set(community, 100, ("connected",)),
    "planar": Set(planar, 160, ("connected", "planar"), ("--steps", "1200")),
}


@dataclass(frozen=True, eq=False)
class Ruler:
    """Judges graphs by fresh test graphs; floors are means over real sets of as many."""

    of: Set
    given: list[Graph]
    seed: int

    @cached_property
    def held(self) -> list[Graph]:
        return own(self.of.graphs(MADE, 1000 + self.seed))

    @cached_property
    def real(self) -> list[list[Graph]]:
        return [own(self.of.graphs(MADE, 2000 + FLOORS * self.seed + k)) for k in range(FLOORS)]

    @cached_property
    def floors(self) -> dict[str, tuple[float, float]]:
        """Return MMD^2 between test graphs and other real ones: mean and standard deviation."""
        every = {name: [mmd(name, self.held, side) for side in self.real] for name in KERNELS}
        return {k: (float(np.mean(v)), float(np.std(v, ddof=1))) for k, v in every.items()}

    def __call__(self, made: list[Graph]) -> Run:
        good = [g for g, sound in zip(made, have(made, self.of.valid), strict=True) if sound]
        different = [g for g, again in zip(good, repeats(good), strict=True) if not again]
        new = len(different) - int(among(different, self.given).sum())
        rows = described(self.held), described(made)
        found = {
            "valid": len(good) / len(made),
            "vun": new / len(made),
            "auc": float(separate(*rows, self.seed).auc),
        }
        values = {name: mmd(name, self.held, made) for name in KERNELS}
        ratios = {name: value / self.floors[name][0] for name, value in values.items()}
        return found | {"mmd": values, "ratio": ratios, "floors": self.floors}


def own(graphs: Iterable[nx.Graph]) -> list[Graph]:
    return [Graph.of(graph, (), ()) for graph in graphs]


def random_like(graphs: Sequence[nx.Graph], seed: int) -> list[nx.Graph]:
    sizes = [(len(g), g.number_of_edges()) for g in graphs]
    return [nx.gnm_random_graph(n, m, seed=seed + k) for k, (n, m) in enumerate(sizes)]


def trained(one: Set, given: Sequence[nx.Graph], seed: int) -> tuple[list[nx.Graph], float]:
    """Return samples of a run on graphs, and the seconds of its training."""
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "given.g6"
        source.write_bytes(b"".join(nx.to_graph6_bytes(g, header=False) for g in numbered(given)))
        done = train(str(source), [*one.options, "--seed", str(seed)], Path(place) / "run")
        return list(surveyor.load(done.folder).sample(MADE, seed=seed)["graph"]), done.seconds


def numbered(graphs: Iterable[nx.Graph]) -> list[nx.Graph]:
    return [nx.convert_node_labels_to_integers(graph) for graph in graphs]


def judged(name: str, method: str, seed: int) -> Run:
    one, seconds = SETS[name], None
    given = one.graphs(one.given, seed)
    if method == REAL:
        made = one.graphs(MADE, 3000 + seed)
    elif method == RANDOM:
        made = random_like(one.graphs(MADE, 3000 + seed), seed)
    else:
        made, seconds = trained(one, given, seed)
    found = Ruler(one, own(given), seed)(own(made))
    return {"set": name, "method": method, "seed": seed, "seconds": seconds, **found}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--sets", nargs="*", default=[*SETS], choices=[*SETS])
    parser.add_argument("--methods", nargs="*", default=[*METHODS], choices=[*METHODS])
    asked = parser.parse_args()
    for name in asked.sets:
        for seed in asked.seeds:
            for method in asked.methods:
                run = judged(name, method, seed)
                console.print(run, highlight=False)
                write("graphs", {"runs": merged("graphs", [run], "set", "method", "seed")})


def section(found: Found) -> str:
    rows = []
    for (name, method), runs in grouped(found["runs"], "set", "method").items():
        seconds = [r["seconds"] for r in runs if r["seconds"] is not None]
        ratios = [_ratio(runs, kernel) for kernel in KERNELS]
        rows.append([
            f"{name}, {method}", f"{np.median(seconds):.0f}" if seconds else "-", *ratios,
            *(f"{np.median([r[k] for r in runs]):.2f}" for k in ("auc", "valid", "vun")),
        ])  # fmt: skip
    given = ", ".join(f"{one.given} of {name}" for name, one in SETS.items())
    seeds = ", ".join(map(str, found["seeds"]))
    return (
        f"**Graphs** (`make bench-graphs`): {given}, fresh for each run, medians over seeds {seeds}. {MADE} samples against {MADE} fresh test "
        "graphs: MMD² with the kernels of DiGress in multiples of that between real sets (in brackets the standard deviation of that floor, as a "
        "share of it); AUC of boosted trees on descriptors, .50 where nothing tells; the shares that are valid (connected; planar), and "
        "also different and new, which says nothing without the distances. Published for planar, not run here: valid, different and new SPECTRE 25%, "
        "DiGress 75%, GraphRNN 0%.\n\n"
        + table(["", "s", *KERNELS, "AUC", "valid", "valid, different, new"], rows)
    )  # fmt: skip


def _ratio(runs: Sequence[Run], kernel: str) -> str:
    spread = np.median([r["floors"][kernel][1] / r["floors"][kernel][0] for r in runs])
    return f"{np.median([r['ratio'][kernel] for r in runs]):.1f} (±{spread:.1f})"


SECTION = Section(220, section)


if __name__ == "__main__":
    main()
