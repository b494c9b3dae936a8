"""One column of a table: its values as codes, and codes as values again.

Categories are codes by nature. A number becomes one as well: values that occur often are cells of
their own (spikes, integers), the rest falls into cells of equal frequency, and a code is decoded
by drawing among the values observed in its cell. Bounds, integers, decimals and spikes therefore
hold without a rule for each.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data.grains import uniform
from surveyor.data.values import ColumnKind, infer, label_of, numeric, restored, zoned
from surveyor.errors import InputError, did_you_mean

OFTEN = 50  # a number seen this often, and by this share, is a value of its own
OFTEN_SHARE = 0.0015
CELLS = 50
QUANTILES = 32
KEPT = ("name", "kind", "dtype", "missing", "exact", "grain")
MOST_CATEGORIES = 20_000


@dataclass(frozen=True, eq=False)
class Column:
    """A fitted column with ``size`` codes; a missing value is the last code where any is missing.

    ``labels`` name the codes of a category; ``cells`` (k, quantiles) hold the observed values of
    an ordered column's cells, the first ``exact`` of which hold one value each; ``frequency``
    (size,) is each code's share of the training rows. Of a column fitted with differential privacy
    cells hold no values but their ends and even steps between, and values are drawn uniformly
    within, in multiples of ``grain`` unless it is 0.
    """

    name: str
    kind: ColumnKind
    dtype: str
    missing: bool
    frequency: np.ndarray
    labels: tuple[str, ...] = ()
    cells: np.ndarray = field(default_factory=lambda: np.empty((0, QUANTILES)))
    exact: int = 0
    grain: float | None = None

    @property
    def ordered(self) -> bool:
        """Return whether the values have an order and a distance."""
        return self.kind in ("integer", "number", "date")

    @property
    def size(self) -> int:
        """Return the number of codes, missing included."""
        return (len(self.cells) if self.ordered else len(self.labels)) + self.missing

    @cached_property
    def positions(self) -> np.ndarray:
        """Return each code's mean value in standard deviations of the column, (size,).

        A missing value stands at the mean: its being missing is told by its code.
        """
        centre = np.append(self.cells.mean(1), [0.0] * self.missing)
        share = self.frequency.copy()
        if self.missing:
            share[-1] = 0.0
        share /= max(share.sum(), 1e-300)
        mean = (share * centre).sum()
        spread = np.sqrt((share * (centre - mean) ** 2).sum())
        if self.missing:
            centre[-1] = mean
        return np.asarray((centre - mean) / (spread if spread > 0 else 1.0))

    @cached_property
    def ranks(self) -> np.ndarray:
        """Return the share of rows below the middle of each code, (size,); NaN without order."""
        ranks = np.full(self.size, np.nan)
        if self.ordered:
            order = np.argsort(self.cells.mean(1), kind="stable")
            share = self.frequency[order]
            ranks[order] = np.cumsum(share) - share / 2
        return ranks

    @cached_property
    def _edges(self) -> np.ndarray:
        return self.cells[self.exact + 1 :, 0]

    @cached_property
    def _codes(self) -> dict[str, int]:
        return {label: code for code, label in enumerate(self.labels)}

    @cached_property
    def _values(self) -> tuple[Any, Any]:
        """Return the labels in the user's type: for samples without a gap, and with one."""
        labels = [label == "True" for label in self.labels] if self.kind == "boolean" else None
        table = np.array([*(labels or self.labels), None], dtype=object)
        absent = np.arange(len(table)) == len(self.labels)
        whole = restored(table[:-1], absent[:-1], self.kind, self.dtype, self.name)
        return whole.array, restored(table, absent, self.kind, self.dtype, self.name).array

    def encode(self, values: pd.Series) -> np.ndarray:
        """Return the code of every value, (n,) int32; ``size`` for a category never seen."""
        absent = values.isna().to_numpy()
        if not self.ordered:
            # Factorising first makes the dictionary look-up one a distinct value, not one a row.
            codes, unique = pd.factorize(values)
            lookup = np.array(
                [self._codes.get(label_of(v), self.size) for v in unique] + [self.size]
            )
            result = lookup[codes]
        else:
            result = self._cell(numeric(values, self.kind, self.name), absent)
        result[absent] = self.size - 1 if self.missing else self.size
        return result.astype(np.int32)

    def _cell(self, values: np.ndarray, absent: np.ndarray) -> np.ndarray:
        filled = np.where(absent, self.cells[0, 0], values)
        exact = self.cells[: self.exact, 0]
        if len(self.cells) == self.exact:
            middles = (exact[1:] + exact[:-1]) / 2
            return np.searchsorted(middles, filled)
        bins = self.exact + np.searchsorted(self._edges, filled, side="right")
        if self.exact == 0:
            return np.asarray(bins)
        at = np.searchsorted(exact, filled).clip(0, self.exact - 1)
        return np.where(exact[at] == filled, at, bins)

    def decode(self, codes: np.ndarray, draws: Draws) -> pd.Series:
        """Return values in the column's own units and type, (n,)."""
        absent = codes >= self.size - 1 if self.missing else np.zeros(len(codes), dtype=bool)
        if not self.ordered:
            values = self._values[bool((codes >= len(self.labels)).any())]
            places = np.minimum(codes, len(values) - 1)
            return pd.Series(values.take(places), name=self.name, copy=False)
        at = codes.clip(0, len(self.cells) - 1)
        if self.grain is None:
            pick = draws.index(len(codes), self.cells.shape[1]).numpy()
            numbers = self.cells[at, pick]
        else:
            u = draws.uniform(len(codes)).double().numpy()
            numbers = uniform(self.cells[at, 0], self.cells[at, -1], self.grain, u)
        return restored(numbers, absent, self.kind, self.dtype, self.name)

    def number(self, text: Any) -> float:
        """Return a number or date that a person wrote, dates as seconds since 1970.

        Raises:
            ValueError: it is none.
        """
        return pd.Timestamp(text).timestamp() if self.kind == "date" else float(text)

    def code_of(self, text: Any, flag: str = "--where") -> int:
        """Return the code of one value written by a person.

        Raises:
            InputError: a category never seen, or text where a number belongs.
        """
        text = label_of(text) if not isinstance(text, str) else text
        if self.missing and text in ("", "nan", "None", "NaN", "<NA>"):
            return self.size - 1
        if not self.ordered:
            known = (
                {label.lower(): label for label in self.labels} if self.kind == "boolean" else {}
            )
            label = known.get(text.lower(), text)
            if label not in self._codes:
                raise InputError(
                    f"{flag} {self.name}={text}: not a value seen in training"
                    f"{did_you_mean(text, self.labels)}"
                )
            return self._codes[label]
        try:
            value = self.number(text)
        except ValueError:
            what = "date" if self.kind == "date" else "number"
            raise InputError(f"{flag} {self.name}={text}: the column holds {what}s") from None
        low, high = float(self.cells.min()), float(self.cells.max())
        if not low <= value <= high:
            shown = (low, high) if self.kind != "date" else tuple(map(_day, (low, high)))
            raise InputError(
                f"{flag} {self.name}={text}: outside what was seen in training, "
                f"{_short(shown[0])} to {_short(shown[1])}"
            )
        return int(self._cell(np.array([value]), np.array([False]))[0])

    def told(self, text: Any, n: int) -> pd.Series:
        """Return one value as a person wrote it, ``n`` times, in the column's type."""
        code = self.code_of(text)
        absent = np.full(n, self.missing and code == self.size - 1)
        if not self.ordered or absent.any():
            return self.decode(np.full(n, code), Draws(0))
        return restored(np.full(n, self.number(text)), absent, self.kind, self.dtype, self.name)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what ``restore`` needs: JSON-ready values, and arrays."""
        meta = {k: getattr(self, k) for k in KEPT}
        return meta | {"labels": list(self.labels)}, {
            "frequency": self.frequency,
            "cells": self.cells,
        }

    @classmethod
    def restore(cls, meta: dict[str, Any], arrays: dict[str, Any]) -> Column:
        """Rebuild a column."""
        return cls(**(meta | {"labels": tuple(meta["labels"])}), **arrays)


FEW_LABELS = 32
MOST_GROUPS = 100


def fit_label(name: str, values: pd.Series) -> Column:
    """Fit a column that is a condition or a group: a few integers are labels, not numbers."""
    present = values.dropna()
    if infer(name, present) == "integer" and present.nunique() <= FEW_LABELS:
        return _fit_category(
            name, present, "category", str(values.dtype), bool(values.isna().any()), len(values)
        )
    return fit_column(name, values)


def fit_group(name: str, values: pd.Series) -> Column:
    """Fit a group column: every distinct value is a label.

    Raises:
        InputError: so many values that no group has rows to speak of.
    """
    present = values.dropna()
    if present.nunique() > MOST_GROUPS:
        raise InputError(
            f"--group {name}: {present.nunique():,} different values; give a column of at most "
            f"{MOST_GROUPS}"
        )
    missing = bool(values.isna().any())
    return _fit_category(name, present, "category", str(values.dtype), missing, len(values))


def fit_column(name: str, values: pd.Series) -> Column:
    """Fit one column to training values.

    Raises:
        InputError: infinite numbers, a category a row, values that are no scalars.
    """
    absent = values.isna().to_numpy()
    present = values[~absent]
    kind, dtype = infer(name, present), str(values.dtype)
    if kind == "date" and "," not in dtype and zoned(present):
        dtype += ",UTC"
    missing = bool(absent.any())
    if kind in ("category", "boolean"):
        return _fit_category(name, present, kind, dtype, missing, len(values))
    numbers = np.sort(numeric(present, kind, name))
    if not np.isfinite(numbers).all():
        raise InputError(f"column {name!r}: holds infinite values; replace or remove those rows")
    if kind == "integer" and len(numbers) and np.abs(numbers[[0, -1]]).max() > 2**53:
        raise InputError(
            f"column {name!r}: whole numbers beyond 2^53 cannot be kept exactly; "
            f"leave it out with --drop {name}, or make it text"
        )
    unique, counts = np.unique(numbers, return_counts=True)
    often = counts >= max(OFTEN, OFTEN_SHARE * len(numbers))
    if len(unique) <= CELLS:
        often[:] = True
    exact = unique[often]
    rest = numbers[~np.isin(numbers, exact)]
    cells = [np.full(QUANTILES, value) for value in exact]
    shares = list(counts[often].astype(float))
    if len(rest):
        share_a_cell = len(rest) / min(CELLS, max(1, len(rest) // 10))
        edges = np.unique(rest[np.arange(0, len(rest), max(1, round(share_a_cell)))])
        bounds = np.append(np.searchsorted(rest, edges), len(rest))
        for start, stop in zip(bounds[:-1], bounds[1:], strict=True):
            inside = rest[start:stop]
            at = np.linspace(0, len(inside) - 1, QUANTILES).round().astype(int)
            cells.append(inside[at])
            shares.append(float(len(inside)))
    frequency = np.array([*shares, *([float(absent.sum())] if missing else [])])
    return Column(
        name, kind, dtype, missing, frequency / len(values), (), np.array(cells), len(exact)
    )


def _fit_category(
    name: str, present: pd.Series, kind: ColumnKind, dtype: str, missing: bool, n: int
) -> Column:
    counts = present.value_counts()
    scalars = (str, bool, int, float, np.generic)
    if any(not isinstance(v, scalars) for v in counts.index[:1000]):
        raise InputError(f"column {name!r}: holds values that are not text or numbers; drop it")
    if len(counts) > max(20, 0.9 * len(present)) or len(counts) > MOST_CATEGORIES:
        first = str(counts.index[0])
        if re.fullmatch(r"\W{0,3}\d{1,3}([,.' ]\d{3})*([.,]\d+)?\s?\W{0,3}", first):
            raise InputError(
                f"column {name!r}: {first!r} is read as text; write numbers plainly, as 1234.5"
            )
        if re.fullmatch(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}( .*)?", first):
            raise InputError(
                f"column {name!r}: {first!r} is read as text; write dates as 2026-11-25"
            )
        every = "nearly every row" if len(counts) < len(present) else "every row"
        raise InputError(
            f"column {name!r}: a different value in {every} ({len(counts):,} of {len(present):,}), "
            f"nothing to learn; leave it out with --drop {name}"
        )
    labelled = counts.groupby([label_of(v) for v in counts.index]).sum().sort_index()
    shares = [*labelled.to_numpy(dtype=float), *([float(n - len(present))] if missing else [])]
    return Column(name, kind, dtype, missing, np.array(shares) / n, tuple(labelled.index))


def _day(seconds: float) -> str:
    return str(pd.Timestamp(seconds, unit="s").date())


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
