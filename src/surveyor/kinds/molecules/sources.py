"""SMILES as files and objects in memory have them, each with its place."""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data.bounds import available, format_bytes
from surveyor.errors import InputError
from surveyor.kinds.molecules import chemistry

LINES = (".smi", ".smiles", ".smi.gz", ".smiles.gz")
STRUCTURES = (".sdf", ".sdf.gz")
COMMAS, TABS, PARQUET = (".csv", ".csv.gz"), (".tsv", ".tsv.gz"), (".parquet",)
TABLES = (*COMMAS, *TABS, *PARQUET)
NAMES = ("smiles", "canonical_smiles", "isomeric_smiles")
LOOKED, READABLE = 100, 0.9  # first values of a column, and the share that must be SMILES
BROKEN = (OSError, EOFError, ValueError, zlib.error)


@dataclass(frozen=True, eq=False)
class Texts:
    """SMILES as they are written; number k is at ``word`` ``first`` + k of ``where``.

    ``name`` is what their column is called, and ``columns`` are the others.
    """

    texts: Sequence[str]
    where: str
    places: Sequence[int]
    word: str = "row"
    name: str = "smiles"
    columns: Mapping[str, pd.Series] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.texts)


def named(names: Sequence[Any]) -> str | None:
    """Return the column whose name says that it holds SMILES; None if none does."""
    by_name = {str(name).strip().lower(): name for name in reversed(names)}
    return next((by_name[name] for name in NAMES if name in by_name), None)


def texts_in_memory(source: Any) -> bool:
    """Return whether ``source`` is an array (n,) of text."""
    if not isinstance(source, np.ndarray) or source.ndim != 1 or not len(source):
        return False
    return source.dtype.kind == "U" or (
        source.dtype.kind == "O" and all(isinstance(text, str) for text in source)
    )


def is_table_of_molecules(source: Any) -> bool:
    """Return whether a table has a column named so whose first values are nearly all SMILES."""
    try:
        head = source if isinstance(source, pd.DataFrame) else _head(Path(source))
    except (*BROKEN, InputError):
        return False  # the error is the table's to tell
    name = named(list(head.columns))
    if name is None or not isinstance(head[name], pd.Series):
        return False
    first = [value for value in head[name].iloc[:LOOKED] if isinstance(value, str)]
    try:
        with chemistry.quiet():
            readable = sum(bool(chemistry.parse(text).smiles) for text in first)
    except InputError:  # without RDKit, which reading then asks for
        return bool(first)
    return bool(first) and readable >= READABLE * len(first)


def _head(path: Path) -> pd.DataFrame:
    if not path.name.lower().endswith(PARQUET):
        return _table(path, nrows=LOOKED)
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        name = named(file.schema_arrow.names)
        if name is None:
            return pd.DataFrame()
        batch = next(file.iter_batches(LOOKED, columns=[name]), None)
        return pd.DataFrame() if batch is None else batch.to_pandas()


def _table(path: Path, **options: Any) -> pd.DataFrame:
    tabs = path.name.lower().endswith(TABS)
    found: pd.DataFrame = pd.read_csv(
        path, sep="\t" if tabs else ",", encoding="utf-8-sig", **options
    )
    return found


def read_texts(source: Any) -> Texts:
    """Read the SMILES of a file, a DataFrame or an array of text, as they are written.

    Raises:
        InputError: a file that is broken or too large, or has no column of SMILES.
    """
    if isinstance(source, np.ndarray):
        return Texts([str(text) for text in source], "data", range(len(source)))
    if isinstance(source, pd.DataFrame):
        return _of_frame(source.reset_index(drop=True), "DataFrame", 0, "row")
    path = Path(source)
    name = path.name.lower()
    try:
        if name.endswith(LINES):
            return _of_lines(path)
        if name.endswith(STRUCTURES):
            return _of_structures(path)
        if name.endswith(PARQUET):
            return _of_frame(pd.read_parquet(path), str(path), 0, "row")
        return _of_frame(_table(path), str(path), 2, "line")
    except UnicodeError as error:
        raise InputError(f"{path}: not UTF-8 text; convert it") from error
    except BROKEN as error:
        if isinstance(error, InputError):
            raise
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{path}: cannot be read ({reason}); check the file") from error


def _of_frame(frame: pd.DataFrame, where: str, first: int, word: str) -> Texts:
    name = named(list(frame.columns))
    if name is None:
        raise InputError(f"{where}: no column named smiles; name the one that holds SMILES so")
    columns = {str(n): frame[n] for n in frame.columns if n != name}
    texts = ["" if pd.isna(value) else str(value).strip() for value in frame[name]]
    return Texts(texts, where, range(first, first + len(frame)), word, str(name), columns)


def _of_lines(path: Path) -> Texts:
    """Read a SMILES a line; what follows it after a blank is a name, which is not used."""
    texts, places = list[str](), list[int]()
    for number, line in enumerate(_lines(path), 1):
        words = line.split(maxsplit=1)
        if not words or words[0].startswith("#"):
            continue
        if not texts and words[0].lower() in NAMES:
            continue
        texts.append(words[0])
        places.append(number)
    return Texts(texts, str(path), places, "line")


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Any]:
    with path.open("rb") as raw:
        yield gzip.GzipFile(fileobj=raw) if path.name.lower().endswith(".gz") else raw


def _lines(path: Path) -> Iterator[str]:
    room, held = available() // 4, 0
    with _opened(path) as raw, io.TextIOWrapper(raw, encoding="utf-8-sig") as file:
        while line := file.readline(2**20):
            held += len(line)
            if held > room:
                raise InputError(f"{path}: more than {format_bytes(room)} of text; split the file")
            yield line


def _of_structures(path: Path) -> Texts:
    """Read the molecules of an SDF file; its data fields are columns."""
    chem = chemistry.rdkit()
    texts: list[str] = []
    fields: list[dict[str, str]] = []
    with chemistry.quiet(), _opened(path) as file:
        for molecule in chem.ForwardSDMolSupplier(file):
            texts.append("" if molecule is None else chem.MolToSmiles(molecule))
            fields.append({} if molecule is None else molecule.GetPropsAsDict(False, False))
    names = dict.fromkeys(chain.from_iterable(fields))
    columns = {str(n): pd.Series([own.get(n) for own in fields]) for n in names}
    return Texts(texts, str(path), range(1, len(texts) + 1), "molecule", columns=columns)
