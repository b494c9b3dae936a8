"""``surveyor distance``: whether two data sets differ, how much, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor.arguments import collecting
from surveyor.cli.console import app, output_problems, print_error, print_path, visible
from surveyor.cli.differences import numbers_of, print_found, print_several
from surveyor.cli.flags import Columns, Json, Overwrite
from surveyor.cli.junit import junit_of
from surveyor.cli.network import OnNetwork, distance_on_network
from surveyor.cli.several import Measured, Sets, measured, parts_of, second_sets
from surveyor.errors import InputError
from surveyor.report.compare import compare_page
from surveyor.ruler import Budget, Drift
from surveyor.ruler.comparison import METHODS
from surveyor.ruler.distance import reference_problems
from surveyor.ruler.reference import is_reference
from surveyor.writing import write_bytes

EXIT_ABOVE_LIMIT = 3


@app.command
def distance(
    a: str,
    /,
    *b: str,
    by: str | None = None,
    method: str = "auto",
    steps: int = Budget.steps,
    batch: int = Budget.batch,
    json_: Json = False,
    html: Path | None = None,
    junit: Path | None = None,
    fail_above: float | None = None,
    on: Annotated[OnNetwork, Parameter(name="*")] = OnNetwork(),  # noqa: B008
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
        The second data set. Several, or a folder of tables, are compared with the first in turn.
    by
        A column of the second table: the rows of each of its values are compared in turn.
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
    junit
        Write a test case for each test and each column to this .xml file, in the format of JUnit;
        those that prove a difference fail.
    fail_above
        Exit with code 3 if the lower bound on W1 is above this. Two samples of the same
        distribution have a positive W1 too, but usually a lower bound of 0.
    seed
        Seed of subsamples, permutations and the critic.
    """
    if on.graph is not None:
        others = {"--by": by, "--junit": junit, "--method": method != "auto"}
        others |= {"--steps": steps != Budget.steps, "--batch": batch != Budget.batch}
        others |= {"--drop, --type, --missing": columns != Columns()}
        low = distance_on_network(a, b, on, others, fail_above, html, overwrite, json_, seed)
        return _above({b[0]: low}, fail_above)
    problems = [*on.unused, *_problems(a, b, method, fail_above)]
    problems += _output_problems(a, html, junit, overwrite)
    with collecting(problems):
        sets = second_sets(a, b)
        sets = sets if by is None else parts_of(sets, by)
        if html is not None and sets.several:
            problems.append("--html: a page shows two sets; give one file after the first")
    if problems:
        raise InputError(*problems)
    budget = Budget(steps=steps, batch=batch, seed=seed)
    found = measured(sets, method, budget, columns.options)
    _write(sets, found, html, junit, fail_above)
    if json_:
        print(json.dumps(numbers_of(sets, found), indent=1, allow_nan=False))
    else:
        _print(sets, found, {"page": html, "test cases": junit})
    return _exit_code(found, fail_above)


def _write(
    sets: Sets, found: Measured, html: Path | None, junit: Path | None, fail_above: float | None
) -> None:
    if html is not None:
        page, names = next(iter(found.values())), [visible(n) for n in (sets.first, *found)]
        assert isinstance(page, Drift)
        write_bytes(html, compare_page(page, *names).encode())
    if junit is not None:
        write_bytes(junit, junit_of(found, fail_above))


def _print(sets: Sets, found: Measured, outputs: Mapping[str, Path | None]) -> None:
    if sets.several:
        print_several(sets, found)
    else:
        print_found(*found.values())
    for what, path in outputs.items():
        if path is not None:
            print_path(f"{what}: {path}")


def _problems(a: str, b: Sequence[str], method: str, fail_above: float | None) -> list[str]:
    problems = [] if b else ["distance: give a second data set after the first"]
    if fail_above is not None and not 0 <= fail_above < math.inf:
        problems.append(f"--fail-above {fail_above}: give a number of at least 0")
    if method not in METHODS:
        problems.append(f"--method {method}: unknown; known: {', '.join(METHODS)}")
    elif fail_above is not None and method == "sliced":
        problems.append("--fail-above: sliced has no lower bound; use --method exact or critic")
    elif fail_above is not None and is_reference(a):
        problems.append(f"--fail-above: W1 needs rows, and {a} holds none; leave it out")
    for second in b:
        problems += reference_problems(a, second, method)
    return list(dict.fromkeys(problems))


def _output_problems(a: str, html: Path | None, junit: Path | None, overwrite: bool) -> list[str]:
    outputs = {"--html": (html, ".html"), "--junit": (junit, ".xml")}
    problems = [
        problem.replace("-o ", f"{flag} ")
        for flag, (path, ending) in outputs.items()
        for problem in output_problems(path, (ending,), overwrite)
    ]
    if html is not None and is_reference(a):
        problems.append(f"--html: a page shows rows, and {a} holds none; leave it out")
    return problems


def _exit_code(found: Measured, limit: float | None) -> int:
    """Return 3, having said so, if a lower bound on W1 is above the limit; otherwise 0."""
    lows = {n: one.comparison.low for n, one in found.items() if not isinstance(one, str)}
    return _above(lows, limit, len(found) > 1)


def _above(lows: Mapping[str, float], limit: float | None, several: bool = False) -> int:
    code = 0
    for name, low in lows.items():
        if limit is not None and low > limit:
            which = f"{name}: " if several else ""
            print_error(f"{which}W1 is at least {low:.4g}, above the limit of {limit:g}")
            code = EXIT_ABOVE_LIMIT
    return code
