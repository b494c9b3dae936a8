"""What to know of a table before the first step: columns that carry nothing, or too much."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import numpy as np

from surveyor.data.columns import Column
from surveyor.diagnostics.preflight import Setting, empty
from surveyor.findings import Finding
from surveyor.kinds.table.codec import TableCodec

FEW_LIKE, MINOR = 10, 0.02  # distinct numbers, and the share of rows, that make a column mixed
FORMS = {
    "numbers": re.compile(r"[-+]?\d+([.,]\d+)*"),
    "dates as 2026-11-25": re.compile(r"\d{4}-\d{2}-\d{2}.*"),
}


def table_columns(s: Setting) -> Iterator[Finding]:
    """Columns that carry nothing, or more categories than rows can teach."""
    codec = cast(TableCodec, s.data.codec)
    n = len(s.data.train)
    for column in codec.columns:
        name = column.name
        if column.missing and column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} holds nothing but missing values",
                f"Leave it out with --drop {name}; it is returned empty",
            )
        elif column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} is constant",
                f"Leave it out with --drop {name}; it is returned as it is",
            )
        elif not column.ordered and column.size > max(50, n / 20):
            yield Finding(
                "P11",
                "warn",
                f"column {name!r} has {column.size:,} categories in {n:,} rows",
                "Rare ones will be learnt poorly; group them, or drop the column",
            )
        elif _discrete(column) and _identifier(column.cells, column.exact, n):
            yield Finding(
                "P12",
                "warn",
                f"column {name!r} counts the rows like an identifier",
                f"Leave it out with --drop {name}",
            )


def mixed_columns(s: Setting) -> Iterator[Finding]:
    """A column of numbers or dates with text among them is read as categories."""
    codec = cast(TableCodec, s.data.codec)
    for column in (*codec.columns, *codec.condition.columns):
        for what, form in FORMS.items():
            like = np.array([bool(form.fullmatch(label)) for label in column.labels], dtype=bool)
            share = float(column.frequency[: len(like)][like].sum())
            if like.sum() >= FEW_LIKE and MINOR < share < 1 - MINOR:
                odd = next(label for label, one in zip(column.labels, like, strict=True) if not one)
                yield Finding(
                    "P16",
                    "warn",
                    f"column {column.name!r}: {share:.0%} of the rows hold {what}, others text "
                    f"such as {odd[:40]!r}, so all are read as categories",
                    "Correct those values, or leave them empty",
                )


def _discrete(column: Column) -> bool:
    return column.ordered and column.form.scale.discrete


def _identifier(cells: np.ndarray, exact: int, n: int) -> bool:
    low, high = cells.min(), cells.max()
    return exact == 0 and n > 100 and 0.9 * n < high - low < 1.5 * n and len(cells) >= 10


def empty_columns(s: Setting) -> Iterator[Finding]:
    """With differential privacy a column can have no value that enough rows share."""
    yield from empty(cast(TableCodec, s.data.codec).columns, s.data.codec.account)
