"""``surveyor sample``: draw from a trained run."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app, place, unwritable
from surveyor.data.images import Images
from surveyor.errors import InputError


@app.command
def sample(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 1000,
    where: tuple[str, ...] = (),
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    parity: str | None = None,
    apart_from: Path | None = None,
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Draw samples from a trained run.

    Parameters
    ----------
    run
        The run folder.
    n
        How many.
    where
        COL=VALUE, COL=A|B or COL=LOW..HIGH, repeatable; true in every sample returned.
    output
        The file to write; its suffix says the format. A table goes to the screen without it.
    parity
        OUTCOME:GROUP, such as income:sex: the outcome as frequent in every group as in all rows.
    apart_from
        A table, such as the one trained on: no row returned equals one of its rows.
    seed
        Equal seeds give equal samples.
    overwrite
        Replace the file if it exists.
    """
    conditions = _where(where)
    model = api.load(run)
    kind = model.run.kind
    endings = (*kind.suffixes, ".csv") if kind.name != "images" else (*kind.suffixes,)
    problems = unwritable(output, endings, overwrite)
    if n < 1:
        problems.append(f"-n {n}: give at least 1")
    outcome, colon, group = (parity or "").partition(":")
    if parity is not None and not (outcome and colon and group):
        problems.append(f"--parity {parity}: write OUTCOME:GROUP, such as income:sex")
    if problems:
        raise InputError(*problems)
    with warnings.catch_warnings(record=True) as guesses:
        warnings.simplefilter("always")
        made = model.sample(n, conditions, seed, (outcome, group) if parity else None, apart_from)
    for text in {str(w.message) for w in guesses}:
        print(f"surveyor: {text}", file=sys.stderr)
    if output is None and isinstance(made, pd.DataFrame):
        made.to_csv(sys.stdout, index=False)
        return 0
    output = output or Path("samples.png" if isinstance(kind, Images) else "samples.npz")
    problems = unwritable(output, endings, overwrite)
    if problems:
        raise InputError(*problems)
    kind.write(made, output)
    place(f"{n:,} samples in {output}")
    return 0


def _where(items: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    problems = []
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            problems.append(f"--where {item}: write COL=VALUE")
        elif name in result and result[name] != value:
            problems.append(
                f"--where {name}: both {result[name]!r} and {value!r} asked for; choose one"
            )
        result[name] = value
    if problems:
        raise InputError(*problems)
    return result
