"""Data for a run that is trained: its own once more, or others, read as its own were."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from surveyor.arguments import words
from surveyor.data import USUAL, Data, Options, Source
from surveyor.data.sources import resolve
from surveyor.errors import InputError
from surveyor.kinds.loading import recognise
from surveyor.run.folder import Run, own_data
from surveyor.streams import Stream, generator


def trained_on(run: Run, data: Any = None) -> Data:
    """Return the data that ``run`` was trained on, from where they were or as they are given.

    Raises:
        InputError: other data, or none where they were in memory.
    """
    source = run.data_name if data is None else data
    if data is None and not source:
        raise InputError(f"{run.path}: was trained on data in memory; pass the same again")
    return own_data(run, source)


def other_data(run: Run, data: Any, options: Options = USUAL) -> Data:
    """Return ``data`` in two halves, which are both sides of a floor.

    ``options`` say which columns of a table are left out, and how its text is spelt.

    Raises:
        InputError: data that cannot be read, of another kind, or too few.
    """
    codec = run.codec.without(options.drop)
    raw = read_for(run, data, options)
    rows = codec.rows(raw)
    order = generator(0, Stream.HALVES).permutation(len(raw))
    half = len(raw) // 2
    if half < 3:
        raise InputError(f"{len(raw)} rows are too few to measure; give at least 6")
    other, held = Source(codec, rows, order[half:]), Source(codec, rows, order[:half])
    return Data(run.kind.files, codec, other, held, held, raw)


def read_for(run: Run, data: Any, options: Options = USUAL) -> Any:
    """Read ``data`` as ``run`` reads them; of a table one row may be a Series or a dictionary.

    Raises:
        InputError: data that cannot be read, or of another kind than those trained on.
    """
    source = resolve(run.kind.files.one_row(data))
    kind = recognise(source, run.options)
    if kind.name != run.kind.name:
        raise InputError(
            f"data of the kind {kind.name} where the run was trained on {run.kind.name}; give the "
            "same kind"
        )
    told = {name: getattr(options, name) for name in ("drop", "type", "missing")}
    return run.kind.files.reopen(source, run.codec, replace(run.options, **told))


def columns_read(drop: Any = (), type: Any = (), missing: Any = ()) -> Options:
    """Return how the columns of tables that are only measured are read.

    Raises:
        InputError: other things than texts.
    """
    drop, type = words("--drop", drop), words("--type", type)
    return Options(drop=drop, type=type, missing=words("--missing", missing), lenient=True)
