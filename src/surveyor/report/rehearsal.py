"""What is done after training, tried on a few rows before the first step."""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.batch import Draws
from surveyor.data import Data
from surveyor.data.formula import folded
from surveyor.data.table import TableCodec
from surveyor.errors import InputError
from surveyor.kinds import kind_of
from surveyor.kinds.assess import assess
from surveyor.measures import Seen
from surveyor.measures.columns import table_fidelity
from surveyor.panels.drawing import marginals
from surveyor.report.build import page_of
from surveyor.run import Run, Session

ROWS, FEWEST = 24, 4  # of a table; of what exact transport takes
MOST_CODES = 2000  # rows in which every code of every column occurs, where there are no more


def rehearse(session: Session) -> None:
    """Decode, write, evaluate and report on a few rows, with copies of the untrained nets.

    Raises:
        InputError: one of it fails; the message tells which, and of a table which column.
    """
    few = _few(session.data)
    game = replace(session.game, critic=copy.deepcopy(session.game.critic))
    generator, config, codec = copy.deepcopy(session.game.generator), session.config, few.codec
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is told of few rows is of no concern
        if isinstance(codec, TableCodec):
            with _trying("writing samples", few):
                _written(few, folded(_every_code(codec), codec.formulas))
        with _trying("the evaluation", few):
            told = assess(Seen(game, generator, few, config.seed, FEWEST))
        kept = replace(game, generator=generator)
        with _trying("the report", few):
            page_of(Run(session.path, config, "", kind_of(codec), codec, kept, (), told), few)


def _few(data: Data) -> Data:
    n = kind_of(data.codec).few
    parts = {p: getattr(data, p) for p in ("train", "validation", "holdout")}
    return replace(data, **{p: replace(s, index=s.index[:n]) for p, s in parts.items()})


def _every_code(codec: TableCodec) -> Any:
    """Return rows in which every column takes its codes in turn."""
    columns = codec.conditions.columns
    n = min(MOST_CODES, max([*codec.sizes, *(c.size for c in columns), ROWS]))
    turns = np.arange(n)
    made = np.stack([turns % size for size in codec.free], axis=1)
    told = [turns % c.size for c in columns]
    codes = np.stack(told, axis=1) if told else np.zeros((n, 0), dtype=np.int64)
    return codec.decoded(made, codes.astype(np.int32), Draws(0))


def _written(data: Data, samples: Any) -> None:
    with tempfile.TemporaryDirectory(prefix="surveyor-") as place:
        for suffix in (".csv", ".parquet", ".arrow"):
            data.files.write(samples, Path(place) / f"rows{suffix}")


@contextmanager
def _trying(what: str, data: Data) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        column = _guilty(data)
        named = "" if column is None else f"column {column!r}: "
        remedy = "report this as a bug" if column is None else f"leave it out with --drop {column}"
        raise InputError(
            f"{named}{what}, tried on a few rows, fails ({told}), so nothing was trained; {remedy}"
        ) from error


def _guilty(data: Data) -> str | None:
    """Return the first column that cannot be written, measured or drawn by itself."""
    codec = data.codec
    if not isinstance(codec, TableCodec):
        return None
    for column in (*codec.columns, *codec.conditions.columns):
        try:
            made, real = _every_code(codec), data.held_out(ROWS)
            _written(data, made[[column.name]])
            table_fidelity((column,), made, real, real)
            marginals((column,), real, made)
        except Exception:
            return column.name
    return None
