"""Pictures read and checked: their shape, their range, their value of white."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.data import DEFAULT_OPTIONS, Options
from surveyor.data.arrays import Arrays, read_arrays
from surveyor.errors import InputError, notify
from surveyor.kinds.images.pictures import guessed_white, read_folder, resized
from surveyor.kinds.images.sheets import white_of


def read_pictures(source: Any, options: Options = DEFAULT_OPTIONS) -> Arrays:
    """Read and check the pictures; with a ``size``, resize them to size x size."""
    size, white = options.size, options.white
    where = f"{source}: " if isinstance(source, (str, Path)) else ""
    folder = isinstance(source, (str, Path)) and Path(source).is_dir()
    arrays = read_folder(Path(source), size, white) if folder else read_arrays(source)
    if arrays.main.ndim == 4 and arrays.main.shape[3] == 1:
        arrays = replace(arrays, main=arrays.main[..., 0])
    shape = arrays.main.shape
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3) or min(shape[1:3]) < 4:
        raise InputError(
            f"{where}pictures of shape {shape}: give (n, height, width) or "
            "(n, height, width, 3), at least 4 pixels a side"
        )
    if arrays.main.dtype.kind in "if" and arrays.main.min() < 0:
        raise InputError(f"{where}pictures with values below 0; give 0 to 255, or 0 to 1")
    if size is not None and arrays.main.shape[1:3] != (size, size):
        if arrays.main.dtype != np.uint8:
            raise InputError(
                f"--size {size}: only for 8-bit pictures; these are {arrays.main.dtype}"
            )
        arrays = replace(arrays, main=resized(arrays.main, size))
    return replace(arrays, white=_white(arrays, white))


def _white(arrays: Arrays, white: int | None) -> float:
    """Return the value of white: ``white`` for arrays of more than 8 bits, or a guess."""
    if arrays.white is not None:
        return arrays.white
    if white is None or arrays.main.dtype == np.uint8:
        if white is not None and arrays.depth is None:
            notify("--white: ignored; these pictures have 8 bits, and white is 255")
        highest = arrays.main.max()
        if arrays.main.dtype == np.uint16 and highest > 255:
            return float(guessed_white(int(highest), f"array {arrays.main_name!r}"))
        return white_of(arrays.main)
    if (highest := arrays.main.max()) > white:
        raise InputError(f"--white {white}: pictures with values up to {highest:g}; raise --white")
    return float(white)
