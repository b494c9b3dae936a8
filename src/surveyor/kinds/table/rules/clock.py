"""Times of day written as hours and minutes: a difference of two, in minutes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from surveyor.kinds.table.constructions import Construction, Known, Residual
from surveyor.kinds.table.rules import EXCEPTIONS, Checked, Rule, View, share_when_shuffled

DAY = 1440
ROWS = 500


@dataclass(frozen=True)
class Clock(Rule):
    """``minutes`` = ``end`` - ``start`` in minutes, where 1305 is five past one; modulo a day."""

    minutes: str
    end: str
    start: str

    @classmethod
    def candidates(cls, view: View) -> Iterator[Rule]:
        """Yield the differences that hold in most of the first rows."""
        times = [name for name in view.ordered if _is_clock(view.numbers(name))]
        for end, start in itertools.permutations(times, 2):
            for minutes in view.ordered:
                if minutes in (end, start):
                    continue
                rule = cls(minutes, end, start)
                checked = rule._compare(view, ROWS)
                broken, applies = checked.counts
                if applies > ROWS // 4 and broken <= 2 * EXCEPTIONS * applies:
                    yield rule

    @property
    def names(self) -> tuple[str, ...]:
        """Return all three."""
        return self.minutes, self.end, self.start

    @property
    def text(self) -> str:
        """Return ``minutes = end - start``."""
        return f"{self.minutes} = {self.end} - {self.start} in minutes of the day"

    def check(self, view: View) -> Checked:
        """Compare rows in which nothing is missing."""
        return self._compare(view, len(view))

    def _compare(self, view: View, rows: int) -> Checked:
        end, start = (_minutes(view.numbers(n)[:rows]) for n in (self.end, self.start))
        gap = (view.numbers(self.minutes)[:rows] - (end - start)) % DAY
        return Checked(np.isfinite(gap), np.minimum(gap, DAY - gap) > 0.5)

    def constructions(self, view: View) -> Iterator[Construction]:
        """Yield the end as the start and so many minutes."""
        if self.check(view).counts[0] == 0:
            end = view.numbers(self.end)
            midnight = 2400.0 if (end == 2400).sum() > (end == 0).sum() else 0.0
            parts = [self.start, self.minutes]
            yield ClockTime.fitted(view, self.end, parts, self.text, midnight=midnight)

    def chance(self, view: View) -> float:
        """Return the share with the minutes in another order."""
        return share_when_shuffled(self, view, self.minutes)


@dataclass(frozen=True, eq=False)
class ClockTime(Residual):
    """The target is so many minutes after a time of day; ``midnight`` is 0 or 2400."""

    midnight: float = 0.0

    def base(self, rows: Known) -> np.ndarray:
        """Return the time of day."""
        start, minutes = (rows.numbers(name) for name in self.parts)
        day = np.round(_minutes(start) + minutes) % DAY
        return np.where(day == 0, self.midnight, 100 * (day // 60) + day % 60)


def _minutes(clock: np.ndarray) -> np.ndarray:
    return np.asarray(60 * (clock // 100) + clock % 100)


def _is_clock(values: np.ndarray) -> bool:
    """Return whether numbers are whole, from 0 to 2400, with minutes below 60, and many."""
    present = np.unique(values[np.isfinite(values)])
    whole = len(present) > 50 and bool((present % 1 == 0).all())
    return whole and present[0] >= 0 and present[-1] <= 2400 and bool((present % 100 < 60).all())
