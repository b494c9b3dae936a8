"""Signals that wait until a step is whole."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any


@contextlib.contextmanager
def deferred_signals() -> Iterator[Any]:
    """Remember Ctrl-C and SIGTERM until asked; a second of the same acts at once.

    A launcher of several processes answers Ctrl-C, which they all hear, with SIGTERM.
    """
    heard: list[int] = []

    def hear(number: int, frame: FrameType | None) -> None:
        if number in heard:
            raise KeyboardInterrupt
        heard.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: bool(heard)
        return
    before = {s: signal.signal(s, hear) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(heard)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
