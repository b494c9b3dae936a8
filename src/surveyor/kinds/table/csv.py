"""CSV files read as text; the types of columns are inferred later, from all rows."""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from surveyor.data.bounds import available, format_bytes
from surveyor.data.numerals import SIGNED
from surveyor.data.spelling import ISO
from surveyor.errors import InputError, notify

BLOCK = 2**22
LONGEST_HEADER = 2**20
SEPARATORS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_csv(path: Path) -> pd.DataFrame:
    """Return the cells of a CSV file as text; an empty cell is missing.

    Raises:
        InputError: the file is not UTF-8, has other separators, no header or ragged rows, or does
            not fit in memory.
    """
    encoding = _encoding(path)
    try:
        header = _header(path, encoding)
        names = _names(path, header)
        table = _table(path, len(names), encoding)
    except UnicodeError as error:
        raise InputError(_not_text(path)) from error
    except pa.ArrowInvalid as error:
        message = str(error)
        if "UTF8" in message or "UTF-8" in message:
            raise InputError(_not_text(path)) from error
        if "Expected" in message and "columns, got" in message:
            raise InputError(
                f"{path}: cannot be read as a table ({message.partition(': ')[2][:100]}); "
                "a row has more or fewer fields than the header; correct it, or put quotes around "
                "cells that contain a comma"
            ) from error
        raise
    columns = [_without_blanks(table.column(k).slice(1)) for k in range(len(names))]
    # With a null scalar Arrow before 24 cuts the last cell of a sliced column short.
    columns = [pc.if_else(pc.equal(c, ""), pa.nulls(len(c), pa.string()), c) for c in columns]
    text = pd.ArrowDtype(pa.string())
    frame = pd.DataFrame({k: pd.Series(pd.array(c, dtype=text)) for k, c in enumerate(columns)})
    frame.columns = pd.Index(names)
    if len(frame):
        _check_header(path, header, frame)
    return frame


def _not_text(path: Path) -> str:
    return (
        f"{path}: not UTF-8 text; convert it, for example: "
        f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8-{path.name}"
    )


def _encoding(path: Path) -> str:
    """Return the encoding that the byte-order mark names; UTF-8 if there is none."""
    with path.open("rb") as file:
        mark = file.read(2)
    return "utf-16" if mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _header(path: Path, encoding: str) -> list[str]:
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(path.open("rb"))
        plain = gzip.GzipFile(fileobj=file) if path.name.lower().endswith(".gz") else file
        text = io.TextIOWrapper(plain, encoding=encoding, newline="")
        try:
            return next(csv.reader(_bounded(path, text)), [])
        except csv.Error as error:
            raise InputError(
                f"{path}: cannot be read as a table ({error}); check the file"
            ) from error


def _bounded(path: Path, text: io.TextIOWrapper) -> Iterator[str]:
    read = 0
    while line := text.readline(LONGEST_HEADER):
        read += len(line)
        if read >= LONGEST_HEADER:
            raise InputError(
                f"{path}: a header of more than {LONGEST_HEADER:,} characters; give a CSV table"
            )
        yield line


def _names(path: Path, header: Sequence[str]) -> list[str]:
    names = [name.strip() for name in header]
    if len(names) == 1:
        for mark, word in SEPARATORS.items():
            if mark in names[0]:
                raise InputError(
                    f"{path}: fields are separated by {word}; save the table with commas"
                )
    unnamed = [k for k, name in enumerate(names) if not name]
    if unnamed:
        notify(f"{path}: column {unnamed[0] + 1} has no name; it is called 'Unnamed: {unnamed[0]}'")
    return [name or f"Unnamed: {k}" for k, name in enumerate(names)]


def _table(path: Path, columns: int, encoding: str) -> pa.Table:
    """Return the cells, header included.

    Raises:
        InputError: the text does not fit in memory.
    """
    room, held, batches = available() // 4, 0, []
    names = [str(k) for k in range(columns)]
    reader = pacsv.open_csv(
        path,
        pacsv.ReadOptions(
            column_names=names,
            block_size=BLOCK,
            use_threads=False,
            encoding="utf-16" if encoding == "utf-16" else "utf8",
        ),
        pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=columns > 1),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False
        ),
    )
    with reader:
        for batch in reader:
            held += batch.nbytes
            if held > room:
                raise InputError(
                    f"{path}: more than {format_bytes(room)} of text, a quarter of the free "
                    "memory; save it as Parquet, which is read in parts"
                )
            batches.append(batch)
    return pa.Table.from_batches(batches)


def _without_blanks(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return cells without leading blanks if every cell that is not empty begins with one."""
    full = pc.not_equal(column, "")
    led = pc.or_(pc.starts_with(column, " "), pc.invert(full))
    return pc.utf8_ltrim_whitespace(column) if pc.all(led).as_py() else column


def _check_header(path: Path, header: Sequence[str], frame: pd.DataFrame) -> None:
    """Raise InputError if the first row looks like a row of data."""
    alike = [_is_value(name) for name in header]
    if not any(alike):
        return
    rest = [k for k, a in enumerate(alike) if not a]
    if all(frame.iloc[:, k].eq(header[k].strip()).any() for k in rest):
        shown = ", ".join(map(repr, header[:3]))
        raise InputError(
            f"{path}: no header: the first row ({shown}{', ...' * (len(header) > 3)}) looks like "
            "data; put a row of column names above it"
        )


def _is_value(name: str) -> bool:
    text = name.strip()
    return bool(SIGNED.fullmatch(text) or ISO.fullmatch(text))
