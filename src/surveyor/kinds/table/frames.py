"""A table as chunks of rows: in memory, or on disk and read in parts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from surveyor.data.values import Form, form_of
from surveyor.errors import InputError
from surveyor.kinds.table import arrow
from surveyor.kinds.table.csv import read_csv
from surveyor.kinds.table.surrogates import Surrogate

AT_ONCE = 65_536


class Frame(ABC):
    """A table whose rows come in chunks.

    ``where`` names the table in messages. It is ``untyped`` if it is a file of text, whose columns
    have no types. ``declared`` are the forms of columns that have a type of Arrow; ``forms`` are
    those of all columns, once inferred. ``formulas`` are the expanded columns of formulas, with
    the number of places of each. ``surrogates`` are columns of keys, which are left out.
    """

    names: list[str]
    where: str = "DataFrame"
    untyped: bool = False
    declared: Mapping[str, Form] = {}
    forms: Mapping[str, Form] = {}
    formulas: Mapping[str, int] = {}
    surrogates: Sequence[Surrogate] = ()

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, a DataFrame at a time."""

    def locate(self, row: int) -> str:
        """Return where row ``row``, counted from 0, is in the user's table, in words."""
        return f"{self.where}, line {row + 2}" if self.untyped else f"row {row}"

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return the name, type, example and remark of every column."""
        return []

    def take(self, index: np.ndarray) -> pd.DataFrame:
        """Return the rows at ascending ``index``."""
        parts, start = [], 0
        for chunk in self.chunks():
            ends = np.searchsorted(index, [start, start + len(chunk)])
            inside = index[ends[0] : ends[1]] - start
            if len(inside):
                parts.append(chunk.iloc[inside])
            start += len(chunk)
        return pd.concat(parts, ignore_index=True)


@dataclass(frozen=True, eq=False)
class Over(Frame):
    """A table read from a ``plain`` one, row by row."""

    plain: Frame

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the table in messages."""
        return self.plain.where

    @property
    def untyped(self) -> bool:  # type: ignore[override]
        """Return whether the table is a file of text."""
        return self.plain.untyped

    def __len__(self) -> int:
        return len(self.plain)

    def locate(self, row: int) -> str:
        """Return where a row is in the user's table, in words."""
        return self.plain.locate(row)


@dataclass(frozen=True, eq=False)
class InMemory(Frame):
    """A DataFrame."""

    frame: pd.DataFrame
    where: str = "DataFrame"
    untyped: bool = False
    declared: Mapping[str, Form] = field(default_factory=dict)
    forms: Mapping[str, Form] = field(default_factory=dict)
    formulas: Mapping[str, int] = field(default_factory=dict)
    surrogates: Sequence[Surrogate] = ()

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return list(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the table as one chunk."""
        yield self.frame


@dataclass(frozen=True, eq=False)
class OnDisk(Frame):
    """A Parquet file, of which at most ``AT_ONCE`` rows are in memory at a time."""

    path: Path
    declared: Mapping[str, Form] = field(default_factory=dict)

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the file."""
        return str(self.path)

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        with pq.ParquetFile(self.path) as file:
            return [str(name) for name in file.schema_arrow.names]

    def __len__(self) -> int:
        with pq.ParquetFile(self.path) as file:
            return int(file.metadata.num_rows)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, in batches, since a row group may not fit in memory."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield arrow.to_pandas(pa.Table.from_batches([batch]))


@dataclass(frozen=True, eq=False)
class Stacked(Frame):
    """The rows of several tables with the same columns, one table after another."""

    parts: Sequence[Frame]

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return self.parts[0].names

    @property
    def untyped(self) -> bool:  # type: ignore[override]
        """Return whether all parts are files of text."""
        return all(part.untyped for part in self.parts)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        for part in self.parts:
            for chunk in part.chunks():
                yield chunk[self.names]

    def locate(self, row: int) -> str:
        """Return where the row is in its own table, in words."""
        for part in self.parts:
            if row < len(part):
                break
            row -= len(part)
        return part.locate(row)


UNREADABLE = (pa.ArrowException, UnicodeDecodeError, EOFError, OSError, ValueError)


def read_frame(source: Frame | pd.DataFrame | str | Path) -> Frame:
    """Open a DataFrame or a file; a ``Frame`` is returned unchanged.

    Raises:
        InputError: the file is empty or broken, there are no rows or no columns, or too many
            columns, or a name is repeated.
    """
    if isinstance(source, Frame):
        return source
    if isinstance(source, pd.DataFrame):
        frame: Frame = _in_memory(source)
    else:
        path = Path(source)
        if path.is_dir():
            parts = sorted(p.name for p in path.glob("*.parquet"))
            more = (
                f", such as {path / parts[0]}, or join its {len(parts)} Parquet files"
                if parts
                else ""
            )
            raise InputError(f"{path}: a folder, not a file; give a file in it{more}")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: empty file; give a table with a header and rows")
        frame = _open(path)
    names, where = frame.names, frame.where
    repeated = (
        sorted({name for name in names if names.count(name) > 1}) if len(names) < 10_000 else []
    )
    if repeated:
        raise InputError(f"{where}: column {repeated[0]!r} appears twice; rename one of them")
    if not names:
        raise InputError(f"{where}: no columns; give a table with a header and rows")
    if len(names) > MOST_COLUMNS:
        raise InputError(f"{where}: {len(names):,} columns; give at most {MOST_COLUMNS:,}")
    if len(frame) == 0:
        raise InputError(f"{where}: a header but no rows; give a table with rows")
    return frame


MOST_COLUMNS = 5_000


def _open(path: Path) -> Frame:
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            with pq.ParquetFile(path) as file:
                return OnDisk(path, arrow.declared(file.schema_arrow))
        if name.endswith((".arrow", ".feather")):
            with pa.memory_map(str(path)) as file:
                table = pa.ipc.open_file(file).read_all()
                # Arrow trusts the offsets in a file; damaged ones make it read past the end.
                table.validate(full=True)
                made = arrow.to_pandas(table)
                return InMemory(made, str(path), False, arrow.declared(table.schema))
        return InMemory(read_csv(path), str(path), untyped=True)
    except InputError:
        raise
    except UNREADABLE as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path}: cannot be read as a table ({reason}); check the file") from error


def _in_memory(source: pd.DataFrame) -> InMemory:
    frame = source.reset_index(drop=True)
    frame = frame.rename(columns=str)
    own = [k for k, t in enumerate(frame.dtypes) if isinstance(t, pd.ArrowDtype)]
    if not own:
        return InMemory(frame)
    table = pa.table(
        [frame.iloc[:, k].array.__arrow_array__() for k in own],
        [frame.columns[k] for k in own],
    )
    plain: dict[Any, Any] = {str(n): frame.iloc[:, k] for k, n in enumerate(frame.columns)}
    plain |= {n: s for n, s in arrow.to_pandas(table).items()}
    forms = {str(f.name): arrow.form_of(f.type) for f in table.schema}
    forms |= {
        n: form_of(n, plain[n])
        for n, form in forms.items()
        if form is None and arrow.is_plain(table.schema.field(n).type)
    }
    declared = {
        n: replace(form, dtype=arrow.name_of(table.schema.field(n).type))
        for n, form in forms.items()
        if form is not None
    }
    return InMemory(pd.DataFrame(plain), declared=declared)
