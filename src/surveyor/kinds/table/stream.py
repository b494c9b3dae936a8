"""Tables written part by part: CSV, Parquet and Arrow files of any length."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from surveyor.kinds.table.arrow import table_of


def write_parts(parts: Iterable[pd.DataFrame], path: Path) -> None:
    """Write tables of the same columns one below the other, in the format of the suffix.

    Only one of ``parts`` is in memory at a time, except for an Arrow file of encoded categories,
    which has one dictionary for all.
    """
    name = path.name.lower()
    if name.endswith((".csv", ".csv.gz")):
        with _text(path, name.endswith(".gz")) as file:
            for k, part in enumerate(parts):
                part.to_csv(file, index=False, header=k == 0)
        return
    parquet, iterator = name.endswith(".parquet"), iter(parts)
    first = table_of(next(iterator))
    if not parquet and any(pa.types.is_dictionary(field.type) for field in first.schema):
        rest = [table_of(part).cast(first.schema) for part in iterator]
        first, iterator = pa.concat_tables([first, *rest]).unify_dictionaries(), iter(())
    with _writer(path, first.schema, parquet) as writer:
        writer.write_table(first)
        for part in iterator:
            writer.write_table(table_of(part).cast(first.schema))


@contextmanager
def _text(path: Path, zipped: bool) -> Iterator[Any]:
    """Open a file of text; a compressed one keeps neither its name nor the time."""
    with path.open("wb") as raw:
        inner: Any = gzip.GzipFile("", "wb", fileobj=raw, mtime=0) if zipped else raw
        with io.TextIOWrapper(inner, encoding="utf-8", newline="") as file:
            yield file


@contextmanager
def _writer(path: Path, schema: pa.Schema, parquet: bool) -> Iterator[Any]:
    if parquet:
        with pq.ParquetWriter(path, schema) as writer:
            yield writer
        return
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        yield writer
