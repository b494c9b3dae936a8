"""Molecules written: a SMILES a line, SDF with coordinates in the plane, tables."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.sources import LINES, PARQUET, STRUCTURES, TABS


def write(samples: pd.DataFrame, path: Path) -> None:
    """Write samples, of which the first column is SMILES, in the format of the suffix.

    A file of lines holds nothing but SMILES; the others have all columns.
    """
    name = path.name.lower()
    if name.endswith(PARQUET):
        samples.to_parquet(path, index=False)
        return
    with _bytes(path) as file:
        if name.endswith(STRUCTURES):
            for row in samples.itertuples(index=False):
                fields = dict(zip(samples.columns[1:], row[1:], strict=True))
                file.write(chemistry.structure(str(row[0]), fields).encode())
        elif name.endswith(LINES):
            file.writelines(f"{smiles}\n".encode() for smiles in samples.iloc[:, 0])
        else:
            file.write(
                samples.to_csv(index=False, sep="\t" if name.endswith(TABS) else ",").encode()
            )


@contextmanager
def _bytes(path: Path) -> Iterator[Any]:
    """Open a file; a compressed one keeps neither its name nor the time."""
    with path.open("wb") as raw:
        if not path.name.lower().endswith(".gz"):
            yield raw
            return
        with gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
            yield file
