"""How columns are fitted to training rows, with or without differential privacy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.data.fitting import (
    FEW_LABELS,
    cells_for,
    fit_column,
    fit_group,
    fit_label,
)
from surveyor.data.private import SPREAD, fit_private, spread, weight
from surveyor.data.shared import fit_shared
from surveyor.data.values import Form
from surveyor.privacy import CodecAccount, noisy_counts

if TYPE_CHECKING:
    from surveyor.data import Options

ROWS_KEPT = 5  # rows that a combination of conditions must have to be stored as it is
Fit = Callable[[str, pd.Series, Form | None], Column]


@dataclass(frozen=True)
class Fits:
    """Functions that fit a column, a condition, and a group.

    ``frequent`` maps counts (k,) to the indices that are kept and their counts; ``spread`` maps
    numbers to their mean, variance, minimum and maximum. ``account`` is the privacy that all of it
    spends, None without differential privacy. ``guarded`` says that nothing else may be looked for
    in rows.
    """

    column: Fit
    label: Fit
    group: Callable[[str, pd.Series, Form], Column]
    frequent: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    spread: Callable[[np.ndarray], np.ndarray]
    account: CodecAccount | None = None
    guarded: bool = False


def _frequent(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    kept = np.flatnonzero(counts >= ROWS_KEPT)
    return kept, counts[kept].astype(float)


def _spread(values: np.ndarray) -> np.ndarray:
    return np.array([values.mean(), values.var(), values.min(), values.max()])


PLAIN = Fits(fit_column, fit_label, fit_group, _frequent, _spread)
SHARED = Fits(fit_shared, fit_shared, fit_shared, _frequent, _spread, guarded=True)


def fits_for(options: Options, rows: int, forms: Mapping[str, Form], spreads: int = 0) -> Fits:
    """Return the functions that fit the columns named by ``forms``, conditions included.

    With an epsilon, a part of it is divided among these columns, ``options.group``, the
    combinations of the conditions, and ``spreads`` further columns of numbers.
    """
    if options.epsilon is None or options.delta is None:
        if options.shared:
            return SHARED
        return replace(PLAIN, column=partial(fit_column, cells=cells_for(len(forms))))
    conditions = len(options.condition)
    combined = conditions if conditions > 1 else 0
    lists = len(forms) + (options.group is not None) + combined
    whole = sum(weight(form) for form in forms.values()) + lists - len(forms) + spreads * SPREAD
    counts, account = noisy_counts(options.epsilon, options.delta, rows, whole, lists)

    def fit(name: str, column: pd.Series, form: Form | None = None) -> Column:
        few = FEW_LABELS if name in options.condition else 0
        return fit_private(name, column, form or forms[name], counts, few)

    def by_group(name: str, column: pd.Series, form: Form) -> Column:
        return fit_private(name, column, replace(form, kind="category"), counts)

    spreading = partial(spread, counts=counts)
    return Fits(fit, fit, by_group, counts.shown, spreading, account, guarded=True)


def account_state(account: CodecAccount | None) -> dict[str, Any]:
    """Return an account as JSON-ready values of a codec's state."""
    return {} if account is None else {"account": asdict(account)}


def account_of(meta: Mapping[str, Any]) -> CodecAccount | None:
    """Return the account that ``account_state`` described."""
    return CodecAccount(**meta["account"]) if "account" in meta else None
