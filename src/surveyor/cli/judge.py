"""``surveyor judge``: rows that any tool has made, judged by real ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor import judgement
from surveyor.cli.console import (
    app,
    escaped,
    html_problems,
    out,
    print_finding,
    print_path,
    print_table,
)
from surveyor.cli.flags import Columns, Json, Overwrite
from surveyor.errors import InputError
from surveyor.judgement import Judgement, summary
from surveyor.report.judge import judge_page
from surveyor.writing import write_bytes


@app.command
def judge(
    real: str,
    /,
    *synthetic: str,
    holdout: str | None = None,
    target: str | None = None,
    json_: Json = False,
    html: Path | None = None,
    columns: Annotated[Columns, Parameter(name="*")] = Columns(),  # noqa: B008
    seed: int = 0,
    overwrite: Overwrite = False,
) -> int:
    """Judge synthetic rows, made by any tool: likeness, rules, memorising, usefulness.

    Parameters
    ----------
    real
        The real rows.
    synthetic
        One or more synthetic data sets, judged side by side.
    holdout
        Real rows that the maker of the synthetic ones did not see; without them nothing can be said
        of memorising.
    target
        A column to predict: trees trained on synthetic rows are tested on real ones.
    json_
        Print all numbers as JSON.
    html
        Write a page with figures to this .html file.
    seed
        Seed of the split of rows, subsamples, permutations and classifiers.
    """
    if problems := html_problems(html, overwrite):
        raise InputError(*problems)
    found = judgement.judge(
        real,
        *synthetic,
        holdout=holdout,
        target=target,
        seed=seed,
        drop=columns.drop,
        type=columns.type,
        missing=columns.missing,
    )
    if html is not None:
        write_bytes(html, judge_page(found).encode())
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
        return 0
    _print(found)
    if html is not None:
        print_path(f"page: {html}")
    return 0


def _print(found: Judgement) -> None:
    for one in found:
        out.print(f"[bold]{escaped(one.name)}: {escaped(one.verdict)}[/]", highlight=False)
        for remark in one.remarks:
            out.print(escaped(remark), highlight=False)
        for finding in one.evaluation.findings:
            print_finding(vars(finding))
    lines = summary(found)
    table = [("", "real rows", *(one.name for one in found))]
    table += [(line.label, line.real, *line.cells) for line in lines]
    print_table(table)
    out.print(escaped(found.note), highlight=False)
