"""``surveyor sample --network``: new nodes of a network, with their edges."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from surveyor.arguments import collecting, integer, not_with, seed_of
from surveyor.cli.console import escaped, out, output_problems, print_path
from surveyor.cli.progress import progress_bar
from surveyor.cli.spreadsheet import print_csv
from surveyor.errors import InputError
from surveyor.networks import Network
from surveyor.networks.arrival import arrival
from surveyor.networks.files import read_network
from surveyor.writing import write_bytes

MOST = 100_000  # new nodes


def sample_network(
    path: Path,
    n: int,
    seed: int,
    others: Mapping[str, object],
    output: Path | None,
    overwrite: bool,
) -> int:
    """Learn how the nodes of a network are joined, and write ``n`` new ones, an edge a row.

    Raises:
        InputError: ``others``, options that do not go with a network, are given, the file cannot be
            read, or it has too few nodes.
    """
    problems = not_with("--network", others)
    with collecting(problems):
        if integer("-n", n, 1) > MOST:
            raise InputError(f"-n {n:,}: at most {MOST:,} new nodes at a time")
    with collecting(problems):
        seed_of(seed)
    problems += output_problems(output, (".csv",), overwrite)
    with collecting(problems):
        network = read_network(path)
    if problems:
        raise InputError(*problems)
    with progress_bar("nodes", out) as watch:
        model = arrival(network.edges, len(network.names), seed, watch)
    made = edges_table(network, model.sample(n, seed))
    if output is None:
        print_csv(made)
        return 0
    write_bytes(output, made.to_csv(index=False).encode())
    for note in network.notes:
        out.print(f"note: {escaped(note)}", style="dim")
    print_path(f"{n:,} new nodes with {len(made):,} edges in {output}")
    return 0


def edges_table(network: Network, sets: list[np.ndarray]) -> pd.DataFrame:
    """Return a row an edge, from a new node, whose name no other has, to a node of the network."""
    stem = "new"
    while any(name.startswith(f"{stem}-") for name in network.names):
        stem += "-new"
    own = np.repeat(np.arange(1, len(sets) + 1), [len(s) for s in sets])
    ends = [network.names[v] for v in np.concatenate(sets)]
    return pd.DataFrame({"source": [f"{stem}-{k}" for k in own], "target": ends})
