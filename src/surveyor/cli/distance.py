"""``surveyor distance``: whether two data sets differ, by how much, and where."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from rich.console import Console

from surveyor.cli.console import app, out, place, say, shown, unwritable, visible
from surveyor.cli.flags import Columns
from surveyor.cli.progress import counted
from surveyor.errors import InputError
from surveyor.report.compare import compare_page
from surveyor.ruler import Budget, Drift, drift
from surveyor.ruler.comparison import METHODS, Method
from surveyor.writing import write_bytes

SHOWN = 12
ABOVE = 3


@app.command
def distance(
    a: str,
    b: str,
    /,
    *,
    method: str = "auto",
    steps: int = Budget.steps,
    batch: int = Budget.batch,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
    html: Path | None = None,
    fail_above: float | None = None,
    columns: Annotated[Columns, Parameter(name="*")] = Columns(),  # noqa: B008
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Measure W1 between two data sets with the same columns or shape, and show what moved.

    Parameters
    ----------
    a
        The first data set; samples of its own rows give the floor.
    b
        The second data set.
    method
        auto or exact (transport), critic (a trained lower bound of proven slope), or sliced.
    steps
        Training steps of the critic.
    batch
        Rows per side in each step of the critic.
    json_
        Print the numbers as JSON.
    html
        Write a page with pictures to this file.
    fail_above
        Exit with code 3 if the lower end of W1's bracket is above this. Two samples of the same
        distribution have a positive W1 as well, but a lower end of 0.
    seed
        Seed for subsamples, relabellings and the critic.
    overwrite
        Replace the page if it exists.
    """
    problems = [p.replace("-o ", "--html ") for p in unwritable(html, (".html",), overwrite)]
    if fail_above is not None and not 0 <= fail_above < math.inf:
        problems.append(f"--fail-above {fail_above}: give a number from 0")
    if method not in METHODS:
        problems.append(f"--method {method}: unknown; known: {', '.join(METHODS)}")
    if fail_above is not None and method == "sliced":
        problems.append("--fail-above: sliced has no lower bound; use --method exact or critic")
    if problems:
        raise InputError(*problems)
    chosen: Method = method  # type: ignore[assignment]
    budget = Budget(steps=steps, batch=batch, seed=seed)
    with counted("critic", Console(stderr=True)) as watch:
        found = drift(a, b, chosen, seed, budget=budget, watch=watch, options=columns.options)
    if html is not None:
        write_bytes(
            html, compare_page(found, visible(Path(a).name), visible(Path(b).name)).encode()
        )
    if json_:
        print(json.dumps(found.numbers(), indent=1, allow_nan=False))
    else:
        _tell(found)
        if html is not None:
            place(f"page: {html}")
    low = found.comparison.low
    if fail_above is not None and low > fail_above:
        say(f"W1, at least {low:.4g}, is above {fail_above:g}")
        return ABOVE
    return 0


def _tell(found: Drift) -> None:
    c = found.comparison
    out.print(f"[bold]{shown(c.verdict)}[/]")
    lines = [
        f"W1 {c.value:.4g} = {c.ratio:.2f} x its floor {c.floor:.4g} (both between samples of "
        f"{c.n:,} rows, which exceeds that of the whole sets), in {found.unit}",
    ]
    if c.bound is not None:
        lines.append(
            f"the true W1 is between {c.low:.4g} (critic of proven slope {c.bound:.4g}, on "
            f"held-out rows) and {c.high:.4g} (transport)"
        )
    lines.append(f"method: {c.method}, of {c.rows[0]:,} and {c.rows[1]:,} rows")
    out.print("\n".join(lines), highlight=False)
    if found.columns:
        out.print("columns, most moved first:", highlight=False)
    for m in found.columns[:SHOWN]:
        far, floor = m.described
        out.print(
            f"  {shown(m.name)}: {far} (floor {floor})  [dim]{shown(m.change)}[/]",
            highlight=False,
        )
    more = len(found.columns) - SHOWN + found.coordinates.left_out
    if more > 0:
        out.print(f"  and {more:,} more", highlight=False)
