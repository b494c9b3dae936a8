"""Checks of a table before training: empty, constant, mixed and identifier columns."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import numpy as np

from surveyor.data.columns import Column
from surveyor.diagnostics.preflight import Setting, empty
from surveyor.findings import Finding
from surveyor.kinds.table.codec import TableCodec

MIN_DISTINCT, MIN_SHARE = 10, 0.02  # distinct numbers, and share of rows, of a mixed column
FORMS = {
    "numbers": re.compile(r"[-+]?\d+([.,]\d+)*"),
    "dates as 2026-11-25": re.compile(r"\d{4}-\d{2}-\d{2}.*"),
}


def uninformative_columns(s: Setting) -> Iterator[Finding]:
    """Warn of empty and constant columns, identifiers, and columns of very many categories."""
    codec = cast(TableCodec, s.data.codec)
    n = len(s.data.train)
    for column in codec.own.values():
        name = column.name
        if column.missing and column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} holds nothing but missing values",
                f"Leave it out with --drop {name}; else it stays empty in samples",
            )
        elif column.size == 1:
            yield Finding(
                "P10",
                "warn",
                f"column {name!r} is constant",
                f"Leave it out with --drop {name}; else it stays constant in samples",
            )
        elif not column.ordered and column.size > max(50, n / 20):
            yield Finding(
                "P11",
                "warn",
                f"column {name!r} has {column.size:,} categories in {n:,} rows",
                f"Rare ones will be learnt poorly; group them, or leave it out with --drop {name}",
            )
        elif _discrete(column) and _identifier(column.cells, column.exact, n):
            yield Finding(
                "P12",
                "warn",
                f"column {name!r} looks like an identifier: it numbers the rows",
                f"Leave it out with --drop {name}",
            )


def mixed_columns(s: Setting) -> Iterator[Finding]:
    """Warn of columns of numbers or dates that are read as categories because of other text."""
    codec = cast(TableCodec, s.data.codec)
    for column in (*codec.own.values(), *codec.condition.columns):
        for what, form in FORMS.items():
            like = np.array([bool(form.fullmatch(label)) for label in column.labels], dtype=bool)
            share = float(column.frequency[: len(like)][like].sum())
            if like.sum() >= MIN_DISTINCT and MIN_SHARE < share < 1 - MIN_SHARE:
                odd = next(label for label, one in zip(column.labels, like, strict=True) if not one)
                yield Finding(
                    "P16",
                    "warn",
                    f"column {column.name!r}: {share:.0%} of the rows contain {what}, the others "
                    f"text such as {odd[:40]!r}, so all are read as categories",
                    "Correct the other values, or leave them empty",
                )


def _discrete(column: Column) -> bool:
    return column.ordered and column.form.scale.discrete


def _identifier(cells: np.ndarray, exact: int, n: int) -> bool:
    low, high = cells.min(), cells.max()
    return exact == 0 and n > 100 and 0.9 * n < high - low < 1.5 * n and len(cells) >= 10


def empty_columns(s: Setting) -> Iterator[Finding]:
    """Warn of columns in which, with differential privacy, no value is common enough."""
    yield from empty(cast(TableCodec, s.data.codec).columns, s.data.codec.account)
