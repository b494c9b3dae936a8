"""How PyTorch's threads wait for work, which is read from the environment when it is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

# Waiting threads that spin halve the speed of whatever else runs, and threads that sleep at once
# halve their own; these spin for some microseconds first.
WAITING = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "20000"}


@contextmanager
def waiting() -> Iterator[None]:
    """Say how threads wait while libraries load; the caller's other programs wait as they like."""
    ours = WAITING.keys() - os.environ.keys()
    os.environ.update({name: WAITING[name] for name in ours})
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)
