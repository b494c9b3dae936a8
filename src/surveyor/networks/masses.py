"""Masses on the nodes of a network, read from a file: a node and its weight, or one node a row."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from surveyor.errors import InputError, did_you_mean
from surveyor.networks import Network
from surveyor.networks.files import LISTS, text_table

WEIGHTS = ("weight", "count", "mass", "n")
SHOWN = 3


@dataclass(frozen=True, eq=False)
class Masses:
    """The weight of each node, (nodes,), and whether weights are counts of observations."""

    weights: np.ndarray
    counts: bool

    @property
    def shares(self) -> np.ndarray:
        """Return the distribution, (nodes,)."""
        return np.asarray(self.weights / self.weights.sum())

    @property
    def total(self) -> int:
        """Return the number of observations."""
        return int(self.weights.sum())


def read_masses(path: str | Path, network: Network) -> Masses:
    """Return the masses of a table with a column ``node``, or the first, and perhaps a weight.

    The weight is a column named as in ``WEIGHTS``, or the second of two. Without it every row is
    one observation. Weights that are whole numbers are counts.

    Raises:
        InputError: nodes that are not in the network, or weights that are no masses.
    """
    path = Path(path)
    if not path.name.lower().endswith(LISTS):
        raise InputError(f"{path}: unknown format of masses on nodes; known: .csv .tsv .txt")
    frame = text_table(path)
    columns = [str(c) for c in frame.columns]
    low = [c.strip().lower() for c in columns]
    if "node" not in low and len(columns) > 2:
        raise InputError(
            f"{path}: {len(columns)} columns, none of them 'node'; name that of nodes so"
        )
    place = low.index("node") if "node" in low else 0
    weight = next((low.index(w) for w in WEIGHTS if w in low and low.index(w) != place), None)
    if weight is None and len(columns) == 2:
        weight = 1 - place
    nodes = frame.iloc[:, place].str.strip()
    if nodes.eq("").any():
        raise InputError(
            f"{path}: rows without a node in the column {columns[place]!r}; remove them"
        )
    problems = _unknown(path, nodes, network)
    values = np.ones(len(frame))
    if weight is not None:
        values = pd.to_numeric(frame.iloc[:, weight], errors="coerce").to_numpy(float)
        bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
        if len(bad):
            shown = ", ".join(f"{nodes.iloc[k]}: {frame.iloc[k, weight]}" for k in bad[:SHOWN])
            problems.append(
                f"{path}: {len(bad):,} weights in {columns[weight]!r} are no number of at least 0 "
                f"({shown}); correct them"
            )
    if problems:
        raise InputError(*problems)
    weights = np.zeros(len(network.names))
    np.add.at(weights, nodes.map(network.places).to_numpy(), values)
    if weights.sum() <= 0:
        raise InputError(f"{path}: no mass; give at least one node with a weight above 0")
    return Masses(weights, bool((values == np.round(values)).all()))


def _unknown(path: str | Path, nodes: pd.Series, network: Network) -> list[str]:
    unknown = nodes[~nodes.isin(list(network.places))].unique()
    if not len(unknown):
        return []
    shown = ", ".join(map(str, unknown[:SHOWN]))
    hint = did_you_mean(str(unknown[0]), network.names)
    return [f"{path}: {len(unknown):,} nodes are not in the network ({shown}){hint}"]
