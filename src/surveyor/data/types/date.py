"""Dates and moments: seconds since 1970 in UTC."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.day_formats import day_format, is_day, reproduced
from surveyor.data.numerals import Read
from surveyor.data.periods import moment
from surveyor.data.spelling import (
    ISO,
    MICRO,
    OFFSET,
    date_format,
    read_dates,
    write_dates,
)
from surveyor.data.types import Cells, Fit, Scale
from surveyor.data.values import Form

DAY = 86_400.0
OTHER_ORDER = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}( .*)?")


class Date(Scale):
    """Days and moments, in ISO 8601, in another usual form, or in a format that the user names."""

    samples = ("2024-02-29T23:59+01:00", "1969-07-20T20:17+01:00")
    takes_format = True
    example = "2026-11-25"
    grains = (DAY, 3600.0, 60.0, 1.0, 1e-3, 1e-6)
    unit = (DAY, "days")
    dtype = "datetime64[us]"
    default_spelling = "%Y-%m-%dT%H:%M:%SZ"
    respelt = "comes back in UTC, as 2026-11-25T10:00:00Z"
    unsupported_formats = (
        (
            OTHER_ORDER,
            f"write dates as {example}, or name their order, as --type '{{name}}=date:%d/%m/%Y'",
        ),
    )

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return cells that look like ISO 8601, or those of another form if there are more."""
        iso = [c for c in cells.distinct if ISO.fullmatch(c)]
        if len(iso) == len(cells.distinct):
            return iso
        other = [c for c in cells.distinct if is_day(c) and not ISO.fullmatch(c)]
        return max(iso, other, key=cells.share)

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return the common format of the ``matching`` cells; if there is none, a cell."""
        if not matching or ISO.fullmatch(matching[0]):
            return super().guess(matching, cells)
        format_, remark = day_format(matching)
        if format_ is None:
            return matching[0]
        same = reproduced(matching, format_)
        kept = [c for c, fits in zip(matching, same, strict=True) if fits]
        return Fit(self.name, format_, "", cells.without(kept), remark)

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return how the cells are read and written."""
        if not format_:
            matching = self.matching(cells)
            if matching and not ISO.fullmatch(matching[0]):
                found = self.guess(matching, cells)
                if isinstance(found, Fit):
                    return found
        return super().fit(cells, format_)

    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the seconds."""
        return read_dates(texts, spelling)

    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return dates in their format, by default ISO 8601 in UTC."""
        return write_dates(points, spelling or self.default_spelling)

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the common ISO format."""
        return date_format(texts)

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return datetimes."""
        micros = values.to_numpy() * MICRO
        return pd.Series(pd.to_datetime(micros, unit="us"), index=values.index)

    def format_value(self, point: float, digits: int = 4) -> str:
        """Return the day."""
        return str(np.datetime64(round(point), "s").astype("datetime64[D]"))

    def span(self, query: Any, form: Form, cells: np.ndarray) -> tuple[float, float]:
        """Return the first and the last moment of a year, a month, a day or less.

        Dates are read in the column's own time zone. In a column of days a day is a single point.
        """
        if isinstance(query, str) and form.spelling[:8] not in ("", "%Y-%m-%d"):
            seconds, good = read_dates([query], form.spelling)
            if good[0]:
                return float(seconds[0]), float(seconds[0])
        low, high = moment(query, self.zone(form))
        whole = low % DAY == 0 and high - low > DAY / 2 and high - low <= DAY
        days = bool((cells % DAY == 0).all())
        return (low, low) if whole and days else (low, high)

    def zone(self, form: Form) -> str:
        """Return the time zone in which dates are returned; "" for none."""
        if found := re.search(r", (.+)\]$", form.dtype):
            return found[1]
        if form.dtype.startswith("object:datetime:"):
            return form.dtype.removeprefix("object:datetime:")
        offset = OFFSET.search(form.spelling)
        return f"UTC{offset[0]}" if offset and offset[0] != "Z" else ""
