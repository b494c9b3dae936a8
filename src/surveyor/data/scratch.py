"""Large arrays that live on disk without a name, so that nothing is left behind."""

from __future__ import annotations

import tempfile
from typing import Any

import numpy as np

IN_MEMORY = 512 * 2**20


def empty(shape: tuple[int, ...], dtype: Any, limit: int = IN_MEMORY) -> np.ndarray:
    """Return an uninitialised array; above ``limit`` bytes it is mapped from an unnamed file.

    The operating system then keeps in memory what is used and what fits, and frees the file when
    the process ends, however it ends.
    """
    size = int(np.prod(shape)) * np.dtype(dtype).itemsize
    if size <= limit:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="surveyor-") as file:
        return np.memmap(file, dtype=dtype, mode="w+", shape=shape)
