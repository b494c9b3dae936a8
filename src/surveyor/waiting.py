"""How PyTorch's threads wait for work, set in the environment while it loads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Threads that spin while waiting halve the speed of other programs, and threads that sleep at once
# halve their own speed; these spin for a few microseconds first.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "20000"}


@contextmanager
def wait_policy() -> Iterator[None]:
    """Set how threads wait while libraries load, then restore the environment."""
    ours = WAITING.keys() - os.environ.keys()
    os.environ.update({name: WAITING[name] for name in ours})
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
