"""Real and synthetic rows, read in one way: as the real ones are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.arguments import collecting
from surveyor.data import Codec, Data, Options, Rows, Source, check_columns
from surveyor.data.sources import resolve
from surveyor.errors import InputError, notify
from surveyor.kinds import Kind
from surveyor.kinds.loading import recognise
from surveyor.streams import Stream, generator
from surveyor.two_sample import some

MOST_ROWS = 200_000  # of each file
FEWEST_ROWS = 8


@dataclass(frozen=True, eq=False)
class Sets:
    """Data sets read for a judgement.

    ``raw`` are their rows by name, the real ones first; ``held`` names those that the maker did not
    see, if they are given. ``data`` are the real rows, split: training rows and held-out ones, or
    two halves. ``made`` are the synthetic rows by name, in random order.
    """

    kind: Kind
    data: Data
    raw: Mapping[str, Any]
    real: str
    held: str | None
    made: Mapping[str, Source]

    @property
    def codec(self) -> Codec:
        """Return the codec, fitted to the real rows."""
        return self.data.codec


def names_of(sources: Mapping[str, Any]) -> dict[str, str]:
    """Return what to call each source: its file's name, the path where two are alike, or its role.

    ``sources`` are by role.
    """
    paths = {role: fspath(s) for role, s in sources.items() if isinstance(s, (str, PathLike))}
    short = {role: Path(path).name or path for role, path in paths.items()}
    plain = {
        role: path if list(short.values()).count(short[role]) > 1 else short[role]
        for role, path in paths.items()
    }
    found, taken = {}, set()
    for role in sources:
        name = plain.get(role, role)
        found[role] = name if name not in taken else f"{name} ({role})"
        taken.add(found[role])
    return found


def read_sets(
    real: Any,
    synthetic: Sequence[Any],
    holdout: Any,
    options: Options,
    target: str | None,
    seed: int,
) -> Sets:
    """Read real and synthetic data sets in the way of the real one.

    Raises:
        InputError: sets of several kinds, columns that differ or cannot be read, an unknown or
            constant target, or too few rows; all problems at once.
    """
    roles = {"the real rows": real}
    roles |= {} if holdout is None else {"the rows held out": holdout}
    several = len(synthetic) > 1
    for k, one in enumerate(synthetic, 1):
        roles[f"synthetic {k}" if several else "synthetic"] = one
    names = names_of(roles)
    first, held = names["the real rows"], names.get("the rows held out")
    sources, kind = _of_one_kind({names[role]: source for role, source in roles.items()}, options)
    opened = kind.files.open_alike(sources, options.drop)
    options = replace(options, drop=())
    whole = kind.files.read(opened.pop(first), options)
    beside = target is not None and not kind.files.tabular
    if target is not None:
        known = kind.files.columns(whole)
        if problems := check_columns([target], known, "--target"):
            raise InputError(*problems)
    raw = {first: _some(kind, first, whole, seed)}
    condition = (target,) if target is not None and beside else ()
    codec = kind.files.fit(raw[first], replace(options, condition=condition))
    encoded = _encoded(kind, codec, opened, raw, replace(options, condition=condition), seed)
    for name, rows in encoded.items():
        for column in codec.unknown_columns(rows):
            notify(
                f"{name}: no value of column {column!r} is one of {first}; check that both write "
                "its values alike"
            )
    made = {
        name: Source(codec, rows, _order(len(raw[name]), seed, Stream.SAMPLE))
        for name, rows in encoded.items()
        if name != held
    }
    data = _data(kind, codec, raw[first], None if held is None else raw[held], seed)
    return Sets(kind, data, raw, first, held, made)


def _encoded(
    kind: Kind,
    codec: Codec,
    opened: Mapping[str, Any],
    raw: dict[str, Any],
    options: Options,
    seed: int,
) -> dict[str, Rows]:
    """Return the encoded rows of further data sets, and add them as read to ``raw``.

    Raises:
        InputError: the problems of all of them.
    """
    encoded: dict[str, Rows] = {}
    problems: list[str] = []
    for name, source in opened.items():
        own: list[str] = []
        with collecting(own):
            found = kind.files.reopen(source, codec, options)
            own += [
                f"{name}: lacks the --target {column!r}; add it, or leave --target out"
                for column in options.condition
                if column not in kind.files.columns(found)
            ]
            if not own:
                raw[name] = _some(kind, name, found, seed)
                encoded[name] = codec.rows(raw[name])
        problems += [p if name in p else f"{name}: {p}" for p in own]
    problems += [
        f"{name}: {len(rows)} row{'s' * (len(rows) != 1)}, too few to measure; give at least "
        f"{FEWEST_ROWS}"
        for name, rows in raw.items()
        if len(rows) < FEWEST_ROWS
    ]
    if problems:
        raise InputError(*problems)
    return encoded


def _of_one_kind(named: Mapping[str, Any], options: Options) -> tuple[dict[str, Any], Kind]:
    sources: dict[str, Any] = {}
    found: dict[str, Kind] = {}
    problems: list[str] = []
    for name, source in named.items():
        with collecting(problems):
            sources[name] = resolve(source)
            found[name] = recognise(sources[name], options)
    if problems:
        raise InputError(*problems)
    (first, kind), *others = found.items()
    problems += [
        f"{name}: cannot be judged by {first}: the kinds of data are {other.name} and {kind.name}; "
        "give one kind"
        for name, other in others
        if other.name != kind.name
    ]
    if problems:
        raise InputError(*problems)
    return sources, kind


def _some(kind: Kind, name: str, raw: Any, seed: int) -> Any:
    """Return at most ``MOST_ROWS`` rows, drawn at random, with a notice if there are more."""
    if len(raw) > MOST_ROWS:
        notify(f"{name}: {MOST_ROWS:,} of its {len(raw):,} rows are used, drawn at random")
    return kind.files.select(raw, some(len(raw), MOST_ROWS, seed))


def _order(n: int, seed: int, stream: Stream) -> np.ndarray:
    return generator(seed, stream).permutation(n)


def _data(kind: Kind, codec: Codec, real: Any, held: Any, seed: int) -> Data:
    """Return real rows, split into training and held-out ones; into halves if none are held out."""
    order = _order(len(real), seed, Stream.HALVES)
    both = real if held is None else kind.files.concatenate(real, held)
    rows = codec.rows(both)
    if held is None:
        half = len(real) // 2
        first, second = order[half:], order[:half]
    else:
        first = order
        second = len(real) + _order(len(held), seed, Stream.HELD_OUT)
    train, holdout = Source(codec, rows, first), Source(codec, rows, second)
    return Data(kind.files, codec, train, holdout, holdout, both)
