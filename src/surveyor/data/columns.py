"""One column of a table: its values encoded as integer codes, and decoded again.

Each category has a code. Numbers are binned: values that occur often (spikes, integers) have cells
of their own, the others fall into cells of equal frequency, and a code is decoded by drawing from
the values observed in its cell. Bounds, integers, decimals and spikes are therefore preserved
without a rule for each.
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
SPIKE = 0.03  # the least share of rows of a code that is a spike
SAVED = ("name", "missing", "exact", "grain")


@dataclass(frozen=True, eq=False)
class Column:
    """A fitted column with ``size`` codes; a missing value is the last code where any is missing.

    ``labels`` name the codes of a categorical column, ``natives`` are the same values in the user's
    type; ``cells`` (k, quantiles) hold observed values of an ordered column's cells, of which the
    first ``exact`` hold a single value each; ``frequency`` (size,) is each code's share of the
    training rows. In a column fitted with differential privacy, cells hold only their ends and even
    steps between them, and values are drawn uniformly within a cell, in multiples of ``grain``
    unless it is 0.
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

        A missing value is placed at the mean; its code says that it is missing.
        """
        centre = np.append(self.cells.mean(1), [self._scale[0]] * self.missing)
        return self.standardise(centre)

    @cached_property
    def _scale(self) -> tuple[float, float]:
        """Return mean and standard deviation of the values present, from their cells."""
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
        """Return the smallest and the largest value in the training rows."""
        return float(self.cells.min()), float(self.cells.max())

    def format_value(self, number: float) -> str:
        """Return a number as text for a reader; a date as its day."""
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

    @property
    def apart(self) -> tuple[int, ...]:
        """Return the codes of an ordered column that are spikes, or missing."""
        often = self.frequency >= SPIKE
        often[len(self.cells) :] = True
        return tuple(np.flatnonzero(often).tolist())

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
        """Return the code of every value, (n,) int32; ``size`` for one outside the training data.

        That is an unseen category, or a number below the smallest or above the largest; in a column
        fitted with differential privacy such a number gets the code of the nearest cell.
        """
        return self.encoded(values)[0]

    def encoded(self, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Return the codes (n,) and, of an ordered column, the numbers (n,)."""
        absent = values.isna().to_numpy()
        if not self.ordered:
            # Factorised, so that each distinct value is looked up once.
            codes, unique = pd.factorize(values)
            lookup = np.array(
                [self._codes.get(self.form.type.label(v), self.size) for v in unique] + [self.size]
            )
            result, numbers = lookup[codes], np.empty(0)
        else:
            numbers = self.numbers(values)
            absent = absent | np.isnan(numbers)
            result = self._cell(numbers, absent)
            if self.grain is None:  # with noise, the ends of cells are only roughly known
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
        return self.write(self.draw(codes, draws), draws)

    def write(self, values: np.ndarray, draws: Draws) -> pd.Series:
        """Return numbers (n,), NaN where missing, or codes of labels in the column's own type."""
        if self.ordered:
            absent = np.isnan(values)
            return restored(np.where(absent, 0.0, values), absent, self.form, self.name)
        codes = values.astype(np.int64)
        labels = self._values[bool((codes >= len(self.labels)).any())]
        places = np.minimum(codes, len(labels) - 1)
        made = pd.Series(labels.take(places), name=self.name, copy=False)
        return self.form.type.sample_values(made, self.form, draws)

    def draw(self, codes: np.ndarray, draws: Draws) -> np.ndarray:
        """Return a number for every code of an ordered column, (n,), NaN where missing.

        Codes of labels are returned unchanged.
        """
        if not self.ordered:
            return codes
        absent = codes >= self.size - 1 if self.missing else np.zeros(len(codes), dtype=bool)
        if len(self.cells) == 0:
            return np.where(absent, np.nan, 0.0)
        at = codes.clip(0, len(self.cells) - 1)
        if self.grain is None:
            pick = draws.index(len(codes), self.cells.shape[1]).numpy()
            numbers = self.cells[at, pick]
        else:
            u = draws.uniform(len(codes)).double().numpy()
            numbers = uniform(self.cells[at, 0], self.cells[at, -1], self.grain, u)
        return np.where(absent, np.nan, numbers)

    def as_text(self, values: pd.Series) -> list[str | None]:
        """Return numbers in the file's spelling, None where missing."""
        numbers = self.numbers(values)
        points = np.unique(numbers[~np.isnan(numbers)])
        written = self.form.scale.write(points, self.form.spelling)
        texts: dict[float, str] = dict(zip(points.tolist(), written, strict=True))
        return [texts.get(v) for v in numbers]

    def span(self, query: Any) -> tuple[float, float]:
        """Return the smallest and largest number that the text of a user stands for.

        They are equal, except for a date such as ``2020-02``, a month: seconds since 1970 at its
        first moment and its last, in the column's own time zone.

        Raises:
            ValueError: not of the column's type.
        """
        return self.form.scale.span(query, self.form, self.cells)

    def value_of(self, query: Any, flag: str = "--where") -> float:
        """Return the single number that a user asked for.

        Raises:
            InputError: not a number, a span of them, or one that no training row could have.
        """
        if not len(self.cells):
            raise InputError(f"{flag} {self.name}={query}: the column has only missing values")
        own = self.form.scale
        try:
            value, last = self.span(query)
        except (ValueError, TypeError, OverflowError):
            what = f"{own.plural}; write them as {self._example}" if own.example else own.plural
            raise InputError(f"{flag} {self.name}={query}: the column holds {what}") from None
        if not own.possible(value):
            raise InputError(
                f"{flag} {self.name}={query}: the column holds {own.describe(self.form)}s"
            )
        if last > value:
            raise InputError(
                f"{flag} {self.name}={query}: a span of time; give it alone, or give one moment"
            )
        low, high = self.range
        if not low <= value <= high:
            raise InputError(
                f"{flag} {self.name}={query}: outside the range of the training rows, "
                f"{own.format_value(low, 6)} to {own.format_value(high, 6)}"
            )
        return value

    @property
    def _example(self) -> str:
        return str(restored(self.cells[:1, 0], np.array([False]), self.form, self.name).iloc[0])

    def code_of(self, text: Any, flag: str = "--where") -> int:
        """Return the code of one value as a user writes it.

        Raises:
            InputError: an unseen category, or not a number of this column.
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
        """Return ``n`` copies of one value that a user wrote, in the column's type."""
        code = self.code_of(text)
        absent = np.full(n, self.missing and code == self.size - 1)
        if not self.ordered or absent.any():
            return self.decode(np.full(n, code), Draws(0))
        return restored(np.full(n, self.value_of(text)), absent, self.form, self.name)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what ``restore`` needs: JSON-ready values, and arrays."""
        meta = {k: getattr(self, k) for k in SAVED}
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
        plain = {k: meta[k] for k in SAVED}
        return cls(form=Form(**form), **own, **plain, **arrays)
