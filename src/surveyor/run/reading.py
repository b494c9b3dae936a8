"""Data for a trained run: its own again, or other data read in the same way."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from surveyor.data import DEFAULT_OPTIONS, Data, Options, Source
from surveyor.data.sources import resolve
from surveyor.errors import InputError
from surveyor.kinds.loading import recognise
from surveyor.run.folder import Run, own_data
from surveyor.streams import Stream, generator


def trained_on(run: Run, data: Any = None) -> Data:
    """Return the data that ``run`` was trained on, from their original place or from ``data``.

    Raises:
        InputError: the data are different, or were in memory and are not given.
    """
    source = run.data_name if data is None else data
    if data is None and not source:
        raise InputError(f"{run.path}: was trained on data in memory; pass the same data again")
    return own_data(run, source)


def other_data(run: Run, data: Any, options: Options = DEFAULT_OPTIONS) -> Data:
    """Return ``data`` split into two halves, between which floors are measured.

    ``options`` set the columns of a table to leave out, and the spelling of its text.

    Raises:
        InputError: the data cannot be read, are of another kind, or are too few.
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


def read_for(run: Run, data: Any, options: Options = DEFAULT_OPTIONS) -> Any:
    """Read ``data`` as ``run`` reads them; one row of a table may be a Series or a dictionary.

    Raises:
        InputError: the data cannot be read, or are of another kind than the training data.
    """
    source = resolve(run.kind.files.one_row(data))
    kind = recognise(source, run.options)
    if kind.name != run.kind.name:
        raise InputError(
            f"the data are {kind.name}, but the run was trained on {run.kind.name}; give the same "
            "kind"
        )
    columns = {name: getattr(options, name) for name in ("drop", "type", "missing")}
    read = replace(run.options, lenient=False, **columns)  # no row may be lost unseen
    return run.kind.files.reopen(source, run.codec, read)
