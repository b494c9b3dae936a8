"""A rehearsal before training: rows with every code of a table, written in every format."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data import Data
from surveyor.kinds.table.codec import TableCodec
from surveyor.measures.columns import table_fidelity
from surveyor.panels.drawing import marginals

ROWS = 24
MOST_CODES = 2000  # the most rows to write; columns with more codes are covered in part
SUFFIXES = (".csv", ".parquet", ".arrow")


def write_every_code(data: Data) -> None:
    """Decode rows in which every column cycles through its codes, and write them."""
    codec = cast(TableCodec, data.codec)
    _write(data, codec.reassembled(every_code(codec)))


def every_code(codec: TableCodec) -> pd.DataFrame:
    """Return rows in which every column cycles through its codes."""
    columns = codec.condition.columns
    n = min(MOST_CODES, max([*codec.sizes, *(c.size for c in columns), ROWS]))
    turns = np.arange(n)
    made = np.stack([turns % size for size in codec.free], axis=1)
    given = [turns % c.size for c in columns]
    codes = np.stack(given, axis=1) if given else np.zeros((n, 0), dtype=np.int64)
    return codec.decode_blocks(made, codes.astype(np.int32), Draws(0))


def failing_column(data: Data) -> str | None:
    """Return the first column that cannot be written, measured or plotted by itself."""
    codec, real = cast(TableCodec, data.codec), data.held_out(ROWS)
    for column in (*codec.own.values(), *codec.condition.columns):
        try:
            codes = np.arange(min(MOST_CODES, max(column.size, ROWS))) % column.size
            made = column.decode(codes, Draws(0)).to_frame()
            _write(data, made)
            table_fidelity((column,), made, real, real)
            marginals((column,), real, made)
        except Exception:
            return column.name
    return None


def _write(data: Data, samples: pd.DataFrame) -> None:
    with tempfile.TemporaryDirectory(prefix="surveyor-") as folder:
        for suffix in SUFFIXES:
            data.files.write(samples, Path(folder) / f"rows{suffix}")
