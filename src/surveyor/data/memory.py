"""Data in memory, converted to the DataFrames and arrays that kinds of data read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from surveyor.data.scratch import empty
from surveyor.errors import InputError, notify

TABLE = "pandas.DataFrame(data) for rows of named columns"
ARRAY = "numpy.array(data) for vectors or pictures"


def as_frame_or_arrays(source: Any) -> Any:
    """Return data in memory as a DataFrame or arrays; paths and other sources unchanged.

    Tensors and sequences of text become arrays, and the levels of a DataFrame's column names are
    joined.

    Raises:
        InputError: not data; the message says what to give instead.
    """
    if isinstance(source, (str, Path)):
        if "\0" in str(source):
            raise InputError(f"{str(source)!r}: not a valid file or folder name")
        return source
    if isinstance(source, os.PathLike):
        return Path(os.fspath(source))
    if isinstance(source, torch.Tensor):
        return _array(source)
    if isinstance(source, pd.DataFrame):
        return _flat(source)
    if isinstance(source, (list, tuple, pd.Series)) and len(source) and all(map(_text, source)):
        return np.array(source, dtype=object)
    if isinstance(source, Mapping):
        return _mapping(source)
    framed = isinstance(source, pd.Series) or hasattr(source, "columns")
    if hasattr(source, "__array__") and hasattr(source, "ndim") and not framed:
        return _other(source)
    if isinstance(source, (list, tuple)) and len(source) and all(hasattr(g, "adj") for g in source):
        return source  # graphs of networkx
    remedy = _remedy(source)
    if remedy:
        raise InputError(f"data of type {type(source).__name__}: {remedy}")
    return source


def one_row(source: Any) -> Any:
    """Return a row in memory, a Series or a dictionary of single values, as a table of one row."""
    if isinstance(source, pd.Series):
        return pd.DataFrame([source.to_list()], columns=source.index).infer_objects()
    if isinstance(source, Mapping) and source and all(map(_single, source.values())):
        return pd.DataFrame([dict(source)])
    return source


def copy_arrays(source: Any) -> Any:
    """Return copies of arrays in memory, which the caller's later changes do not affect."""
    if isinstance(source, np.ndarray) and not isinstance(source, np.memmap):
        if isinstance(source, np.ma.MaskedArray) or source.dtype.hasobject:
            return source.copy()
        copy = empty(source.shape, source.dtype)
        copy[...] = source
        return copy
    if isinstance(source, Mapping):
        return {name: copy_arrays(values) for name, values in source.items()}
    return source


def _array(tensor: torch.Tensor) -> np.ndarray:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise InputError(
            f"a tensor of layout {str(tensor.layout).removeprefix('torch.')} on {tensor.device}: "
            "give a dense one, such as data.to_dense()"
        )
    values = tensor.detach().cpu().resolve_conj().resolve_neg()
    if values.dtype == torch.bfloat16 or "float8" in str(values.dtype):
        values = values.float()  # NumPy has no such numbers; these hold the same values
    try:
        return np.asarray(values.numpy())
    except (TypeError, RuntimeError) as error:
        raise InputError(
            f"a tensor of {str(tensor.dtype).removeprefix('torch.')}: give data.float()"
        ) from error


def _other(source: Any) -> np.ndarray:
    if isinstance(source, np.ndarray) and not isinstance(source, np.matrix):
        return source
    try:
        return np.asarray(source)
    except Exception as error:  # whatever another library's arrays may raise
        raise InputError(
            f"data of type {type(source).__name__}: not an array of numbers ({error}); give {ARRAY}"
        ) from error


def _mapping(source: Mapping[Any, Any]) -> dict[str, Any]:
    if not source:
        raise InputError("an empty dictionary: give arrays by name")
    wrong = [name for name in source if not isinstance(name, str)]
    if wrong:
        raise InputError(f"a dictionary with the key {wrong[0]!r}: name arrays by strings")
    arrays = {name: _member(name, values) for name, values in source.items()}
    if all(values.ndim <= 1 for values in arrays.values()):
        raise InputError(f"a dictionary of columns: give {TABLE}")
    return arrays


def _member(name: str, values: Any) -> np.ndarray:
    if isinstance(values, torch.Tensor):
        return _array(values)
    if isinstance(values, (list, tuple)) or (
        hasattr(values, "__array__") and not hasattr(values, "columns")
    ):
        made = _other(values)
        # pandas gives its texts as objects.
        texts = made.dtype == object and all(isinstance(value, str) for value in made.flat)
        return made.astype(str) if texts else made
    raise InputError(
        f"a dictionary in which {name!r} is of type {type(values).__name__}: give arrays by name, "
        f"or {TABLE}"
    )


def _flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose column names have one level."""
    if not isinstance(frame.columns, pd.MultiIndex):
        return frame
    names = ["_".join(str(level) for level in name if str(level)) for name in frame.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"DataFrame: column names of {frame.columns.nlevels} levels, two of which would become "
            f"{twice[0]!r}; rename them with frame.columns = [...]"
        )
    if names:
        notify(
            f"DataFrame: the {frame.columns.nlevels} levels of column names are joined, as in "
            f"{names[-1]!r}"
        )
    return frame.set_axis(pd.Index(names, dtype=object), axis=1)


def _remedy(source: Any) -> str:
    """Return what to give instead of data of an unsupported type; "" if unknown."""
    if isinstance(source, pd.Series):
        return "one column or row; give a table, such as data.to_frame()"
    for method in ("to_pandas", "toarray"):
        if hasattr(source, method):
            return f"give data.{method}()"
    if hasattr(source, "read") and hasattr(source, "close"):
        return "an open file; give its path"
    if isinstance(source, (set, frozenset)):
        return "has no order; give a table or an array"
    if isinstance(source, (list, tuple, range, Iterator)):
        return f"give {TABLE}, or {ARRAY}"
    if source is None or isinstance(source, (bool, int, float, complex, bytes, type)):
        return "not data; give a table, an array, a dictionary of arrays, or a file name"
    return ""


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _single(value: Any) -> bool:
    return value is None or isinstance(value, str) or np.ndim(value) == 0
