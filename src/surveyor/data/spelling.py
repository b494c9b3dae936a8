"""How dates are spelt as text, such that writing them gives the same text again.

A date is spelt by a ``strftime`` format in which ``%3f`` stands for three digits of a second's
fraction, ``%?f`` for microseconds if there are any, and an offset at the end for its time zone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone

import numpy as np

from surveyor.data.numerals import Read

ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:([T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?)?"
)
OFFSET = re.compile(r"(?:Z|[+-]\d\d:?\d\d)$")
MICRO = 1_000_000
EPOCH = datetime(1970, 1, 1)


def date_format(texts: Sequence[str]) -> tuple[str | None, str]:
    """Return the ISO format that reproduces every date of ``texts``, and "".

    If none does, return None and a text that is changed.
    """
    found = ISO.fullmatch(texts[0])
    if found is None:
        return None, texts[0]
    sep, hour, second, fraction, zone = (found[k] for k in (4, 5, 7, 8, 9))
    day = "%Y-%m-%d"
    if hour is None:
        formats = [day]
    else:
        clock = f"{day}{sep}%H:%M"
        seconds = [f"{clock}:%S.%{len(fraction)}f"] if fraction else []
        seconds += [f"{clock}:%S", f"{clock}:%S%?f"] if second is not None else [clock]
        formats = [f + (zone or "") for f in seconds]
    changed = texts[0]
    for format_ in formats:
        values, good = read_dates(texts, format_)
        written = write_dates(np.where(good, values, 0), format_)
        same = good & (np.array(written, dtype=object) == np.array(texts, dtype=object))
        if same.all():
            return format_, ""
        changed = texts[int(np.argmin(same))]
    return None, changed


def read_dates(texts: Sequence[str], format_: str = "") -> Read:
    """Return seconds since 1970 in UTC (n,), and which texts are dates.

    Text without an offset is taken as UTC. Without a ``format_``, or with one that begins like ISO
    8601, texts are read as ISO 8601; otherwise as ``strptime`` reads them.
    """
    values = np.full(len(texts), np.nan)
    good = np.zeros(len(texts), dtype=bool)
    read = _read_iso if format_.startswith("%Y-%m-%d") or not format_ else _reader(format_)
    for k, text in enumerate(texts):
        seconds = read(text)
        if seconds is not None:
            values[k], good[k] = seconds, True
    return values, good


def _read_iso(text: str) -> float | None:
    found = ISO.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(found[k] or 0) for k in (1, 2, 3, 5, 6, 7))
    try:
        # A leap second becomes the first of the next minute.
        whole = datetime(year, month, day, hour, minute) + timedelta(seconds=second)
    except (ValueError, OverflowError):
        return None
    if second > 60:
        return None
    micro = int((found[8] or "0").ljust(6, "0")[:6])
    since = whole - EPOCH
    return since.days * 86_400 + since.seconds - offset_seconds(found[9]) + micro / MICRO


def offset_seconds(zone: str | None) -> int:
    """Return by how many seconds an offset such as ``+02:00`` is ahead of UTC."""
    if zone in (None, "", "Z"):
        return 0
    assert zone is not None
    sign, digits = -1 if zone[0] == "-" else 1, zone[1:].replace(":", "")
    return sign * (3600 * int(digits[:2]) + 60 * int(digits[2:]))


def _reader(format_: str) -> Callable[[str], float | None]:
    plain = format_.replace("%-", "%")

    def read(text: str) -> float | None:
        try:
            at = datetime.strptime(text.strip(), plain)
        except ValueError:
            return None
        if at.tzinfo is not None:
            at = at.astimezone(timezone.utc).replace(tzinfo=None)  # noqa: UP017
        since = at - EPOCH
        return since.days * 86_400 + since.seconds + since.microseconds / MICRO

    return read


def write_dates(seconds: np.ndarray, format_: str) -> list[str]:
    """Return dates (n,), seconds since 1970 in UTC, as ``format_`` spells them."""
    zone = OFFSET.search(format_)
    shift = offset_seconds(zone[0]) if zone is not None else 0
    written = []
    for value in seconds:
        micros = round((float(value) + shift) * MICRO)
        at = EPOCH + timedelta(microseconds=micros)
        text = format_.replace("%Y", f"{at.year:04d}")
        if "%-" in text:
            plain = {"d": at.day, "m": at.month, "H": at.hour, "I": at.hour % 12 or 12}
            for part, own in plain.items():
                text = text.replace(f"%-{part}", str(own))
        text = text.replace("%?f", f".{at.microsecond:06d}" if at.microsecond else "")
        text = re.sub(r"%(\d)f", lambda m: f"{at.microsecond * 1000:09d}"[: int(m[1])], text)  # noqa: B023
        written.append(at.strftime(text))
    return written
