"""Signals that wait until a step is whole, or end in a message."""

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


@contextlib.contextmanager
def interruptible(told: Callable[[], str]) -> Iterator[None]:
    """Turn Ctrl-C and SIGTERM within the block into Interrupted, whose message is then ``told``.

    Raises:
        Interrupted: one of them came.
    """

    def hear(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    ours = threading.current_thread() is threading.main_thread()
    before = signal.signal(signal.SIGTERM, hear) if ours else None
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(told()) from error
    finally:
        if ours:
            signal.signal(signal.SIGTERM, before)
