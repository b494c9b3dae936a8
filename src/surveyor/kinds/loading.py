"""From a user's source to data ready for training: recognise, read, split and encode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.data import DEFAULT_OPTIONS, Codec, Data, Options, Source, delta_of
from surveyor.data.sources import resolve
from surveyor.errors import InputError, did_you_mean
from surveyor.kinds import Kind, every_kind, kinds
from surveyor.streams import Stream, generator
from surveyor.writing import unnameable

FIT_ROWS = 200_000
MINIMUM_ROWS = 10


def recognise(source: Any, options: Options = DEFAULT_OPTIONS) -> Kind:
    """Return the kind of ``source``; if the options have a task, the kind that has this task.

    Raises:
        InputError: there is no such file, or no kind reads it.
    """
    if isinstance(source, (str, Path)):
        path = Path(source)
        if problems := unnameable(path):
            raise InputError(*problems)
        if source == "" and options.task is None:
            raise InputError("data '': empty name; give a file or a folder")
        if not _exists(path):
            near = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
            hint = did_you_mean(path.name, near) if near and path.name else ""
            raise InputError(f"{source}: no such file{hint if 'did you mean' in hint else ''}")
    every = every_kind()
    if options.task is not None:
        return next(kind for kind in every if isinstance(options.task, tuple(kind.tasks.values())))
    if isinstance(source, (str, Path)):  # prefer kinds that list the suffix
        every.sort(key=lambda kind: not str(source).lower().endswith(kind.files.suffixes))
    for kind in every:
        if not kind.files.declines(options) and kind.files.recognises(source):
            return kind
    what = (
        str(source)
        if isinstance(source, (str, Path))
        else f"object of type {type(source).__name__}"
    )
    known = " ".join(sorted({s for kind in kinds().values() for s in kind.files.suffixes}))
    raise InputError(f"{what}: unknown kind of data; known: {known}, a folder of pictures")


def tables_in(folder: Path) -> list[Path]:
    """Return the files of tables in a folder, in the order of their names.

    Raises:
        InputError: there is none.
    """
    files = [kind.files for kind in kinds().values() if kind.files.tabular]
    suffixes = tuple(suffix for own in files for suffix in own.suffixes)
    found = sorted(
        path
        for path in folder.iterdir()
        if path.name.lower().endswith(suffixes) and not path.name.startswith(".") and path.is_file()
    )
    if not found:
        raise InputError(f"{folder}: no tables in this folder; known: {' '.join(suffixes)}")
    return found


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from error


def load(
    source: Any,
    options: Options,
    holdout: float = 0.2,
    seed: int = 0,
    codec: Codec | None = None,
) -> Data:
    """Read ``source``, hold out a part of it, and fit a codec to the rest unless one is given.

    Raises:
        InputError: every problem of the data, each with its remedy.
    """
    source = resolve(source)
    kind = recognise(source, options)
    return split_and_encode(kind, kind.files.read(source, options), options, holdout, seed, codec)


def split_and_encode(
    kind: Kind,
    raw: Any,
    options: Options,
    holdout: float = 0.2,
    seed: int = 0,
    codec: Codec | None = None,
) -> Data:
    """Split and encode data that the kind's ``files`` have read.

    The split depends on the seed and the number of rows alone.

    Raises:
        InputError: there are too few rows, or no codec can be fitted to them.
    """
    n = len(raw)
    if n < MINIMUM_ROWS:
        raise InputError(
            f"{n} row{'s' * (n != 1)}: too few to train on and hold some out; "
            f"give at least {MINIMUM_ROWS}"
        )
    train, validation, held_out = split_rows(n, holdout, seed)
    options = replace(options, delta=delta_of(options, len(train)))
    files = kind.files
    if codec is None:
        codec = files.fit(files.select(raw, np.sort(train[:FIT_ROWS])), options)
    if options.node is not None and codec.space.nodes is None:
        raise InputError("--node: only for tables; leave it out")
    rows = codec.rows(raw)
    first, second, third = (Source(codec, rows, index) for index in (train, validation, held_out))
    return Data(files, codec, first, second, third, raw)


def split_rows(n: int, holdout: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the training, validation and held-out rows of ``n``, in random order."""
    order = generator(seed, Stream.SPLIT).permutation(n)
    held = max(4, min(n // 2, round(holdout * n)))
    return order[held:], order[: held // 3], order[held // 3 : held]
