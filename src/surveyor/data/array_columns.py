"""Condition and group columns that accompany arrays, or rows of another kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd

from surveyor.data import Options, Rows, check_columns
from surveyor.data.columns import Column
from surveyor.data.conditions import Columns, fit_conditions
from surveyor.data.fits import Fits, fits_for
from surveyor.data.values import form_of
from surveyor.errors import InputError


class Labelled(Protocol):
    """Rows of any kind with columns of as many values beside them."""

    @property
    def columns(self) -> Mapping[str, Any]:
        """Return the columns by name."""

    def __len__(self) -> int: ...


def fit_columns(
    raw: Labelled, options: Options, spreads: int = 0
) -> tuple[Columns, Column | None, Fits]:
    """Fit the condition and group columns of arrays; return them and their ``Fits``.

    The privacy budget of the fits covers ``spreads`` further columns of numbers.
    """
    known = list(raw.columns)
    problems = check_columns(options.condition, known, "--condition")
    if options.group is not None:
        problems += check_columns([options.group], known, "--group")
    problems += [
        f"--{name}: only for tables"
        for name in ("drop", "type", "missing")
        if getattr(options, name)
    ]
    if options.whiten and options.epsilon is not None:
        problems.append("--privacy: leave --whiten out, whose use of the rows is not accounted for")
    if problems:
        raise InputError(*problems)
    forms = {name: form_of(name, pd.Series(raw.columns[name])) for name in options.condition}
    fits = fits_for(options, len(raw), forms, spreads)
    group = None
    if options.group is not None:
        own = pd.Series(raw.columns[options.group])
        group = fits.group(options.group, own, form_of(options.group, own))
    return fit_conditions(raw.columns, options.condition, fits, forms), group, fits


def column_codes(arrays: Labelled, conditions: Columns, group: Column | None) -> Rows:
    """Return the condition and group codes of arrays."""
    names = [c.name for c in conditions.columns]
    problems = check_columns(names, list(arrays.columns), "condition")
    if problems:
        raise InputError(*problems)
    rows = {"cond": conditions.encode(arrays.columns, len(arrays))}
    if group is not None and group.name in arrays.columns:
        rows["group"] = group.encode(pd.Series(arrays.columns[group.name]))
    return rows
