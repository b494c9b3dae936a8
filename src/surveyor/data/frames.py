"""A table as chunks of rows: in memory, or on disk and never in memory as a whole."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from surveyor.errors import InputError

AT_ONCE = 65_536


class Frame(ABC):
    """A table whose rows come in chunks."""

    names: list[str]

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order, a DataFrame at a time."""

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
class InMemory(Frame):
    """A DataFrame."""

    frame: pd.DataFrame

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return list(self.frame.columns)

    def __len__(self) -> int:
        return len(self.frame)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the one chunk there is."""
        yield self.frame


@dataclass(frozen=True, eq=False)
class OnDisk(Frame):
    """A Parquet file, ``AT_ONCE`` rows in memory at a time."""

    path: Path

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        with pq.ParquetFile(self.path) as file:
            return [str(name) for name in file.schema_arrow.names]

    def __len__(self) -> int:
        with pq.ParquetFile(self.path) as file:
            return int(file.metadata.num_rows)

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order; a row group may be larger than memory allows for."""
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(AT_ONCE):
                yield _named(batch.to_pandas(ignore_metadata=True))


UNREADABLE = (
    pd.errors.ParserError,
    pd.errors.EmptyDataError,
    pa.ArrowException,
    UnicodeDecodeError,
    EOFError,
    OSError,
)


def read_frame(source: pd.DataFrame | str | Path) -> Frame:
    """Open a DataFrame or a file.

    Raises:
        InputError: empty or broken files, no rows, repeated or empty column names.
    """
    if isinstance(source, pd.DataFrame):
        frame: Frame = InMemory(_named(source))
        where = "DataFrame"
    else:
        path, where = Path(source), str(source)
        if path.is_dir():
            raise InputError(f"{path}: a folder, not a file")
        if path.stat().st_size == 0:
            raise InputError(f"{path}: empty file; give a table with a header and rows")
        frame = _open(path)
    names = frame.names
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise InputError(f"{where}: column {repeated[0]!r} appears twice; rename one")
    if not names:
        raise InputError(f"{where}: no columns")
    if len(frame) == 0:
        raise InputError(f"{where}: a header and no rows; nothing to learn from")
    return frame


def _open(path: Path) -> Frame:
    name = path.name.lower()
    try:
        if name.endswith(".parquet"):
            frame = OnDisk(path)
            len(frame)
            return frame
        if name.endswith((".arrow", ".feather")):
            with pa.memory_map(str(path)) as file:
                return InMemory(
                    _named(pa.ipc.open_file(file).read_all().to_pandas(ignore_metadata=True))
                )
        return InMemory(_named(_read_csv(path)))
    except UnicodeError as error:
        raise InputError(
            f"{path}: not UTF-8 text; convert it, for example: "
            f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}"
        ) from error
    except UNREADABLE as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise InputError(f"{path}: cannot be read as a table ({reason}); check the file") from error


def _encoding(path: Path) -> str:
    """Return what the byte-order mark says; UTF-8 without one."""
    with path.open("rb") as file:
        mark = file.read(2)
    return "utf-16" if mark in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig"


def _read_csv(path: Path) -> pd.DataFrame:
    encoding = _encoding(path)
    first = pd.read_csv(path, nrows=1, header=None, dtype=str, encoding=encoding)
    names = first.iloc[0].fillna("").str.strip()
    for mark, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(names) == 1 and mark in names.iloc[0]:
            raise InputError(f"{path}: fields parted by {word}; save the table with commas")
    repeated = names[names.duplicated() & (names != "")]
    if len(repeated):
        raise InputError(f"{path}: column {repeated.iloc[0]!r} appears twice; rename one")
    # Codes such as 007 are text: read as numbers they would lose their zeros.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.ParserWarning)
        head = pd.read_csv(
            path, nrows=1000, dtype=str, skipinitialspace=True, index_col=False, encoding=encoding
        )
    coded = [c for c in head if head[c].str.fullmatch(r"0\d+").fillna(False).any()]
    dtypes: dict[Any, Any] = dict.fromkeys(coded, str)
    with warnings.catch_warnings():
        # A row longer than the header would shift or lose values.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            return pd.read_csv(
                path,
                low_memory=False,
                skipinitialspace=True,
                dtype=dtypes,
                index_col=False,
                encoding=encoding,
            )
        except pd.errors.ParserWarning as error:
            raise InputError(
                f"{path}: rows with more fields than the header names; name every column"
            ) from error


def _named(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.rename(columns=lambda name: str(name).strip()).reset_index(drop=True)
