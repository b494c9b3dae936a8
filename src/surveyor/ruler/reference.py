"""A saved reference: statistics of a data set, without its rows, and tests of others against it."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from safetensors.torch import save

from surveyor.data import Options
from surveyor.data.sources import resolve
from surveyor.data.summary import Summary
from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds import kinds
from surveyor.kinds.loading import recognise
from surveyor.reading import HEADER, MIB, UNPARSABLE, damaged, read_tensors
from surveyor.ruler.comparison import Comparison
from surveyor.two_sample.statistics import (
    BINS,
    FEWEST_ROWS,
    LEAST,
    Counts,
    Moments,
    Statistics,
    column_test,
    compared,
    scores_of,
)
from surveyor.writing import write_bytes

SUFFIX = ".ref"
VERSION = 1
LARGEST = 64 * MIB
REMEDY = "make it again with surveyor reference"


@dataclass(frozen=True, eq=False)
class Reference:
    """What a data set leaves of itself: the name of its kind, and its summary."""

    kind: str
    summary: Summary


@dataclass(frozen=True)
class ColumnChange:
    """How a column differs from that of a reference.

    ``difference`` is the largest difference of distribution functions at the edges of the
    reference, or the share of rows that would have to change category; ``change`` says it in
    words. ``p_value`` is adjusted for the number of columns.
    """

    name: str
    kind: str
    difference: float
    change: str
    p_value: float


@dataclass(frozen=True, eq=False)
class ReferenceDrift:
    """A comparison with a reference: tests alone, and the columns by their difference.

    ``note`` says what was not tested, or how coarsely.
    """

    comparison: Comparison
    columns: tuple[ColumnChange, ...]
    note: str

    def numbers(self) -> dict[str, Any]:
        """Return verdict, tests, note and columns, for JSON."""
        numbers = self.comparison.numbers()
        own = {k: numbers[k] for k in ("method", "rows", "p_value", "tests", "verdict")}
        return own | {"note": self.note, "columns": [asdict(c) for c in self.columns]}


class _Column(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    form: Form
    edges: int
    labels: list[str]
    least: int


class _File(msgspec.Struct, forbid_unknown_fields=True):
    """The metadata of a reference."""

    version: int
    kind: str
    columns: list[_Column]
    left_out: list[str]
    pair_rows: int


def is_reference(source: Any) -> bool:
    """Return whether ``source`` is the path of a reference, by its suffix."""
    return isinstance(source, (str, Path)) and str(source).lower().endswith(SUFFIX)


def summarised(source: Any, options: Options, seed: int = 0) -> Reference:
    """Return the reference of a data set.

    Raises:
        InputError: the data cannot be read, are of a kind without references, or have too few rows.
    """
    if is_reference(source):
        raise InputError(f"{source}: is a reference already; give data")
    source = resolve(source)
    kind = recognise(source, options)
    if kind.summarise is None:
        raise InputError(
            f"a reference of {kind.name} cannot be made, only of tables; keep the data, and give "
            "both sets to surveyor distance"
        )
    raw = kind.files.read(source, options)
    if len(raw) < FEWEST_ROWS:
        raise InputError(
            f"{len(raw)} row{'s' * (len(raw) != 1)}, too few for a reference; give at least "
            f"{FEWEST_ROWS}"
        )
    return Reference(kind.name, kind.summarise(raw, seed))


def write_reference(reference: Reference, path: Path) -> None:
    """Write a reference, whole or not at all.

    Raises:
        InputError: the names of values are too long for the file.
        NotWritten: the disk is full or refuses the write.
    """
    forms, known = reference.summary.forms, reference.summary.statistics
    columns = [
        _Column(c.name, forms[c.name], len(c.edges), list(c.labels), c.least) for c in known.columns
    ]
    file = _File(
        VERSION, reference.kind, columns, list(reference.summary.left_out), known.moments.rows
    )
    meta = msgspec.to_builtins(file)
    arrays = {
        "counts": np.concatenate([c.counts for c in known.columns]),
        "edges": np.concatenate([c.edges for c in known.columns]),
        "products": known.moments.products,
        "squares": known.moments.squares,
    }
    text = json.dumps({**meta, "digest": _digest(meta, arrays)})
    if len(json.dumps(text)) > HEADER // 2:
        longest = max(known.columns, key=lambda c: sum(map(len, c.labels))).name
        raise InputError(f"column {longest!r}: its values are too long for a reference; --drop it")
    tensors = {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in arrays.items()}
    write_bytes(path, save(tensors, {"surveyor": text}))


def read_reference(path: Path) -> Reference:
    """Read a reference, without executing anything in it.

    Raises:
        InputError: there is none, it is of another version, or it is damaged.
    """
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if (size := path.stat().st_size) > LARGEST:
        raise damaged(path, f"{size:,} bytes, more than the limit of {LARGEST:,}", REMEDY)
    tensors, meta = read_tensors(path, remedy=REMEDY)
    version = meta.get("version")
    if not isinstance(version, int):
        raise damaged(path, "not a reference", REMEDY)
    if version != VERSION:
        raise InputError(
            f"{path}: a reference of version {version}, but this Surveyor reads version {VERSION}; "
            f"{REMEDY}"
        )
    try:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        _require(meta.pop("digest", None) == _digest(meta, arrays), "digest of its content")
        return _restored(msgspec.convert(meta, _File), arrays)
    except (*UNPARSABLE, KeyError, IndexError) as error:
        raise damaged(path, error, REMEDY) from error


def _restored(file: _File, arrays: Mapping[str, np.ndarray]) -> Reference:
    if kinds()[file.kind].recount is None:
        raise ValueError(f"no references of {file.kind}")
    sizes = np.array([c.edges if c.form.ordered else len(c.labels) for c in file.columns])
    edges, counts = arrays["edges"], arrays["counts"]
    ends = np.cumsum([c.edges for c in file.columns])
    parts = np.split(edges, ends[:-1]), np.split(counts, np.cumsum(sizes + 2)[:-1])
    known = tuple(
        Counts(c.name, c.form.ordered, n, e, tuple(c.labels), c.least)
        for c, e, n in zip(file.columns, *parts, strict=True)
    )
    products, squares = arrays["products"], arrays["squares"]
    scores = len(scores_of(known))
    _require(edges.dtype == np.float64 and counts.dtype == np.int64, "types of arrays")
    _require(edges.ndim == counts.ndim == 1 and len(edges) == ends[-1], "edges")
    _require(len(counts) == (sizes + 2).sum() and bool((counts >= 0).all()), "counts")
    _require(all(bool((np.diff(c.edges) > 0).all()) for c in known), "order of edges")
    _require(len({c.rows for c in known}) == 1 and known[0].rows >= FEWEST_ROWS, "rows")
    _require(products.shape == squares.shape == (scores, scores), "shapes of moments")
    _require(
        all(bool(np.isfinite(a).all()) for a in (edges, products, squares)), "infinite numbers"
    )
    _require(file.pair_rows >= FEWEST_ROWS and all(c.least >= 1 for c in known), "rows of pairs")
    forms = {c.name: c.form for c in file.columns}
    _require(len(forms) == len(known), "columns of one name")
    statistics = Statistics(known, Moments(file.pair_rows, products, squares))
    return Reference(file.kind, Summary(forms, statistics, tuple(file.left_out)))


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise ValueError(what)


def _digest(meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> str:
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def against(
    reference: Reference, source: Any, names: tuple[str, str], options: Options, seed: int = 0
) -> ReferenceDrift:
    """Test a data set against a reference; ``names`` are what to call the two.

    Raises:
        InputError: the data are of another kind, have other columns or too few rows, or cannot be
            read as the reference was.
    """
    source = resolve(source)
    kind = recognise(source, options)
    if kind.name != reference.kind:
        raise InputError(
            f"{names[1]}: {kind.name}, but {names[0]} is a reference of a {reference.kind}; give "
            "one kind"
        )
    assert kind.recount is not None
    known, other = kind.recount(source, reference.summary, names, options, seed)
    if other.rows < FEWEST_ROWS:
        raise InputError(
            f"{names[1]}: {other.rows} row{'s' * (other.rows != 1)}, too few to test against a "
            f"reference; give at least {FEWEST_ROWS}"
        )
    proof = compared(known, other)
    rows = known.rows, other.rows
    measured = Comparison(
        math.nan, math.nan, 0.0, math.inf, proof.p_value, "reference", 0, rows,
        tests=proof.outcomes,
    )  # fmt: skip
    p = dict(proof.outcomes[0].parts)
    forms = reference.summary.forms
    columns = [
        _changed(a, b, forms[a.name], p[a.name])
        for a, b in zip(known.columns, other.columns, strict=True)
    ]
    columns.sort(key=lambda c: -c.difference)
    return ReferenceDrift(measured, tuple(columns), _note(known, proof.outcomes[-1].test))


def _changed(known: Counts, other: Counts, form: Form, p: float) -> ColumnChange:
    _, size = column_test(known, other)
    words, (gone, now) = [], (side.shares[0] for side in (known, other))
    if abs(now - gone) > 0.005:
        words.append(f"missing {gone:.1%} to {now:.1%}")
    if known.ordered:
        below = [np.cumsum(side.shares)[1:-1] for side in (known, other)]
        gaps = np.abs(below[1] - below[0])
        if len(gaps) and gaps.max() > 0.005:
            k = int(np.argmax(gaps))
            edge = float(known.edges[k])
            edge = math.floor(edge) if form.scale.discrete else edge
            words.append(
                f"at most {form.scale.format_value(edge)}: {below[0][k]:.1%} to {below[1][k]:.1%}"
            )
        return ColumnChange(known.name, form.kind, size, ", ".join(words), p)
    change = (other.shares - known.shares)[1:]
    names = [*known.labels, "other values"]
    top = [k for k in np.argsort(-np.abs(change), kind="stable")[:3] if abs(change[k]) > 0.001]
    words += [f"{names[k]} {100 * change[k]:+.1f} points" for k in top]
    return ColumnChange(known.name, form.kind, size, ", ".join(words), p)


def _note(known: Statistics, last: str) -> str:
    """Return what was not tested against a reference, and how coarsely columns were."""
    coarse = max(LEAST, math.ceil(known.rows / BINS))
    parts = [
        "A reference holds no rows, so W1, the energy distance and a classifier were not measured",
        f"numbers were compared in bins of about {coarse:,} rows or one number, categories with "
        f"fewer than {LEAST} rows in the reference together",
    ]
    if last != "pairs":
        parts.append("no pair of columns could be tested")
    elif len({k for k, *_ in known.scores}) < len(known.columns):
        left = len(known.columns) - len({k for k, *_ in known.scores})
        parts.append(f"{left:,} column{'s' * (left != 1)} were not tested in pairs")
    return "; ".join(parts) + "."
