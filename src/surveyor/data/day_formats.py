"""The formats of dates that are not ISO 8601, found from the dates themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from surveyor.data.spelling import read_dates, write_dates

MONTHS = "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec"
CLOCK = r"(?:[ T]\d{1,2}:\d\d(?::\d\d)?(?: ?[AaPp][Mm])?)?"
NUMERIC = re.compile(r"(\d{4}|\d{1,2})([./-])(\d{1,2})\2(\d{4}|\d{1,2})" + CLOCK)
NAME = rf"(?:{MONTHS})[a-z]*"
NAMED = re.compile(
    rf"(?:\d{{1,2}}([ -]){NAME}\1(?:\d{{4}}|\d\d)|{NAME} \d{{1,2}}, \d{{4}}){CLOCK}", re.I
)
CLOCKS = ("", *(f"{a}{b}" for a in " T" for b in ("%H:%M", "%H:%M:%S", "%-H:%M", "%-H:%M:%S")))
CLOCKS += tuple(f" {h}:%M{s}{p}" for h in ("%I", "%-I") for s in ("", ":%S") for p in (" %p", "%p"))
BY_NAME = ("%d{0}%b{0}%Y", "%d{0}%B{0}%Y", "%d{0}%b{0}%y", "%b %d, %Y", "%B %d, %Y")


def is_day(text: str) -> bool:
    """Return whether a text looks like a date with the parts in some order."""
    return bool(NUMERIC.fullmatch(text) or NAMED.fullmatch(text))


def day_format(texts: Sequence[str]) -> tuple[str | None, str]:
    """Return the format that reads and reproduces ``texts``, or most of them, and a remark.

    Whether the day or the month comes first is told by a number above 12; else by one of them that
    is always 1, then the day; else the day comes first, but before AM and PM, and the remark says
    so.
    """
    fits = _fitting(texts)
    if not fits:
        return None, ""
    first = fits[0]
    if len(fits) == 1:
        return first, _evidence(texts, first)
    other = next((f for f in fits[1:] if _month_first(f) != _month_first(first)), None)
    if other is None:
        return first, ""
    parts = np.array([[int(p) for p in re.findall(r"\d+", text)[:2]] for text in texts])
    constant = (parts == 1).all(0)
    american = "%p" in first
    if constant[0] != constant[1]:
        taken = next(f for f in (first, other) if _month_first(f) == bool(constant[1]))
        return taken, "the number that is always 1 taken as the day"
    taken = next(f for f in (first, other) if _month_first(f) == american)
    rest = other if taken == first else first
    what = "month" if american else "day"
    return taken, f"no number above 12: {what} taken as first; if not, date:{rest}"


def _fitting(texts: Sequence[str]) -> list[str]:
    """Return the formats that reproduce every text; or the one that does most, if more than half.

    Formats are those that the first text can have.
    """
    best, most = "", len(texts) / 2
    fits = []
    for format_ in _formats(texts[0]):
        same = reproduced(texts, format_)
        if same.all():
            fits.append(format_)
        elif same.sum() > most:
            best, most = format_, float(same.sum())
    return fits or [best] * bool(best)


def reproduced(texts: Sequence[str], format_: str) -> np.ndarray:
    """Return which texts (n,) a format reads and writes as they are."""
    seconds, good = read_dates(texts, format_)
    written = write_dates(np.where(good, seconds, 0.0), format_)
    same = np.array(written, dtype=object) == np.array(texts, dtype=object)
    return np.asarray(good & same)


def _formats(text: str) -> Iterator[str]:
    clocks = [c for c in CLOCKS if (":" in c) == (":" in text) and c.count(":") == text.count(":")]
    if found := NUMERIC.fullmatch(text):
        mark, year_first, short = found[2], len(found[1]) == 4, len(found[4]) == 2
        orders = ("Ymd",) if year_first else ("dmy", "mdy") if short else ("dmY", "mdY")
        for order, pad, clock in product(orders, ("", "-"), clocks):
            parts = (f"%{pad if part in 'dm' else ''}{part}" for part in order)
            if not (short and pad and not year_first):
                yield mark.join(parts) + clock
    elif found := NAMED.fullmatch(text):
        for own, pad, clock in product(BY_NAME, ("%d", "%-d"), clocks):
            yield own.format(found[1] or " ").replace("%d", pad) + clock


def _month_first(format_: str) -> bool:
    return format_.replace("-", "").startswith("%m")


def _evidence(texts: Sequence[str], format_: str) -> str:
    if not format_.replace("-", "").startswith(("%d", "%m")) or "%b" in format_.lower():
        return ""
    place = 1 if _month_first(format_) else 0
    shown = next((t for t in texts if int(re.findall(r"\d+", t)[place]) > 12), "")
    return f"{'month' if place else 'day'} first, as in {shown}" if shown else ""
