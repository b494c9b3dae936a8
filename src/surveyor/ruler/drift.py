"""Two data sets as a user has them: read, brought to one space, measured, explained."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import Codec, Options
from surveyor.data.coordinates import Coordinates, unnamed
from surveyor.data.sources import resolve
from surveyor.errors import InputError
from surveyor.kinds.loading import recognise
from surveyor.panels import Beside
from surveyor.ruler.comparison import LIMIT, Comparison, Method, compare
from surveyor.ruler.critic import Budget
from surveyor.ruler.moved import ColumnMoved, RowMoved, columns_moved, rows_moved

ROWS = 20_000  # rows of each set that are looked at
FITTED = 100_000  # rows of each set that the common space is fitted to
LENIENT = Options(lenient=True)


@dataclass(frozen=True, eq=False)
class Drift:
    """A comparison and what moved: columns, most moved first, and the rows with furthest to go.

    ``coordinates`` hold the rows looked at as tables of named columns, where there are such;
    ``raw`` are the same rows as they were read, ``unit`` is what the distances are in.
    """

    comparison: Comparison
    unit: str
    codec: Codec
    raw: tuple[Any, Any]
    coordinates: Coordinates
    columns: tuple[ColumnMoved, ...] = ()
    rows: tuple[RowMoved, ...] = ()
    points: tuple[np.ndarray, np.ndarray] = field(default=(np.empty(0), np.empty(0)), repr=False)

    @property
    def beside(self) -> Beside:
        """Return what a page shows of both."""
        return Beside(self.codec, self.raw, self.coordinates, self.comparison.critic)

    def numbers(self) -> dict[str, Any]:
        """Return what JSON can hold."""
        told = self.comparison.numbers() | {"unit": self.unit}
        columns, rows = ([asdict(m) for m in self.columns], [asdict(m) for m in self.rows])
        made: dict[str, Any] = finite(told | {"columns": columns, "rows": rows})
        return made


def finite(value: Any) -> Any:
    """Return ``value`` with None for what JSON has no number for."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def drift(
    a: Any,
    b: Any,
    method: Method = "auto",
    seed: int = 0,
    limit: int = LIMIT,
    budget: Budget | None = None,
    watch: Callable[[int, int], None] | None = None,
    explain: bool = True,
    options: Options = LENIENT,
) -> Drift:
    """Measure W1 between two data sets of one kind and say what moved.

    Tables are compared in the space that a codec fitted to both gives them, pictures and vectors
    in their own units. Columns that hold nothing to measure are left out, and told.

    Raises:
        InputError: different columns or shapes, or data that cannot be read.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed {seed}: give a number from 0 to 2^63")
    sources = [resolve(a), resolve(b)]
    kind, other = (recognise(s) for s in sources)
    if other.name != kind.name:
        raise InputError(f"one is a kind of {kind.name}, the other of {other.name}")
    files = kind.files
    read = files.read_alike(sources, options)
    both = files.together(*(files.select(raw, _some(len(raw), seed, FITTED)) for raw in read))
    codec = files.fit(both, replace(options, drop=()))
    index = [_some(len(raw), seed, ROWS) for raw in read]
    raw = tuple(files.select(r, i) for r, i in zip(read, index, strict=True))
    unit = codec.space.unit
    points = tuple(unit * _points(codec, r) for r in raw)
    comparison = compare(points[0], points[1], method, seed, limit, budget, watch)
    both_raw = raw[0], raw[1]
    named = kind.coordinates(codec, both_raw) if explain else unnamed(codec, both_raw)
    made = Drift(comparison, codec.unit_name, codec, both_raw, named, points=(points[0], points[1]))
    return _explained(made, index, seed, limit) if explain else made


def _explained(made: Drift, index: list[np.ndarray], seed: int, limit: int) -> Drift:
    points, named = made.points, made.coordinates
    moved = columns_moved(named.columns, *named.frames, seed) if named.columns else ()
    rng = np.random.default_rng(seed)  # both at random: files are often in some order
    pick, beside = (rng.permutation(len(side))[:limit] for side in points)
    rows = rows_moved(points[0][pick], points[1][beside], pick)
    shown = tuple(
        RowMoved(int(index[0][m.row]), m.distance, _values(named.frames[0], m.row)) for m in rows
    )
    return replace(made, columns=moved, rows=shown)


def _values(frame: pd.DataFrame, row: int) -> Mapping[str, str]:
    if frame.empty:
        return {}
    row_values = ((str(name), frame[name].iloc[row]) for name in frame)
    return {n: f"{v:.6g}" if isinstance(v, float) else str(v) for n, v in row_values}


def _some(n: int, seed: int, most: int) -> np.ndarray:
    return np.sort(np.random.default_rng(seed).permutation(n)[:most])


def _points(codec: Codec, raw: Any) -> np.ndarray:
    batch = codec.batch(codec.rows(raw), np.arange(len(raw)))
    return np.asarray(batch.joint().double().numpy())
