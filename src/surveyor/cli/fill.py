"""``surveyor impute`` and ``surveyor predict``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

import surveyor.run as runs
from surveyor import api
from surveyor.cli.console import app, out, print_path
from surveyor.cli.flags import Overwrite, Written
from surveyor.cli.output import sample_output_problems, spelt
from surveyor.cli.progress import progress_bar
from surveyor.errors import InputError
from surveyor.writing import replacing

Made = Callable[[api.Model, runs.Show], pd.DataFrame]


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
    n = _written(
        lambda model, show: model.impute(data, draws, seed, show), run, output, overwrite, safe_csv
    )
    print_path(f"{n:,} rows in {output}")
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
    n = _written(
        lambda model, show: model.predict(data, target, seed, show),
        run,
        output,
        overwrite,
        safe_csv,
    )
    print_path(f"{n:,} predictions of {target} in {output}")
    return 0


def _written(make: Made, run: Path, output: Path, overwrite: bool, safe: bool) -> int:
    """Write what is made by a run, and return how many rows it has."""
    model = api.load(run)
    files = model.run.kind.files
    if not files.tabular:
        raise InputError("impute and predict: only for tables")
    if problems := sample_output_problems(output, files, "", overwrite):
        raise InputError(*problems)
    with progress_bar("rows", out) as show:
        made = make(model, show)
    with replacing(output) as new:
        files.write(spelt(made, model.run.codec, output, safe), new)
    return len(made)
