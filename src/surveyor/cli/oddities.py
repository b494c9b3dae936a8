"""``surveyor score --network``: what is odd about each node of a network."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from surveyor.arguments import collecting, not_with
from surveyor.cli.console import escaped, html_problems, out, output_problems, print_path, visible
from surveyor.cli.progress import progress_bar
from surveyor.errors import InputError
from surveyor.networks.files import read_network
from surveyor.networks.oddity import Oddities, oddities
from surveyor.report.network import odd_page
from surveyor.writing import write_bytes

TITLES = {
    "dense": "most densely joined:",
    "odd_links": "links that lead where the neighbourhood does not:",
}


def score_network(
    path: Path,
    others: Mapping[str, object],
    output: Path | None,
    html: Path | None,
    overwrite: bool,
    json_: bool,
) -> None:
    """Score the nodes of a network, print the oddest, and write all.

    Raises:
        InputError: ``others``, options that do not go with a network, are given, the file cannot be
            read, or it has too few edges.
    """
    problems = not_with("--network", others)
    problems += output_problems(output, (".csv",), overwrite)
    problems += html_problems(html, overwrite)
    with collecting(problems):
        network = read_network(path)
    if problems:
        raise InputError(*problems)
    with progress_bar("links", out) as watch:
        found = oddities(network, watch=watch)
    if output is not None:
        write_bytes(output, found.table().to_csv(index=False).encode())
    if html is not None:
        write_bytes(html, odd_page(found, visible(path.name)).encode())
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
        return
    _print(found)
    if output is not None:
        print_path(f"nodes: {output}")
    if html is not None:
        print_path(f"page: {html}")


def _print(found: Oddities) -> None:
    network = found.network
    out.print(
        f"{len(network.names):,} nodes, {len(network.edges):,} edges; high scores mark odd nodes",
        highlight=False,
    )
    for score, title in TITLES.items():
        if most := found.most(score):
            out.print(f"[bold]{title}[/]")
        for node in most:
            value = f"{getattr(found, score)[node]:.3g}"
            name, reason = network.names[node], found.reason(node)
            print_path(f"  {name}: {score} {value}; {reason}")
    for note in network.notes:
        out.print(f"note: {escaped(note)}", style="dim")
