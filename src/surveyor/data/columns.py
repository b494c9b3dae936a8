"""One column of a table: its values as codes, and codes as values again.

Categories are codes by nature. A number becomes one as well: values that occur often are cells of
their own (spikes, integers), the rest falls into cells of equal frequency, and a code is decoded
by drawing among the values observed in its cell. Bounds, integers, decimals and spikes therefore
hold without a rule for each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data.grains import uniform
from surveyor.data.restore import label_array, restored
from surveyor.data.types import label_of
from surveyor.data.values import Form, numeric
from surveyor.errors import InputError, did_you_mean

QUANTILES = 32
KEPT = ("name", "missing", "exact", "grain")


@dataclass(frozen=True, eq=False)
class Column:
    """A fitted column with ``size`` codes; a missing value is the last code where any is missing.

    ``labels`` name the codes of a category, ``natives`` are these values as the user has them;
    ``cells`` (k, quantiles) hold the observed values of an ordered column's cells, the first
    ``exact`` of which hold one value each; ``frequency`` (size,) is each code's share of the
    training rows. Of a column fitted with differential privacy cells hold
    no values but their ends and even steps between, and values are drawn uniformly within, in
    multiples of ``grain`` unless it is 0.
    """

    name: str
    form: Form
    missing: bool
    frequency: np.ndarray
    labels: tuple[str, ...] = ()
    natives: tuple[Any, ...] = ()
    cells: np.ndarray = field(default_factory=lambda: np.empty((0, QUANTILES)))
    exact: int = 0
    grain: float | None = None

    @property
    def kind(self) -> str:
        """Return the name of the column's type."""
        return self.form.kind

    @property
    def ordered(self) -> bool:
        """Return whether the values have an order and a distance."""
        return self.form.ordered

    @property
    def size(self) -> int:
        """Return the number of codes, missing included."""
        return (len(self.cells) if self.ordered else len(self.labels)) + self.missing

    @cached_property
    def positions(self) -> np.ndarray:
        """Return each code's mean value in standard deviations of the column, (size,).

        A missing value stands at the mean: its being missing is told by its code.
        """
        centre = np.append(self.cells.mean(1), [self._scale[0]] * self.missing)
        return self.standardise(centre)

    @cached_property
    def _scale(self) -> tuple[float, float]:
        """Return mean and deviation of the values present, by their cells."""
        centre = self.cells.mean(1)
        share = self.frequency[: len(centre)] / max(self.frequency[: len(centre)].sum(), 1e-300)
        mean = (share * centre).sum()
        spread = np.sqrt((share * (centre - mean) ** 2).sum())
        return float(mean), float(spread if spread > 0 else 1.0)

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """Return values in standard deviations of the column."""
        mean, spread = self._scale
        return np.asarray((values - mean) / spread)

    @property
    def range(self) -> tuple[float, float]:
        """Return the least and the greatest value of the training rows."""
        return float(self.cells.min()), float(self.cells.max())

    def format_value(self, number: float) -> str:
        """Return a number as a person reads it; a date by its day."""
        return self.form.scale.format_value(number)

    def numbers(self, values: pd.Series) -> np.ndarray:
        """Return an ordered column's values (n,), NaN where missing; dates in seconds."""
        return numeric(values, self.form, self.name)

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
        return label_array(self.natives, self.form), label_array((*self.natives, None), self.form)

    def encode(self, values: pd.Series) -> np.ndarray:
        """Return the code of every value, (n,) int32; ``size`` for one beyond all training rows.

        That is a category never seen, or a number below the least or above the greatest; of a
        column fitted with differential privacy such a number is of the nearest cell.
        """
        return self.encoded(values)[0]

    def encoded(self, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes (n,) and, of an ordered column, the numbers (n,)."""
        absent = values.isna().to_numpy()
        if not self.ordered:
            # Factorising first makes the dictionary look-up one a distinct value, not one a row.
            codes, unique = pd.factorize(values)
            lookup = np.array(
                [self._codes.get(self.form.type.label(v), self.size) for v in unique] + [self.size]
            )
            result, numbers = lookup[codes], np.empty(0)
        else:
            numbers = self.numbers(values)
            absent = absent | np.isnan(numbers)
            result = self._cell(numbers, absent)
            if self.grain is None:  # cells fitted with noise end anywhere near the last rows
                low, high = self.range if len(self.cells) else (np.inf, -np.inf)
                result = np.where((numbers < low) | (numbers > high), self.size, result)
        result[absent] = self.size - 1 if self.missing else self.size
        return result.astype(np.int32), numbers

    def _cell(self, values: np.ndarray, absent: np.ndarray) -> np.ndarray:
        if len(self.cells) == 0:
            return np.zeros(len(values), dtype=np.int64)
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
            made = pd.Series(values.take(places), name=self.name, copy=False)
            return self.form.type.sample_values(made, self.form, draws)
        if len(self.cells) == 0:
            return restored(np.zeros(len(codes)), absent, self.form, self.name)
        at = codes.clip(0, len(self.cells) - 1)
        if self.grain is None:
            pick = draws.index(len(codes), self.cells.shape[1]).numpy()
            numbers = self.cells[at, pick]
        else:
            u = draws.uniform(len(codes)).double().numpy()
            numbers = uniform(self.cells[at, 0], self.cells[at, -1], self.grain, u)
        return restored(numbers, absent, self.form, self.name)

    def as_text(self, values: pd.Series) -> list[str | None]:
        """Return numbers in the file's spelling, None where missing."""
        numbers = self.numbers(values)
        points = np.unique(numbers[~np.isnan(numbers)])
        written = self.form.scale.write(points, self.form.spelling)
        texts: dict[float, str] = dict(zip(points.tolist(), written, strict=True))
        return [texts.get(v) for v in numbers]

    def span(self, asked: Any) -> tuple[float, float]:
        """Return the least and greatest number that stand for what a person wrote.

        Both are one number, but of a date such as ``2020-02``, which is a month: seconds since
        1970 from its first moment to its last, in the column's own time zone.

        Raises:
            ValueError: nothing of the column's type.
        """
        return self.form.scale.span(asked, self.form, self.cells)

    def value_of(self, asked: Any, flag: str = "--where") -> float:
        """Return the one number that a person asked for.

        Raises:
            InputError: none, more than one, or one that no training row could have.
        """
        if not len(self.cells):
            raise InputError(
                f"{flag} {self.name}={asked}: the column holds nothing but missing values"
            )
        own = self.form.scale
        try:
            value, last = self.span(asked)
        except (ValueError, TypeError, OverflowError):
            what = f"{own.plural}; write them as {self._example}" if own.example else own.plural
            raise InputError(f"{flag} {self.name}={asked}: the column holds {what}") from None
        if not own.possible(value):
            raise InputError(
                f"{flag} {self.name}={asked}: the column holds {own.describe(self.form)}s"
            )
        if last > value:
            raise InputError(
                f"{flag} {self.name}={asked}: a span of time; ask for it alone, or for one moment"
            )
        low, high = self.range
        if not low <= value <= high:
            raise InputError(
                f"{flag} {self.name}={asked}: outside what was seen in training, "
                f"{own.format_value(low, 6)} to {own.format_value(high, 6)}"
            )
        return value

    @property
    def _example(self) -> str:
        return str(restored(self.cells[:1, 0], np.array([False]), self.form, self.name).iloc[0])

    def code_of(self, text: Any, flag: str = "--where") -> int:
        """Return the code of one value written by a person.

        Raises:
            InputError: a category never seen, or text where a number belongs.
        """
        missing = not isinstance(text, str) and bool(pd.isna(text))
        label = text if isinstance(text, str) else label_of(text)
        label = self.form.type.find_label(label, self.labels)
        if not self.ordered and label in self._codes and not missing:
            return self._codes[label]
        if self.missing and (missing or label in ("", "nan", "None", "NaN", "<NA>")):
            return self.size - 1
        if not self.ordered:
            raise InputError(
                f"{flag} {self.name}={label}: not a value seen in training"
                f"{did_you_mean(label, self.labels)}"
            )
        value = self.value_of(text, flag)
        return int(self._cell(np.array([value]), np.array([False]))[0])

    def repeated(self, text: Any, n: int) -> pd.Series:
        """Return one value as a person wrote it, ``n`` times, in the column's type."""
        code = self.code_of(text)
        absent = np.full(n, self.missing and code == self.size - 1)
        if not self.ordered or absent.any():
            return self.decode(np.full(n, code), Draws(0))
        return restored(np.full(n, self.value_of(text)), absent, self.form, self.name)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what ``restore`` needs: JSON-ready values, and arrays."""
        meta = {k: getattr(self, k) for k in KEPT}
        lists = {"labels": list(self.labels), "natives": list(self.natives)}
        return meta | lists | {"form": asdict(self.form)}, {
            "frequency": self.frequency,
            "cells": self.cells,
        }

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, Any]) -> Column:
        """Rebuild a column."""
        form: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in meta["form"].items()}
        own: Any = {k: tuple(meta[k]) for k in ("labels", "natives")}
        plain = {k: meta[k] for k in KEPT}
        return cls(form=Form(**form), **own, **plain, **arrays)
