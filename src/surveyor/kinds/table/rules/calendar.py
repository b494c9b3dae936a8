"""Year, month, day, hour and minute in columns of their own, beside the date they belong to."""

from __future__ import annotations

import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.data.types import column_type
from surveyor.kinds.table.constructions import Construction, Known, Made, Residual
from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View, share_when_shuffled

ROWS = 200
UTC = "UTC"
# Of zones with the same clock the first is named.
COMMON = (
    "America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles",
    "Europe/London", "Europe/Berlin", "Asia/Kolkata", "Asia/Shanghai", "Asia/Tokyo",
    "Australia/Sydney",
)  # fmt: skip
RANGES = {
    "year": (1600, 2400),
    "month": (1, 12),
    "day": (1, 31),
    "hour": (0, 23),
    "minute": (0, 59),
}


@dataclass(frozen=True)
class Calendar(Rule):
    """``columns`` are the ``parts`` (year, month, day, hour, minute) of ``date`` in ``zone``."""

    date: str
    zone: str
    parts: tuple[str, ...]
    columns: tuple[str, ...]

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield a rule a date: the parts from which it follows, else one for each part of it."""
        for date in view.ordered:
            form = view.columns[date].form
            if column_type(form.kind).family != "date":
                continue
            zone = form.scale.zone(form) or UTC
            parts = _parts(view, date, zone)
            if not {"month", "day"} <= set(parts) and zone == UTC and _near(view, date):
                zone, parts = _elsewhere(view, date)
            if {"month", "day"} <= set(parts):
                yield cls(date, zone, tuple(parts), tuple(parts.values()))
            else:
                yield from (cls(date, zone, (p,), (c,)) for p, c in parts.items())

    @property
    def names(self) -> tuple[str, ...]:
        """Return the date and its parts."""
        return self.date, *self.columns

    @property
    def text(self) -> str:
        """Return the rule in words."""
        where = "" if self.zone == UTC else f" in {self.zone}"
        verb = "is" if len(self.columns) == 1 else "are"
        return f"{', '.join(self.columns)} {verb} the {', '.join(self.parts)} of {self.date}{where}"

    def check(self, view: View) -> Checked:
        """Compare rows in which nothing is missing."""
        moments = view.numbers(self.date)
        gaps = [
            part_of(moments, part, self.zone) - view.numbers(column)
            for part, column in zip(self.parts, self.columns, strict=True)
        ]
        apart = np.abs(np.stack(gaps)).max(axis=0)
        return Checked(np.isfinite(apart), apart > 0)

    def chance(self, view: View) -> float:
        """Return the share with the date's values in another order."""
        return share_when_shuffled(self, view, self.date)

    def determines(self, child: str, parents: Sequence[str]) -> bool:
        """Return whether the parts are those of a date that is given."""
        return child in self.columns and self.date in parents

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield the date from its parts, or the part of the date."""
        if self.check(view).counts[0] > 0:
            return
        years = np.unique(part_of(view.numbers(self.date), "year", self.zone))
        own = {"zone": self.zone, "named": self.parts}
        if len(self.parts) > 1 and ("year" in self.parts or len(years) == 1):
            year = float(years[0])
            yield Moment.fitted(view, self.date, self.columns, self.text, year=year, **own)
        elif len(self.parts) == 1:
            yield Moment.fitted(view, self.columns[0], [self.date], self.text, **own)


@dataclass(frozen=True, eq=False)
class Moment(Residual):
    """The target is the moment whose ``named`` parts are given, or the named part of a moment.

    The first if there are several; then a day that its month does not have becomes the last. A date
    without a part for the year is of the year ``year``.
    """

    named: tuple[str, ...] = ()
    zone: str = UTC
    year: float = 0.0

    def base(self, rows: Known) -> np.ndarray:
        """Return seconds since 1970, or the part."""
        if len(self.named) == 1:
            return part_of(rows.numbers(self.parts[0]), self.named[0], self.zone)
        given = {n: rows.numbers(c) for n, c in zip(self.named, self.parts, strict=True)}
        return moments(given, self.year, self.zone)

    def restore(self, made: Made) -> None:
        """Bring the day within its month, and compute the target."""
        given = dict(zip(self.named, self.parts, strict=True))
        if len(given) > 1:
            numbers = {n: made.numbers(c) for n, c in given.items()}
            made.values[given["day"]] = np.minimum(numbers["day"], _last_day(numbers, self.year))
        super().restore(made)


def part_of(moments: np.ndarray, part: str, zone: str) -> np.ndarray:
    """Return the year, month, day, hour or minute of seconds since 1970 (n,) in a time zone."""
    known = np.isfinite(moments)
    times = pd.to_datetime(np.where(known, moments, 0.0), unit="s", utc=True)
    if zone != UTC:
        times = times.tz_convert(zone)
    return np.where(known, np.asarray(getattr(times, part), dtype=np.float64), np.nan)


def moments(parts: Mapping[str, np.ndarray], year: float, zone: str) -> np.ndarray:
    """Return seconds since 1970 (n,) of parts of a date in a time zone, NaN where one is missing.

    Of two moments with the same clock time the later one is returned.
    """
    known = np.isfinite(np.stack(list(parts.values()))).all(0)
    days = _first_day({n: np.where(known, v, 1.0) for n, v in parts.items()}, year)
    seconds = (days + (np.where(known, parts["day"], 1.0) - 1).astype(int)).astype("datetime64[s]")
    for part, size in (("hour", 3600), ("minute", 60)):
        if part in parts:
            seconds = seconds + (size * np.where(known, parts[part], 0.0)).astype("timedelta64[s]")
    if zone != UTC:
        local = pd.DatetimeIndex(seconds).tz_localize(
            zone, ambiguous=np.zeros(len(seconds), dtype=bool), nonexistent="shift_forward"
        )
        seconds = local.tz_convert(UTC).tz_localize(None).to_numpy().astype("datetime64[s]")
    return np.where(known, seconds.astype(np.int64).astype(np.float64), np.nan)


def _first_day(parts: Mapping[str, np.ndarray], year: float) -> np.ndarray:
    years = parts.get("year", np.full(len(parts["month"]), year))
    months = np.asarray(12 * (years - 1970) + parts["month"] - 1)
    return np.where(np.isfinite(months), months, 0).astype("datetime64[M]").astype("datetime64[D]")


def _last_day(parts: Mapping[str, np.ndarray], year: float) -> np.ndarray:
    first = _first_day(parts, year)
    after = (first.astype("datetime64[M]") + 1).astype("datetime64[D]")
    return np.asarray((after - first).astype(int))


def _elsewhere(view: View, date: str) -> tuple[str, dict[str, str]]:
    """Return the time zone in which most columns are parts of a date, and these."""
    found: dict[str, dict[str, str]] = {}
    for zones in (COMMON, sorted(n for n in zoneinfo.available_timezones() if "/" in n)):
        found |= {zone: _parts(view, date, zone) for zone in zones}
        zone, parts = max(found.items(), key=lambda item: len(item[1]))
        if {"month", "day"} <= set(parts):
            break
    return zone, parts


def _parts(view: View, date: str, zone: str) -> dict[str, str]:
    """Return the column of each part of a date in some zone, in the first rows."""
    rows, found = _some(view), dict[str, str]()
    times = view.numbers(date)[rows]
    for part, (low, high) in RANGES.items():
        own = part_of(times, part, zone)
        for name in view.ordered:
            values = view.numbers(name)[rows]
            both = np.isfinite(own) & np.isfinite(values)
            same = (own == values)[both]
            if name == date or name in found.values() or both.sum() < len(rows) // 4:
                continue
            if values[both].min() < low or values[both].max() > high:
                continue
            varied = part == "year" or len(np.unique(values[both])) > 2
            if varied and same.mean() >= 1 - EXCEPTIONS:
                found[part] = name
                break
    return found


def _near(view: View, date: str) -> bool:
    """Return whether some column is the month of a date in most rows, as in a near time zone."""
    rows = _some(view)
    own = part_of(view.numbers(date)[rows], "month", UTC)
    return len(np.unique(own)) > 2 and any(
        (view.numbers(name)[rows] == own).mean() > 0.8 for name in view.ordered if name != date
    )


def _some(view: View) -> np.ndarray:
    """Return rows spread over a table, which may be sorted by date."""
    return np.unique(np.linspace(0, len(view) - 1, ROWS).astype(int))
