"""``surveyor evaluate``, ``report`` and ``score``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app, escaped, out, output_problems, print_finding, print_path
from surveyor.cli.flags import Columns, Device, Json, Output, Overwrite
from surveyor.cli.oddities import score_network
from surveyor.errors import InputError
from surveyor.writing import replacing


@app.command
def evaluate(
    run: Path,
    /,
    *,
    against: str | None = None,
    columns: Annotated[Columns, Parameter(name="*")] = Columns(),  # noqa: B008
    device: Device = None,
    json_: Json = False,
) -> int:
    """Compare a run's samples with its held-out rows, or with other data.

    Parameters
    ----------
    run
        The run folder.
    against
        Other data of the same kind to compare with; by default, the run's held-out rows.
    json_
        Print all numbers as JSON.
    """
    own = columns
    evaluation = api.load(run, device=device).evaluate(
        against, drop=own.drop, type=own.type, missing=own.missing
    )
    if json_:
        print(json.dumps(evaluation.numbers(), indent=1))
        return 0
    out.print(f"[bold]{escaped(evaluation.verdict)}[/]")
    for part in evaluation.parts("w1"):
        w1, floor = (
            "never generated" if v is None else f"{v:.4g}" for v in (part.value, part.floor)
        )
        out.print(f"  {escaped(part.of)}: W1 {w1}, floor {floor}", highlight=False)
    for finding in evaluation.findings:
        print_finding(vars(finding))
    return 0


@app.command
def report(run: Path, /, *, data: str | None = None, device: Device = None) -> int:
    """Rewrite the report of a run.

    Parameters
    ----------
    run
        The run folder.
    data
        Where the training data are now, if they have moved.
    """
    print_path(str(api.load(run, device=device).report(data)))
    return 0


@app.command
def score(
    run: Path | None = None,
    data: str | None = None,
    /,
    *,
    network: Path | None = None,
    output: Output = None,
    by: str = "auto",
    device: Device = None,
    json_: Json = False,
    html: Path | None = None,
    overwrite: Overwrite = False,
) -> int:
    """Write a score for every row: low scores mark rows unlike the training data.

    With --network, scores for every node of a network: high scores mark odd ones.

    Parameters
    ----------
    run
        The run folder.
    data
        Rows to score.
    network
        A file of a network's edges, in place of RUN and DATA: of each node, how densely it is
        joined, whether its links lead where its neighbourhood does not, and why in words.
    output
        The .csv file to write, with one score per row, in the order of the rows, or one row per
        node.
    by
        likelihood (of an autoregressive generator), critic, or auto (the likelihood if available).
    json_
        With --network, print the oddest nodes as JSON.
    html
        With --network, write a page with the network drawn to this .html file.
    """
    if network is not None:
        others = {"RUN and DATA": run, "--by": by != "auto", "--device": device}
        score_network(network, others, output, html, overwrite, json_)
        return 0
    if run is None or data is None:
        raise InputError("score: give RUN and DATA, or --network EDGES")
    problems = output_problems(output, (".csv",), overwrite)
    if output is None:
        problems.append("score: give -o FILE.csv to write the scores to")
    only = {"--json": json_, "--html": html}
    problems += [f"{flag}: only with --network; leave it out" for flag, own in only.items() if own]
    if problems or output is None:
        raise InputError(*problems)
    scores = api.load(run, device=device).score(data, by)  # type: ignore[arg-type]  # checked there
    with replacing(output) as new:
        pd.DataFrame({"score": scores}).to_csv(new, index=False)
    print_path(f"{len(scores):,} scores in {output}; low scores mark rows unlike the training data")
    return 0
