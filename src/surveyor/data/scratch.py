"""Large arrays in unnamed files on disk, so that nothing is left behind."""

from __future__ import annotations

import math
import os
import tempfile
from typing import Any

import numpy as np

from surveyor.data.bounds import format_bytes
from surveyor.errors import InputError

IN_MEMORY = 512 * 2**20


def empty(shape: tuple[int, ...], dtype: Any, limit: int = IN_MEMORY) -> np.ndarray:
    """Return an uninitialised array; above ``limit`` bytes it is mapped from an unnamed file.

    The operating system then keeps in memory what is used and what fits, and frees the file when
    the process ends, however it ends.

    Raises:
        InputError: the disk has no room for it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size <= limit:
        return np.empty(shape, dtype)
    with tempfile.TemporaryFile(prefix="surveyor-") as file:
        _reserve(file.fileno(), size)
        return np.memmap(file, dtype=dtype, mode="w+", shape=shape)


def _reserve(file: int, size: int) -> None:
    """Reserve space on disk: writing to a mapped file without any kills the process."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        raise InputError(
            f"{tempfile.gettempdir()}: no space for an array of {format_bytes(size)} "
            f"({error.strerror}); free some, or set TMPDIR to another folder"
        ) from error
