"""Arrays from files and memory: checked, and never unpickled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.data.archives import Header, headers, read_file
from surveyor.errors import InputError, notify

MAIN_NAMES = ("images", "x", "X", "data", "arr_0", "vectors")


@dataclass(frozen=True, eq=False)
class Arrays:
    """A main array (n, ...) and named columns of n entries that can serve as conditions.

    ``white`` is the highest value that pictures can have, found from all rows and kept by ``take``;
    ``depth`` is the value assumed for it in 16-bit files, which were reduced to 8 bits.
    """

    main: np.ndarray
    columns: Mapping[str, np.ndarray]
    main_name: str = "x"
    white: float | None = None
    depth: int | None = None

    def __len__(self) -> int:
        return len(self.main)

    def take(self, index: np.ndarray) -> Arrays:
        """Return the chosen rows."""
        columns = {name: values[index] for name, values in self.columns.items()}
        return replace(self, main=self.main[index], columns=columns)

    def joined(self, other: Arrays) -> Arrays:
        """Return the rows of both, with the columns that both have in one type.

        Raises:
            InputError: their shapes differ.
        """
        if self.main.shape[1:] != other.main.shape[1:]:
            raise InputError(f"shapes differ: {self.main.shape[1:]} and {other.main.shape[1:]}")
        columns = {
            name: np.concatenate([values, other.columns[name]])
            for name, values in self.columns.items()
            if name in other.columns and other.columns[name].dtype.kind == values.dtype.kind
        }
        return Arrays(np.concatenate([self.main, other.main]), columns, self.main_name)


def rank(source: Any) -> int | None:
    """Return the number of axes of the main array, or None where there is no array to read."""
    if isinstance(source, np.ndarray):
        return int(source.ndim)
    if isinstance(source, Arrays):
        return int(source.main.ndim)
    if (
        isinstance(source, Mapping)
        and source
        and all(isinstance(v, np.ndarray) for v in source.values())
    ):
        return int(source[_main(source)].ndim)
    if hasattr(source, "__array__") and hasattr(source, "ndim") and not hasattr(source, "columns"):
        return int(source.ndim)
    if isinstance(source, (str, Path)) and str(source).lower().endswith((".npy", ".npz")):
        found = headers(Path(source))
        return found[_main(found)].ndim if found else None
    return None


def read_arrays(source: Any) -> Arrays:
    """Read an array, a dictionary of arrays, ``.npy`` or ``.npz``.

    Further arrays of shape (n,) or (n, 1) become its columns; a notice lists all others.

    Raises:
        InputError: object arrays and pickles, text, NaN, infinite or masked entries, broken files.
    """
    if isinstance(source, Arrays):
        return source
    where, arrays = every_array(source)
    name = _main(arrays)
    main = arrays.pop(name)
    _check(main, f"{where}, {name!r}" if len(arrays) else where)
    columns = {
        k: v.reshape(-1) for k, v in arrays.items() if v.shape in ((len(main),), (len(main), 1))
    }
    if unused := [f"{k!r} {v.shape}" for k, v in arrays.items() if k not in columns]:
        notify(
            f"{where}: not used: {', '.join(unused)}; the data are {name!r} {main.shape}, whose "
            f"labels must have {len(main):,} entries"
        )
    objects = [k for k, v in columns.items() if v.dtype.kind not in "biufUSM"]
    if objects:
        raise InputError(
            f"{where}, {objects[0]!r}: dtype {columns[objects[0]].dtype} is not supported; "
            "convert it to numbers or text"
        )
    return Arrays(main, columns, name)


def every_array(source: Any) -> tuple[str, dict[str, np.ndarray]]:
    """Return the name of a source of arrays for messages, and its arrays by name.

    Raises:
        InputError: object arrays and pickles, broken files, no arrays.
    """
    if isinstance(source, (str, Path)):
        where, arrays = str(source), read_file(Path(source))
    elif isinstance(source, Mapping):
        where, arrays = "arrays", {str(k): _array(v, f"array {k!r}") for k, v in source.items()}
    else:
        where, arrays = "array", {"x": _array(source, "array")}
    if not arrays:
        raise InputError(f"{where}: holds no arrays")
    return where, arrays


def _main(arrays: Mapping[str, np.ndarray] | Mapping[str, Header]) -> str:
    for name in MAIN_NAMES:
        if name in arrays:
            return name
    return max(arrays, key=lambda name: (arrays[name].ndim, arrays[name].size))


def _array(values: Any, where: str) -> np.ndarray:
    """Return values in memory as a plain array."""
    if isinstance(values, np.ma.MaskedArray):
        masked = np.ma.getmaskarray(values)
        if masked.any():
            rows = np.flatnonzero(masked.reshape(len(masked) if masked.ndim else 1, -1).any(1))
            raise InputError(
                f"{where}: entries in {len(rows):,} row{'s' * (len(rows) != 1)} are masked, the "
                f"first is row {rows[0]}; remove or fill them"
            )
        values = values.data
    try:
        return np.asarray(values)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"{where}: not an array ({str(error).splitlines()[0]})") from error


def _check(array: np.ndarray, where: str) -> None:
    if array.dtype.kind == "O":
        raise InputError(f"{where}: an object array; give plain numbers")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: dtype {array.dtype} is not numeric; convert it to numbers")
    if array.ndim < 2 or array.size == 0:
        raise InputError(
            f"{where}: shape {array.shape}; give (rows, columns) for vectors or "
            "(n, height, width[, channels]) for pictures"
        )
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0][0])
        bad = int((~np.isfinite(array)).reshape(len(array), -1).any(1).sum())
        raise InputError(
            f"{where}: NaN or infinite entries in {bad:,} row{'s' * (bad != 1)}, the first is row "
            f"{row}; remove or fill them"
        )


def numeric_type(text: str) -> str:
    """Return the name of a numeric dtype unchanged.

    Raises:
        ValueError: ``text`` does not name one.
    """
    if np.dtype(text).kind not in "biuf":
        raise ValueError(f"{text!r} is not a numeric dtype")
    return text
