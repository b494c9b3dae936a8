"""Pictures of any size, or vectors, read as conditions to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from surveyor.data import DEFAULT_OPTIONS, Codec, Options
from surveyor.data.arrays import Arrays, every_array
from surveyor.errors import InputError
from surveyor.kinds import kind_of
from surveyor.kinds.images.answers.tasks import Task
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pictures import read_picture, suffixes
from surveyor.kinds.point import Point


def read_condition(codec: Codec, source: Any, options: Options = DEFAULT_OPTIONS) -> Tensor:
    """Return pictures or vectors as conditions; pictures may have any size.

    Of the ``options``, only ``task``, ``size`` and ``white`` apply.

    Raises:
        InputError: the data are neither, or differ in range or mode from those trained on.
    """
    assert isinstance(codec.condition, Point)
    own = codec.condition.codec
    task = options.task
    if isinstance(task, Task):
        options = replace(options, task=None, size=options.size if task.size_applies else None)
    named = task.given_name if isinstance(task, Task) else None
    source = _of_archive(source, (named, getattr(own, "main", None)))
    if not isinstance(own, ImageCodec):
        rows = own.rows(kind_of(own).files.read(source))
        return own.points(rows, np.arange(len(rows["x"])))
    arrays = _pictures(source, options)
    if own.channels == 3 and arrays.main.ndim == 3:
        main = np.repeat(arrays.main[..., None], 3, axis=3)
        arrays = Arrays(main, {}, arrays.main_name)
    any_size = replace(own, size=arrays.main.shape[1:])
    if any_size.channels != own.channels:
        raise InputError(
            "pictures in colour, but the run was trained on grey ones; convert them to grey"
        )
    return any_size.points(any_size.rows(arrays), np.arange(len(arrays)))


def _of_archive(source: Any, names: Sequence[str | None]) -> Any:
    """Return the first of the named arrays in a mapping or ``.npz``; else the source itself."""
    archive = isinstance(source, (str, Path)) and str(source).lower().endswith(".npz")
    if isinstance(source, (str, Path)) and not Path(source).exists():
        raise InputError(f"{source}: no such file")
    if archive or isinstance(source, Mapping):
        _, arrays = every_array(source)
        return next((arrays[name] for name in names if name in arrays), source)
    return source


def _pictures(source: Any, options: Options) -> Arrays:
    """Return the pictures of one file or many."""
    if isinstance(source, (str, Path)) and Path(source).suffix.lower() in suffixes():
        return read_picture(Path(source), options.white)
    try:
        return Images().read(source, options)
    except InputError as error:
        several = "; resize them with --size"
        remedy = "; answer one size at a time, or write all answers to a folder with -o FOLDER"
        raise InputError(
            *(p.partition(several)[0] + remedy if several in p else p for p in error.problems)
        ) from error
