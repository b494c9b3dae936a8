"""``surveyor distance``: whether two data sets differ, how much, and where."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from surveyor.cli.console import (
    app,
    escaped,
    out,
    output_problems,
    print_error,
    print_path,
    visible,
)
from surveyor.cli.flags import Columns, Json, Overwrite
from surveyor.cli.progress import progress_bar
from surveyor.data import Options
from surveyor.errors import InputError
from surveyor.report.compare import compare_page
from surveyor.ruler import Budget, Drift, ReferenceDrift, against, drift, read_reference
from surveyor.ruler.comparison import METHODS, Method
from surveyor.ruler.distance import reference_problems
from surveyor.ruler.reference import is_reference
from surveyor.two_sample import p_text
from surveyor.writing import write_bytes

MOST_COLUMNS = 12
EXIT_ABOVE_LIMIT = 3


@app.command
def distance(
    a: str,
    b: str,
    /,
    *,
    method: str = "auto",
    steps: int = Budget.steps,
    batch: int = Budget.batch,
    json_: Json = False,
    html: Path | None = None,
    fail_above: float | None = None,
    columns: Annotated[Columns, Parameter(name="*")] = Columns(),  # noqa: B008
    seed: int = 0,
    overwrite: Overwrite = False,
) -> int:
    """Measure W1 between two data sets with the same columns or shape, and show what changed.

    Parameters
    ----------
    a
        The first data set, samples of whose rows give the floor, or a reference that
        ``surveyor reference`` has written.
    b
        The second data set.
    method
        auto, exact (transport), critic (trains a critic for a tighter lower bound), or sliced.
    steps
        Training steps of the critic.
    batch
        Rows per side in each step of the critic.
    json_
        Print the numbers as JSON.
    html
        Write a page with figures to this .html file.
    fail_above
        Exit with code 3 if the lower bound on W1 is above this. Two samples of the same
        distribution have a positive W1 too, but usually a lower bound of 0.
    seed
        Seed of subsamples, permutations and the critic.
    """
    problems = _problems(a, b, method, html, fail_above, overwrite)
    if problems:
        raise InputError(*problems)
    if is_reference(a):
        return _against(a, b, columns.options, seed, json_)
    chosen: Method = method  # type: ignore[assignment]
    budget = Budget(steps=steps, batch=batch, seed=seed)
    with progress_bar("critic", Console(stderr=True)) as watch:
        found = drift(a, b, chosen, seed, budget=budget, watch=watch, options=columns.options)
    if html is not None:
        write_bytes(
            html, compare_page(found, visible(Path(a).name), visible(Path(b).name)).encode()
        )
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
    else:
        _print_drift(found)
        if html is not None:
            print_path(f"page: {html}")
    low = found.comparison.low
    if fail_above is not None and low > fail_above:
        print_error(f"W1 is at least {low:.4g}, above the limit of {fail_above:g}")
        return EXIT_ABOVE_LIMIT
    return 0


def _problems(
    a: str, b: str, method: str, html: Path | None, fail_above: float | None, overwrite: bool
) -> list[str]:
    """Return all problems of the flags."""
    problems = [p.replace("-o ", "--html ") for p in output_problems(html, (".html",), overwrite)]
    if fail_above is not None and not 0 <= fail_above < math.inf:
        problems.append(f"--fail-above {fail_above}: give a number of at least 0")
    if method not in METHODS:
        problems.append(f"--method {method}: unknown; known: {', '.join(METHODS)}")
    elif fail_above is not None and method == "sliced":
        problems.append("--fail-above: sliced has no lower bound; use --method exact or critic")
    problems += reference_problems(a, b, method)
    if is_reference(a):
        flags = {"--html": html, "--fail-above": fail_above}
        problems += [
            f"{flag}: needs the rows of both sets, and {a} holds none; leave it out"
            for flag, value in flags.items()
            if value is not None
        ]
    return problems


def _against(a: str, b: str, options: Options, seed: int, json_: bool) -> int:
    """Test data against a reference, and print what was found."""
    found = against(read_reference(Path(a)), b, (a, b), options, seed)
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
    else:
        _print_reference_drift(found)
    return 0


def _print_reference_drift(found: ReferenceDrift) -> None:
    c = found.comparison
    out.print(f"[bold]{escaped(c.verdict)}[/]")
    out.print(
        "tests: " + ", ".join(f"{t.test} {p_text(t.p_value)}" for t in c.tests), highlight=False
    )
    out.print("columns, largest difference first:", highlight=False)
    for m in found.columns[:MOST_COLUMNS]:
        out.print(
            f"  {escaped(m.name)}: {m.difference:.1%} of rows  {p_text(m.p_value)}  "
            f"[dim]{escaped(m.change)}[/]",
            highlight=False,
        )
    if more := len(found.columns[MOST_COLUMNS:]):
        out.print(f"  and {more:,} more", highlight=False)
    out.print(escaped(found.note), highlight=False)


def _print_drift(found: Drift) -> None:
    c = found.comparison
    out.print(f"[bold]{escaped(c.verdict)}[/]")
    lines = [
        f"W1 {c.value:.4g} = {c.ratio:.2f} x its floor {c.floor:.4g} (both between samples of "
        f"{c.n:,} rows, so larger than W1 between the populations), in {found.unit}",
    ]
    if c.bound is not None:
        lines.append(
            f"the true W1 is between {c.low:.4g} (critic of slope at most {c.bound:.4g}, on "
            f"held-out rows) and {c.high:.4g} (transport)"
        )
    lines.append(f"method: {c.method}, from {c.rows[0]:,} and {c.rows[1]:,} rows")
    lines.append("tests: " + ", ".join(f"{t.test} {p_text(t.p_value)}" for t in c.tests))
    out.print("\n".join(lines), highlight=False)
    if found.columns:
        out.print("columns, largest change first:", highlight=False)
    for m in found.columns[:MOST_COLUMNS]:
        far, floor = m.described
        p = "" if m.p_value is None else f"  {p_text(m.p_value)}"
        out.print(
            f"  {escaped(m.name)}: {far} (floor {floor}){p}  [dim]{escaped(m.change)}[/]",
            highlight=False,
        )
    more = len(found.columns) - MOST_COLUMNS + found.coordinates.left_out
    if more > 0:
        out.print(f"  and {more:,} more", highlight=False)
