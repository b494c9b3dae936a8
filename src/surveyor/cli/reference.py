"""``surveyor reference``: statistics of a table for ``surveyor distance`` to test others."""

from __future__ import annotations

from typing import Annotated

from cyclopts import Parameter

from surveyor.cli.console import app, output_problems, print_path
from surveyor.cli.flags import Columns, Overwrite, Written
from surveyor.errors import InputError
from surveyor.ruler.reference import SUFFIX, summarised, write_reference


@app.command
def reference(
    data: str,
    /,
    *,
    output: Written,
    columns: Annotated[Columns, Parameter(name="*")] = Columns(),  # noqa: B008
    overwrite: Overwrite = False,
) -> int:
    """Write statistics of a table, without its rows, for ``surveyor distance`` to test others.

    Parameters
    ----------
    data
        A table.
    output
        The reference, NAME.ref: types of columns, counts of values that at least 20 rows have, and
        how pairs of columns go together.
    """
    if problems := output_problems(output, (SUFFIX,), overwrite):
        raise InputError(*problems)
    found = summarised(data, columns.options)
    write_reference(found, output)
    known = found.summary.statistics
    print_path(f"{output}: {len(known.columns):,} columns of {known.rows:,} rows")
    return 0
