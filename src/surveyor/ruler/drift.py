"""Drift between two data sets: read, encode in one space, measure and explain."""

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
from surveyor.panels import TwoSets
from surveyor.ruler.comparison import LIMIT, WIDE, Comparison, Method, compare
from surveyor.ruler.critic import Budget
from surveyor.ruler.moved import ColumnMoved, RowMoved, columns_moved, rows_moved
from surveyor.two_sample import some

ROWS = 20_000  # rows per set for a trained critic, and where tests see points alone
POINTS = 6  # otherwise this many times the rows of transport
CELLS = 12_000_000  # entries of a set's points in memory
AT_ONCE = 1024  # rows encoded together
FITTED = 100_000  # rows per set to fit the common codec
LENIENT = Options(lenient=True)


@dataclass(frozen=True, eq=False)
class Drift:
    """A comparison and what moved: columns, and the rows with the longest way, by distance.

    ``coordinates`` are the compared rows as tables of named columns, if there are any; ``raw`` are
    the same rows as read, and ``unit`` is the unit of the distances.
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
    def sets(self) -> TwoSets:
        """Return what a report shows of both sets."""
        return TwoSets(self.codec, self.raw, self.coordinates, self.comparison.critic)

    def numbers(self) -> dict[str, Any]:
        """Return the comparison, its unit, and the moved columns and rows, for JSON."""
        numbers = self.comparison.numbers() | {"unit": self.unit}
        columns, rows = ([asdict(m) for m in self.columns], [asdict(m) for m in self.rows])
        made: dict[str, Any] = finite(numbers | {"columns": columns, "rows": rows})
        return made


def finite(value: Any) -> Any:
    """Return ``value`` with None in place of numbers that are not finite."""
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
    """Measure W1 between two data sets of one kind and explain what moved.

    Tables are compared in the space of a codec fitted to both, pictures and vectors in their own
    units. Columns without anything to measure are left out, with a notice.

    Raises:
        InputError: columns or shapes differ, or the data cannot be read.
    """
    if not 0 <= seed < 2**63:
        raise InputError(f"--seed {seed}: give a number from 0 to 2^63")
    sources = [resolve(a), resolve(b)]
    kind, other = (recognise(s, options) for s in sources)
    if other.name != kind.name:
        raise InputError(
            f"cannot compare {kind.name} with {other.name}; give two data sets of one kind"
        )
    files = kind.files
    read = files.read_comparable(sources, options)
    both = files.concatenate(*(files.select(raw, some(len(raw), FITTED, seed)) for raw in read))
    codec = files.fit(both, replace(options, drop=()))
    limit = limit if codec.space.width <= WIDE else max(limit // 2, 8)
    most = ROWS if method == "critic" or kind.samples is None else POINTS * limit
    most = max(limit, min(most, CELLS // (codec.space.width + codec.space.cond)))
    index = [some(len(raw), most, seed) for raw in read]
    raw = tuple(files.select(r, i) for r, i in zip(read, index, strict=True))
    unit = codec.space.unit
    points = tuple(_points(codec, r, unit) for r in raw)
    pair, both_raw = (points[0], points[1]), (raw[0], raw[1])
    samples = None if kind.samples is None else kind.samples(codec, (read[0], read[1]), pair)
    comparison = compare(*pair, method, seed, limit, budget, watch, samples)
    named = kind.coordinates(codec, both_raw) if explain else unnamed(codec, both_raw)
    made = Drift(comparison, codec.unit_name, codec, both_raw, named, points=pair)
    return _explained(made, index, seed, limit) if explain else made


def _explained(made: Drift, index: list[np.ndarray], seed: int, limit: int) -> Drift:
    points, named = made.points, made.coordinates
    moved = columns_moved(named.columns, *named.frames, seed) if named.columns else ()
    p = {name: p for test in made.comparison.tests for name, p in test.parts}
    moved = tuple(replace(m, p_value=p.get(m.name)) for m in moved)
    rng = np.random.default_rng(seed)  # shuffle both: files are often sorted
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


def _points(codec: Codec, raw: Any, unit: float) -> np.ndarray:
    """Return the joint points of rows in the user's unit, (n, d), encoded a part at a time."""
    rows, n = codec.rows(raw), len(raw)
    points = np.empty((0, 0))
    for start in range(0, n, AT_ONCE):
        index = np.arange(start, min(n, start + AT_ONCE))
        part = codec.metric_points(codec.batch(rows, index)).numpy()
        if start == 0:
            points = np.empty((n, part.shape[1]))
        np.multiply(part, unit, out=points[start : start + AT_ONCE])
    return points
