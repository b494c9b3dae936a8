"""Arrays from files and memory: checked, and never unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.errors import InputError

MAIN_NAMES = ("images", "x", "X", "data", "arr_0", "vectors")


@dataclass(frozen=True, eq=False)
class Arrays:
    """A main array (n, ...) and named columns of n entries that can serve as conditions.

    ``white`` is the highest value that pictures may have, of all rows and not of those taken.
    """

    main: np.ndarray
    columns: Mapping[str, np.ndarray]
    main_name: str = "x"
    white: float | None = None

    def __len__(self) -> int:
        return len(self.main)

    def take(self, index: np.ndarray) -> Arrays:
        """Return the chosen rows."""
        columns = {name: values[index] for name, values in self.columns.items()}
        return Arrays(self.main[index], columns, self.main_name, self.white)

    def joined(self, other: Arrays) -> Arrays:
        """Return the main arrays of both, without columns.

        Raises:
            InputError: their shapes differ.
        """
        if self.main.shape[1:] != other.main.shape[1:]:
            raise InputError(f"shapes differ: {self.main.shape[1:]} and {other.main.shape[1:]}")
        return Arrays(np.concatenate([self.main, other.main]), {}, self.main_name)


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
        return int(read_arrays(source).main.ndim)
    return None


def read_arrays(source: Any) -> Arrays:
    """Read an array, a dictionary of arrays, ``.npy`` or ``.npz``.

    Raises:
        InputError: object arrays and pickles, text, NaN or infinite entries, broken files.
    """
    if isinstance(source, Arrays):
        return source
    where, arrays = every_array(source)
    name = _main(arrays)
    main = arrays.pop(name)
    _check(main, f"{where}, {name!r}" if len(arrays) else where)
    columns = {k: v for k, v in arrays.items() if v.ndim == 1 and len(v) == len(main)}
    objects = [k for k, v in columns.items() if v.dtype.kind not in "biufUSM"]
    if objects:
        raise InputError(
            f"{where}, {objects[0]!r}: dtype {columns[objects[0]].dtype} is not supported"
        )
    return Arrays(main, columns, name)


def every_array(source: Any) -> tuple[str, dict[str, np.ndarray]]:
    """Return the name of a source of arrays for messages, and its arrays by name.

    Raises:
        InputError: object arrays and pickles, broken files, no arrays.
    """
    if isinstance(source, (str, Path)):
        where, arrays = str(source), _from_file(Path(source))
    elif isinstance(source, Mapping):
        where, arrays = "arrays", {str(k): np.asarray(v) for k, v in source.items()}
    else:
        where, arrays = "array", {"x": np.asarray(source)}
    if not arrays:
        raise InputError(f"{where}: holds no arrays")
    return where, arrays


def _main(arrays: Mapping[str, np.ndarray]) -> str:
    for name in MAIN_NAMES:
        if name in arrays:
            return name
    return max(arrays, key=lambda name: (np.ndim(arrays[name]), np.size(arrays[name])))


def _from_file(path: Path) -> dict[str, np.ndarray]:
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file")
    with path.open("rb") as file:
        if not file.read(6).startswith((b"PK", b"\x93NUMPY")):
            raise InputError(f"{path}: not a readable array file (neither .npy nor .npz inside)")
    try:
        loaded = np.load(path, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return {"x": loaded}
        with loaded:
            return {name: loaded[name] for name in loaded.files}
    except ValueError as error:
        if "allow_pickle" in str(error) or "pickle" in str(error).lower():
            raise InputError(
                f"{path}: holds Python objects, which are never loaded; save plain numeric arrays"
            ) from error
        raise InputError(f"{path}: not a readable array file ({error})") from error
    except (OSError, EOFError, zipfile.BadZipFile, KeyError) as error:
        raise InputError(f"{path}: not a readable array file ({error})") from error


def _check(array: np.ndarray, where: str) -> None:
    if array.dtype.kind == "O":
        raise InputError(f"{where}: an object array; give plain numbers")
    if array.dtype.kind not in "biuf":
        raise InputError(f"{where}: dtype {array.dtype} where numbers belong; convert it first")
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
