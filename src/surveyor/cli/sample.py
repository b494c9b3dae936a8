"""``surveyor sample``: draw samples from a trained run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app
from surveyor.cli.flags import Device
from surveyor.cli.output import asked, checked, written
from surveyor.cli.spreadsheet import formulas_told, print_csv
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
    truncate: float = 1.0,
    seed: int = 0,
    device: Device = None,
    safe_csv: Annotated[bool, Parameter(negative=())] = False,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Draw samples from a trained run.

    Parameters
    ----------
    run
        The run folder.
    n
        Number of samples.
    where
        COL=VALUE, COL=A|B or COL=LOW..HIGH, repeatable; holds in every sample.
    output
        The file to write; its suffix sets the format, a name without a suffix is a folder.
    parity
        OUTCOME:GROUP, such as income:sex: make the outcome equally frequent in every group.
    apart_from
        A table, such as the training data: return no row that equals one of its rows.
    truncate
        Below 1: narrow the latent of pictures and vectors by this factor, for more typical samples.
    seed
        Equal seeds give equal samples.
    safe_csv
        Put ' before text in a .csv that a spreadsheet would run as a formula.
    overwrite
        Replace the file if it exists.
    """
    model = api.load(run, device=device)
    conditions, files = asked(where, model.run.codec.selectable_names), model.run.kind.files
    fair, problems = _fair(parity)
    usual = f"samples{files.default_suffix}"
    printed = output is None and files.tabular
    problems += [] if printed else checked(output, files, usual, overwrite)
    if problems:
        raise InputError(*problems)
    made: Any = model.sample(n, conditions, seed, fair, apart_from, truncate)
    if printed or (output is not None and _csv(output)):
        made = formulas_told(model.run.codec.as_text(made), safe_csv, str(output or "the samples"))
    if printed:
        print_csv(made)
    else:
        written(made, files, output or Path(usual))
    return 0


def _fair(parity: str | None) -> tuple[tuple[str, str] | None, list[str]]:
    """Return the pair that OUTCOME:GROUP names, and the problems with it."""
    outcome, _, group = (parity or "").partition(":")
    if parity is None:
        return None, []
    wrong = (
        [] if outcome and group else [f"--parity {parity}: write OUTCOME:GROUP, like income:sex"]
    )
    return (outcome, group), wrong


def _csv(path: Path) -> bool:
    return path.name.lower().endswith((".csv", ".csv.gz"))
