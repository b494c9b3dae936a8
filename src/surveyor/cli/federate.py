"""``surveyor federate``: train on the data of several clients, which stay apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import surveyor.run as runs
from surveyor import federated
from surveyor.cli.console import app, print_table
from surveyor.cli.flags import Flags
from surveyor.cli.train import run_session
from surveyor.errors import InputError
from surveyor.federated import Members
from surveyor.measures import Evaluation
from surveyor.options import read_options
from surveyor.report.rehearsal import rehearse
from surveyor.run.folder import read_evaluation


def federate(
    *data: Annotated[str, Parameter(show_default=False)],
    out: Path | None = None,
    weigh: Annotated[tuple[str, ...], Parameter(consume_multiple=True)] = ("rows",),
    config: Path | None = None,
    flags: Any = None,
) -> int:
    """Train one generator on the data of several clients, simulated in one process.

    Clients send sums of gradients over their rows and counts of values that at least five rows
    share; the report says what left each. An interrupted run is resumed with surveyor train
    --resume.

    Parameters
    ----------
    data
        Two or more tables with the same columns, or pictures of one size: a file or folder a
        client, which is named by it.
    out
        The run folder to create.
    weigh
        The clients' shares of every batch: rows (in proportion to their rows), alike, or
        NAME=SHARE for some of them, such as north=0.3; the others divide the rest by rows.
    config
        A TOML file with options, such as another run's config.toml; flags override it.
    """
    given = {k: v for k, v in vars(flags).items() if v is not None}
    options = (read_options(config) if config is not None else {}) | given
    problems = []
    if out is None:
        problems.append("federate: no --out given; name a folder for the run")
    else:
        try:
            runs.refuse_existing(out)
        except InputError as error:
            problems.extend(error.problems)
    found = None
    try:
        found = federated.prepare(data, options, weigh)
    except InputError as error:
        problems.extend(error.problems)
    if problems or out is None or found is None:
        raise InputError(*problems)
    joined, members, resolved = found
    print_members(members)
    code = run_session(federated.start(joined, members, resolved, out, rehearse))
    evaluation = read_evaluation(runs.opened(out))
    if evaluation is not None:
        print_clients(evaluation)
    return code


federate.__annotations__["flags"] = Annotated[Flags, Parameter(name="*")]
federate.__kwdefaults__ = {**(federate.__kwdefaults__ or {}), "flags": Flags()}
app.command(federate)


def print_members(members: Members) -> None:
    """Print the clients, the smallest first."""
    order = sorted(members.clients, key=lambda member: member.rows)
    table = [("client", "training rows", "share of a batch")]
    table += [(m.name, f"{m.rows:,}", f"{m.share:.1%}") for m in order]
    print_table(table)


def print_clients(evaluation: Evaluation) -> None:
    """Print W1 / floor and AUC of each client, the smallest first."""
    aucs = {figure.of: figure for figure in evaluation.parts("auc", "client")}
    table = [("client", "W1 / floor", "AUC", "floor")]
    for w1 in evaluation.parts("w1", "client"):
        auc = aucs[w1.of]
        ratio = "-" if w1.ratio is None else f"{w1.ratio:.3f}"
        table.append((w1.of, ratio, f"{auc.known:.3f}", f"{auc.known_floor:.3f}"))
    print_table(table)
