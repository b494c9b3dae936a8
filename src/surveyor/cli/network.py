"""``surveyor distance A B --graph``: two distributions on the nodes of a network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from surveyor.arguments import collecting
from surveyor.cli.console import escaped, html_problems, out, output_problems, print_path, visible
from surveyor.errors import InputError
from surveyor.networks.compare import NetworkDistance, network_distance
from surveyor.networks.files import read_network
from surveyor.networks.masses import read_masses
from surveyor.report.network import network_page
from surveyor.two_sample import p_text
from surveyor.writing import write_bytes


@dataclass(frozen=True)
class OnNetwork:
    """The network on whose nodes two sets lie."""

    graph: Annotated[
        Path | None,
        Parameter(
            help="A file of a network's edges: the two sets are its nodes, one a row, or one a row "
            "with its weight."
        ),
    ] = None
    length: Annotated[
        str | None,
        Parameter(help="The column of the edges' lengths; without it every edge has length 1."),
    ] = None
    bracket: Annotated[
        str | None,
        Parameter(
            help="With --graph, a bracket in place of W1, so wide at most if that can be reached "
            "(such as 2%): for networks of many hundred thousand edges."
        ),
    ] = None
    output: Annotated[
        Path | None,
        Parameter(
            name=["-o", "--output"],
            help="With --graph, write each node's shares and potential to this .csv file.",
        ),
    ] = None

    @property
    def unused(self) -> list[str]:
        """Return the problems with options that need ``--graph``."""
        given = {"--length": self.length, "--bracket": self.bracket, "-o": self.output}
        return [
            f"{flag}: only with --graph; leave it out"
            for flag, own in given.items()
            if own is not None
        ]

    @property
    def width(self) -> float | None:
        """Return the width of the bracket as a share of its upper end; None for exact W1.

        Raises:
            InputError: it is no share.
        """
        if self.bracket is None:
            return None
        text = self.bracket.strip()
        try:
            found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            found = math.nan
        if not 0 < found < 1:
            raise InputError(f"--bracket {text}: give a share of W1, such as 2%")
        return found


def _problems(
    b: Sequence[str], others: Mapping[str, object], fail_above: float | None
) -> list[str]:
    """Return the problems with the sets and the other options beside ``--graph``."""
    problems = [] if len(b) == 1 else ["distance --graph: give two files of nodes"]
    problems += [f"{flag}: not with --graph; leave it out" for flag, own in others.items() if own]
    if fail_above is not None and not 0 <= fail_above < math.inf:
        problems.append(f"--fail-above {fail_above}: give a number of at least 0")
    return problems


def distance_on_network(
    a: str,
    b: Sequence[str],
    on: OnNetwork,
    others: Mapping[str, object],
    fail_above: float | None,
    html: Path | None,
    overwrite: bool,
    json_: bool,
    seed: int,
) -> float:
    """Measure and print; return the certified lower bound on W1.

    Raises:
        InputError: ``others``, options that do not go with a network, are given, one of the files
            cannot be read, or W1 is infinite.
    """
    assert on.graph is not None
    output = on.output
    problems = _problems(b, others, fail_above)
    problems += output_problems(output, (".csv",), overwrite)
    problems += html_problems(html, overwrite)
    width = None
    with collecting(problems):
        width = on.width
    with collecting(problems):
        network = read_network(on.graph, on.length)
    if problems:
        raise InputError(*problems)
    masses = []
    for path in (a, *b):
        with collecting(problems):
            masses.append(read_masses(path, network))
    if problems:
        raise InputError(*problems)
    first, second = masses
    found = network_distance(network, first, second, seed, width, None if json_ else _narrowing)
    if output is not None:
        write_bytes(output, _nodes(found).encode())
    if html is not None:
        names = [visible(name) for name in (a, *b)]
        write_bytes(html, network_page(found, *names).encode())
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
    else:
        _print(found)
        if output is not None:
            print_path(f"nodes: {output}")
        if html is not None:
            print_path(f"page: {html}")
    return found.moved.low


def _narrowing(low: float, high: float) -> None:
    """Show a bracket while it narrows, on a terminal."""
    if out.is_terminal:
        out.print(f"W1 between {low:.4g} and {high:.4g}", style="dim", highlight=False)


def _nodes(found: NetworkDistance) -> str:
    """Return each node's shares of both, and where mass is missing: the potential."""
    first, second = (m.shares for m in found.masses)
    table = {
        "node": list(found.network.names),
        "first": first,
        "second": second,
        "potential": found.moved.potential,
    }
    text: str = pd.DataFrame(table).to_csv(index=False)
    return text


def _print(found: NetworkDistance) -> None:
    out.print(f"[bold]{escaped(found.verdict)}[/]")
    against = ""
    if found.floor is not None:
        ratio = f"{found.w1 / found.floor:.2f} x " if found.floor > 0 else ""
        against = f" = {ratio}its floor {found.floor:.4g} (samples of the first, of both sizes)"
    low, high = found.moved.low, found.moved.high
    measured = (
        f"W1 {high:.4g}{against}, in lengths of edges; exact: a flow costs {high:.9g}, and "
        f"a potential of slope 1 proves {low:.9g}"
    )
    if found.bracketed:
        measured = (
            f"W1 is between {low:.4g}, which a potential of slope 1 proves, and {high:.4g}, which "
            f"a flow costs, in lengths of edges: {found.width:.2%} wide; no floor"
        )
    lines = [
        measured,
        f"network: {len(found.network.names):,} nodes, {len(found.network.edges):,} edges",
    ]
    if found.p_value is not None:
        lines.append(f"test: permutations of the observations {p_text(found.p_value)}")
    out.print("\n".join(lines), highlight=False)
    if found.busiest:
        out.print("edges that carry most, times their length:", highlight=False)
    for one, other, share in found.busiest:
        out.print(f"  {escaped(one)} -> {escaped(other)}: {share:.2%} of the mass", highlight=False)
    for note in found.network.notes:
        out.print(f"note: {escaped(note)}", style="dim")
