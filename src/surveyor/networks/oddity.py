"""What is odd about each node of a network: how densely it is joined, and where its links lead."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from surveyor.errors import InputError
from surveyor.networks import Network
from surveyor.networks.links import Links, measured
from surveyor.networks.triangles import density
from surveyor.networks.ways import Watch

FEWEST = 50  # links that a model can be fitted to
AGAINST = 0.05  # weight of evidence that a link belongs where it is
TRIANGLES = 3  # dense enough for a word
SHOWN = 8  # nodes


@dataclass(frozen=True, eq=False)
class Oddities:
    """Two scores of each node, high where it is odd.

    ``dense`` (nodes,): so many of its links each close at least so many triangles. ``odd_links``
    (nodes,): the evidence, in nats, that its links were led to random nodes, summed over them;
    evidence that a link belongs where it is counts a twentieth, so that many good links do not
    hide a bad one.
    """

    network: Network
    dense: np.ndarray
    odd_links: np.ndarray
    links: Links

    def most(self, score: str) -> list[int]:
        """Return the nodes that are oddest by a score, the oddest first."""
        values = self.dense if score == "dense" else self.odd_links
        least = TRIANGLES if score == "dense" else np.finfo(float).tiny
        return [int(v) for v in np.argsort(-values, kind="stable")[:SHOWN] if values[v] >= least]

    def reason(self, node: int) -> str:
        """Return in words what is odd about a node; empty if nothing is."""
        said = []
        if (h := int(self.dense[node])) >= TRIANGLES:
            said.append(f"{h} of its links each close {h} triangles or more")
        if self.odd_links[node] > 0:
            said.append(self._where(node))
        return "; ".join(said)

    def table(self) -> pd.DataFrame:
        """Return a row a node: its scores, and the reason in words."""
        return pd.DataFrame(
            {
                "node": list(self.network.names),
                "dense": self.dense,
                "odd_links": self.odd_links,
                "reason": [self.reason(node) for node in range(len(self.dense))],
            }
        )

    def numbers(self) -> dict[str, Any]:
        """Return the oddest nodes for JSON."""
        most = {
            score: [
                {
                    "node": self.network.names[v],
                    "dense": int(self.dense[v]),
                    "odd_links": float(self.odd_links[v]),
                    "reason": self.reason(v),
                }
                for v in self.most(score)
            ]
            for score in ("dense", "odd_links")
        }
        size = {"nodes": len(self.dense), "edges": len(self.network.edges)}
        return size | {"most": most, "notes": list(self.network.notes)}

    @cached_property
    def _of(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the links of all nodes, node by node, and where those of each begin."""
        ends = self.network.edges.T.ravel()
        begin = np.searchsorted(np.sort(ends), np.arange(len(self.dense) + 1))
        return np.argsort(ends, kind="stable") % len(self.network.edges), begin

    @cached_property
    def _usual(self) -> float:
        around = self.links.around
        known = around[np.isfinite(around)]
        return float(np.median(known)) if len(known) else 0.0

    def _where(self, node: int) -> str:
        """Return in words where the odd links of a node lead."""
        order, begin = self._of
        own = order[begin[node] : begin[node + 1]]
        odd = own[self.links.evidence[own] > 0]
        who = f"its {len(own)} neighbours are" if len(own) > 1 else "its one neighbour is"
        if len(odd) < len(own):
            who = f"{len(odd)} of its {len(own)} neighbours are"
        if len(odd) == 1 < len(own):
            other = self.network.edges[odd[0]].sum() - node
            who = f"its neighbour {self.network.names[other]} is"
        far = float(np.median(self.links.around[odd]))
        if np.isinf(far):
            return f"{who} joined to its part of the network by it alone"
        if far <= self._usual:
            return f"{who} in another part of the network's spectrum"
        apart = "apart" if len(odd) == len(own) else "from the others"
        return f"{who} {far - 1:.0f} steps {apart} without it"


def oddities(network: Network, seed: int = 0, watch: Watch | None = None) -> Oddities:
    """Return what is odd about each node of a network. Lengths of edges play no part.

    Raises:
        InputError: the network has too few edges to learn from.
    """
    edges, n = network.edges, len(network.names)
    if len(edges) < FEWEST:
        raise InputError(
            f"the network has {len(edges)} edges; at least {FEWEST} are needed to learn which of "
            "them are odd"
        )
    links = measured(edges, n, seed, watch)
    counted = np.maximum(links.evidence, AGAINST * links.evidence)
    score = np.bincount(edges.T.ravel(), np.tile(counted, 2), minlength=n)
    return Oddities(network, density(edges, n), score, links)
