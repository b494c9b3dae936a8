"""Interrupt signals: deferred to the end of a step, or turned into a message."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from surveyor.errors import Interrupted


@contextlib.contextmanager
def deferred_signals() -> Iterator[Any]:
    """Yield a function that returns whether Ctrl-C or SIGTERM has come.

    Either signal a second time raises KeyboardInterrupt at once. A launcher of several processes
    reacts to Ctrl-C, which reaches them all, by sending SIGTERM too.
    """
    received: list[int] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if number in received:
            raise KeyboardInterrupt
        received.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: bool(received)
        return
    before = {s: signal.signal(s, handle) for s in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(received)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def interruptible(message: Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM within the block into Interrupted with ``message()``.

    Raises:
        Interrupted: either signal came.
    """

    def handle(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, handle) if ours else None
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(message()) from error
    finally:
        if ours:
            signal.signal(signal.SIGTERM, before)
