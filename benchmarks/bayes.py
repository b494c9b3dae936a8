"""Tables of known truth: rows of Bayesian networks, as in SDGym's simulated track.

10,000 rows of a network train, 10,000 others test. L_syn is the mean log probability of generated
rows under the network; L_test that of test rows under the same graph, with its probabilities
estimated from generated rows. Probabilities are raised by 1e-8, as SDGym does. Nothing was tuned on
these tables.
"""

from __future__ import annotations

import argparse
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

import surveyor
from benchmarks.common import Run, console, merged, write
from benchmarks.page import Found, Section, grouped, median, table

ROWS, LEAST = 10_000, 1e-8
METHODS: dict[str, dict[str, Any]] = {
    "Surveyor": {},
    "Surveyor, likelihood alone": {"warm_start": 1.0},
}
# SDGym's leaderboard (Xu et al. 2019, table 2), where real rows have the first figures.
PUBLISHED = {
    "real rows, published": {"asia": (-2.23, -2.24), "alarm": (-10.3, -10.3), "child": (-12.0, -12.0), "insurance": (-12.8, -12.9)},
    "TVAE, published": {"asia": (-2.31, -2.27), "alarm": (-11.2, -10.7), "child": (-12.3, -12.3), "insurance": (-14.7, -14.2)},
    "CTGAN, published": {"asia": (-2.56, -2.31), "alarm": (-14.2, -12.6), "child": (-13.4, -12.7), "insurance": (-16.5, -14.8)},
    "PrivBN, published": {"asia": (-2.28, -2.24), "alarm": (-11.9, -10.9), "child": (-12.3, -12.2), "insurance": (-14.7, -13.6)},
}  # fmt: skip
NETWORKS = tuple(PUBLISHED["CTGAN, published"])


@dataclass(frozen=True)
class Node:
    """A variable with its ``states``; ``odds`` (states, \\*states of the parents) given ``parents``."""

    name: str
    parents: tuple[str, ...]
    states: tuple[str, ...]
    odds: np.ndarray


def network(name: str) -> list[Node]:
    """Return a network's nodes, parents first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # it names one that needs a connection
        from pgmpy.utils import get_example_model

        model = get_example_model(name)
    found = []
    for cpd in model.get_cpds():
        own, *parents = cpd.variables
        found.append(Node(own, tuple(parents), tuple(cpd.state_names[own]), np.asarray(cpd.values)))
    known: list[Node] = []
    while len(known) < len(found):
        names = {node.name for node in known}
        known += [n for n in found if n.name not in names and names.issuperset(n.parents)]
    return known


def drawn(nodes: Sequence[Node], n: int, rng: np.random.Generator) -> pd.DataFrame:
    codes: dict[str, np.ndarray] = {}
    for node in nodes:
        given = tuple(codes[p] for p in node.parents)
        odds = np.stack([of_state[given] for of_state in node.odds]).reshape(len(node.states), -1)
        ends = np.broadcast_to(odds, (len(node.states), n)).cumsum(0)
        codes[node.name] = (rng.random(n) * ends[-1] >= ends[:-1]).sum(0)
    return pd.DataFrame({n.name: np.array(n.states)[codes[n.name]] for n in nodes})


def coded(nodes: Sequence[Node], rows: pd.DataFrame) -> dict[str, np.ndarray]:
    return {
        n.name: pd.Index(n.states).get_indexer(pd.Index(rows[n.name].astype(str))) for n in nodes
    }


def log_probability(nodes: Sequence[Node], rows: pd.DataFrame) -> float:
    codes = coded(nodes, rows)
    odds = [n.odds[(codes[n.name], *(codes[p] for p in n.parents))] for n in nodes]
    return float(np.log(np.prod(odds, axis=0) + LEAST).mean())


def estimated(nodes: Sequence[Node], rows: pd.DataFrame) -> list[Node]:
    """Return the same graph with the frequencies of ``rows``."""
    codes, found = coded(nodes, rows), []
    for node in nodes:
        counts = np.zeros(node.odds.shape)
        np.add.at(counts, (codes[node.name], *(codes[p] for p in node.parents)), 1)
        found.append(replace(node, odds=counts / np.maximum(counts.sum(0), 1)))
    return found


def judged(nodes: Sequence[Node], made: pd.DataFrame, test: pd.DataFrame) -> Run:
    return {
        "L_syn": log_probability(nodes, made),
        "L_test": log_probability(estimated(nodes, made), test),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    parser.add_argument("--networks", nargs="*", default=list(NETWORKS))
    given = parser.parse_args()
    runs: list[Run] = []
    for name in given.networks:
        nodes = network(name)
        for seed in given.seeds:
            rng = np.random.default_rng(seed)
            train, test = (drawn(nodes, ROWS, rng) for _ in range(2))
            own = {"network": name, "seed": seed}
            runs.append(own | {"method": "real rows"} | judged(nodes, train, test))
            for method, options in METHODS.items():
                begun = time.monotonic()
                model = surveyor.fit(train, seed=seed, **options)
                made = model.sample(ROWS, seed=seed)
                found = judged(nodes, made, test) | {"seconds": time.monotonic() - begun}
                runs.append(own | {"method": method} | found)
                console.print(runs[-1], highlight=False)
            write("bayes", {"runs": merged("bayes", runs, "network", "seed", "method")})


def section(found: Found) -> str:
    runs = grouped(found["runs"], "method", "network")
    methods = dict.fromkeys(run["method"] for run in found["runs"])
    networks = [n for n in NETWORKS if any(run["network"] == n for run in found["runs"])]
    rows = [
        [method, *(f"{median(runs[method, n], 'L_syn'):.2f} / {median(runs[method, n], 'L_test'):.2f}" for n in networks)]
        for method in methods
    ]  # fmt: skip
    rows += [
        [m, *("{:g} / {:g}".format(*told[n]) for n in networks)] for m, told in PUBLISHED.items()
    ]
    return (
        f"**Bayesian networks** (`make bench-bayes`; medians over seeds {', '.join(map(str, found['seeds']))}): L_syn / L_test, the mean log probability of "
        f"{ROWS:,} generated rows under the network that made the training rows, and of test rows under the same graph with its "
        "probabilities estimated from the generated rows. Nearer to that of real rows is better; an L_syn above it says that rows are "
        "too much alike. The last rows are those of SDGym's leaderboard, measured by its authors on their own draws.\n\n"
        + table(["", *networks], rows)
    )  # fmt: skip


SECTION = Section(217, section)


if __name__ == "__main__":
    main()
