"""Dates as users write them in selections: a year, a month, a day, or a moment."""

from __future__ import annotations

import datetime
import re
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pandas as pd

from surveyor.data.spelling import offset_seconds

PERIOD = re.compile(
    r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?)?"
    r"(Z|[+-]\d\d:?\d\d)?"
)
LAST = 1e-6  # a moment is a microsecond long


def period(text: str, zone: str = "") -> tuple[float, float]:
    """Return the first and the last moment of ``text``, in seconds since 1970 in UTC.

    ``2020`` is a year, ``2020-02`` a month, ``2020-02-01`` a day, ``2020-02-01 10:30`` a minute.
    Without an offset of its own it is read in ``zone``.

    Raises:
        ValueError: not a date in this form.
    """
    found = PERIOD.fullmatch(text.strip())
    if found is None or (found[4] and not found[3]) or (found[3] and not found[2]):
        raise ValueError(f"{text!r} is not a date")
    year, month, day, hour, minute, second = (
        int(found[k]) if found[k] else None for k in range(1, 7)
    )
    assert year is not None
    start = datetime.datetime(year, month or 1, day or 1, hour or 0, minute or 0, second or 0)
    if month is None:
        end = start.replace(year=year + 1)
    elif day is None:
        end = (start + datetime.timedelta(days=32)).replace(day=1)
    elif hour is None:
        end = start + datetime.timedelta(days=1)
    elif second is None:
        end = start + datetime.timedelta(minutes=1)
    elif found[7] is None:
        end = start + datetime.timedelta(seconds=1)
    else:
        start += datetime.timedelta(microseconds=int(found[7].ljust(6, "0")))
        end = start + datetime.timedelta(microseconds=1)
    low, high = (_utc(at, found[8], zone) for at in (start, end))
    return low, high - LAST


def _utc(at: datetime.datetime, offset: str | None, zone: str) -> float:
    local = at - datetime.datetime(1970, 1, 1)
    seconds = local.days * 86_400 + local.seconds + local.microseconds / 1e6
    if offset:
        return seconds - offset_seconds(offset)
    if fixed := re.fullmatch(r"UTC([+-]\d\d:?\d\d)", zone):
        return seconds - offset_seconds(fixed[1])
    if zone in ("", "UTC"):
        return seconds
    try:
        ahead = at.replace(tzinfo=ZoneInfo(zone)).utcoffset()
    except (ZoneInfoNotFoundError, ValueError):
        return seconds
    return seconds - (ahead.total_seconds() if ahead else 0.0)


def moment(value: object, zone: str = "") -> tuple[float, float]:
    """Return the first and last moment of a date object, as ``period`` does of text.

    Raises:
        ValueError: not a date.
    """
    if isinstance(value, str):
        return period(value, zone)
    if isinstance(value, datetime.date) and not isinstance(value, datetime.datetime):
        return period(value.isoformat(), zone)
    if not isinstance(value, (datetime.datetime, np.datetime64)):
        raise ValueError(f"{value!r} is not a date")
    stamp = pd.Timestamp(value)
    if stamp.tzinfo is None:
        at = _utc(stamp.to_pydatetime(warn=False), None, zone)
    else:
        at = stamp.timestamp()
    return at, at
