"""Checks that data fit into memory, before any of it is allocated."""

from __future__ import annotations

import contextlib
import math
import os
import sys
from pathlib import Path

from surveyor.errors import InputError, notify

LARGEST_RATIO = 200  # of the unpacked to the packed size of a plausible archive
HARMLESS = 2**30  # bytes up to which any ratio is accepted
LARGE = 2**30  # bytes above which the use of memory is announced
CONTROL = (  # control groups, whose memory is limited: the limit, and the use
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    (
        "/sys/fs/cgroup/memory/memory.limit_in_bytes",
        "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    ),
)


UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def available() -> int:
    """Return the bytes that this process can still allocate; ``sys.maxsize`` if unknown."""
    found = [sys.maxsize, _physical(), _address_space()]
    for limit, used in CONTROL:
        with contextlib.suppress(OSError, ValueError):
            found.append(int(Path(limit).read_text()) - int(Path(used).read_text()))
    return max(0, min(found))


def _physical() -> int:
    with contextlib.suppress(OSError, ValueError, KeyError):
        lines = Path("/proc/meminfo").read_text().splitlines()
        return int(dict(line.split(":") for line in lines)["MemAvailable"].split()[0]) * 1024
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return sys.maxsize


def _address_space() -> int:
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource  # not on every system

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        if limit != resource.RLIM_INFINITY:
            pages = int(Path("/proc/self/statm").read_text().split()[0])
            return limit - pages * resource.getpagesize()
    return sys.maxsize


def format_bytes(count: float) -> str:
    """Return a number of bytes as text, such as ``4.9 GB``."""
    power = min(len(UNITS) - 1, int(math.log10(max(count, 1)) // 3))
    number = count / 1000**power
    return f"{number:.3g} {UNITS[power]}" if number < 1000 else f"{number:,.0f} {UNITS[power]}"


def refuse_beyond_memory(needed: int, what: str, remedy: str) -> None:
    """Raise InputError if ``needed`` bytes are not free.

    ``what`` begins the sentence and says where the number comes from.
    """
    if needed > (free := available()):
        raise InputError(
            f"{what} {format_bytes(needed)} of memory, but only {format_bytes(free)} are free; "
            f"{remedy}"
        )


def check_memory(needed: int, what: str, remedy: str) -> None:
    """Refuse what does not fit into memory, with a notice of what takes much of it."""
    refuse_beyond_memory(needed, what, remedy)
    if needed > LARGE:
        notify(f"{what} {format_bytes(needed)} of memory")


def refuse_bomb(unpacked: int, path: Path, remedy: str) -> None:
    """Raise InputError if a compressed file is implausibly small for what it unpacks to."""
    packed = path.stat().st_size
    if unpacked > max(HARMLESS, LARGEST_RATIO * packed):
        raise InputError(
            f"{path}: {format_bytes(packed)} would unpack to {format_bytes(unpacked)}; {remedy}"
        )
