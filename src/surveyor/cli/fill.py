"""``surveyor impute`` and ``surveyor predict``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app, out, print_path
from surveyor.cli.flags import Overwrite
from surveyor.cli.output import sample_output_problems
from surveyor.cli.progress import progress_bar
from surveyor.cli.spreadsheet import guard_formulas
from surveyor.errors import InputError
from surveyor.writing import replacing

Written = Annotated[Path, Parameter(name=["-o", "--output"])]


@app.command
def impute(
    run: Path,
    data: str,
    /,
    *,
    output: Written,
    draws: int = 0,
    seed: int = 0,
    overwrite: Overwrite = False,
    safe_csv: bool = False,
) -> int:
    """Fill the missing values of a table; all other values stay as they are.

    A missing label becomes the most probable one given the row, a number its median. Filled so,
    a table is less varied than a complete one: to estimate with it, use --draws.

    Parameters
    ----------
    run
        The run folder of a table.
    data
        Rows with missing values.
    output
        The file to write, in the format of its suffix.
    draws
        Write this many tables, one below the other and numbered by a first column draw, in which
        missing values are drawn at random given the row (multiple imputation).
    seed
        Random seed; equal seeds give equal results.
    safe_csv
        In a .csv, put ' before text that a spreadsheet would run as a formula.
    """
    model = api.load(run)
    _refuse(model, output, overwrite)
    with progress_bar("rows", out) as show:
        made = model.impute(data, draws, seed, show)
    _write(model, made, output, safe_csv)
    print_path(f"{len(made):,} rows in {output}")
    return 0


@app.command
def predict(
    run: Path,
    data: str,
    /,
    *,
    target: str,
    output: Written,
    seed: int = 0,
    overwrite: Overwrite = False,
    safe_csv: bool = False,
) -> int:
    """Predict a column of a table from the others, with probabilities.

    Of labels, the file has the most probable one and the probability of each; of numbers, the
    median, the mean, and the quantiles of 5 and 95%.

    Parameters
    ----------
    run
        The run folder of a table.
    data
        Rows with the run's columns; the target may be left out.
    target
        The column to predict.
    output
        The file to write, in the format of its suffix, in the order of the rows.
    seed
        Random seed, for rows in which other values are missing as well.
    safe_csv
        In a .csv, put ' before text that a spreadsheet would run as a formula.
    """
    model = api.load(run)
    _refuse(model, output, overwrite)
    with progress_bar("rows", out) as show:
        made = model.predict(data, target, seed, show)
    _write(model, made, output, safe_csv)
    print_path(f"{len(made):,} predictions of {target} in {output}")
    return 0


def _refuse(model: api.Model, output: Path, overwrite: bool) -> None:
    if not model.run.kind.files.tabular:
        raise InputError("impute and predict: only for tables")
    if problems := sample_output_problems(output, model.run.kind.files, "", overwrite):
        raise InputError(*problems)


def _write(model: api.Model, made: object, output: Path, safe: bool) -> None:
    if output.name.lower().endswith((".csv", ".csv.gz")):
        made = guard_formulas(model.run.codec.as_text(made), safe, str(output))
    with replacing(output) as new:
        model.run.kind.files.write(made, new)
