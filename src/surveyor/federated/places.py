"""The clients of a federation in one process: a file each, and what each tells of its rows."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.arguments import collecting
from surveyor.build import options_of
from surveyor.data import Codec, Data, Options, Source
from surveyor.data.joining import Joining
from surveyor.errors import InputError
from surveyor.federated.sums import Federation
from surveyor.federated.weighing import shares
from surveyor.kinds import Kind, kinds
from surveyor.kinds.loading import FIT_ROWS, recognise, split_rows
from surveyor.options import Config
from surveyor.streams import Stream, generator

FEWEST = 50  # rows of a client


@dataclass(frozen=True, eq=False)
class Told:
    """What a client tells before training: a codec fitted to its rows, and their number."""

    rows: int
    meta: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]

    @property
    def nbytes(self) -> int:
        """Return the size of the message, about."""
        return len(json.dumps(self.meta)) + sum(a.nbytes for a in self.arrays.values())


@dataclass(frozen=True, eq=False)
class Places:
    """The clients' data as they read them, by name, and how that was agreed upon."""

    kind: Kind
    joining: Joining
    raws: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Joined:
    """Data of all clients with one codec, and the bytes that each told of its columns."""

    data: Data
    told: Mapping[str, int]


def names_of(paths: Sequence[str]) -> tuple[dict[str, str], list[str]]:
    """Return the path of each client by its name, which is that of its file, and the problems."""
    found: dict[str, str] = {}
    problems = []
    for path in paths:
        name = Path(path).name.partition(".")[0] or path
        if name in found:
            problems.append(
                f"{path}: a second client of the name {name}, beside {found[name]}; rename one of "
                "the files"
            )
        found.setdefault(name, path)
    return found, problems


def at_client(name: str, problems: Sequence[str]) -> list[str]:
    """Return problems with the client's name, unless they begin with that of its file."""
    return [p if name in p.partition(":")[0] else f"{name}: {p}" for p in problems]


def read_places(sources: Mapping[str, str], options: Options) -> Places:
    """Read every client's data in the way that all agree upon.

    Raises:
        InputError: data that cannot be read, of another kind, or of too few rows; columns or types
            that differ; all problems at once, each with the name of the client.
    """
    raws: dict[str, Any] = {}
    told: dict[str, Mapping[str, Any]] = {}
    found: dict[str, Kind] = {}
    problems: list[str] = []
    for name, source in sources.items():
        own: list[str] = []
        with collecting(own):
            kind = recognise(source, options)
            if kind.joining is None:
                able = ", ".join(k for k, one in kinds().items() if one.joining is not None)
                raise InputError(
                    f"{source}: read as {kind.name}, which is not trained federated yet; known: "
                    f"{able}"
                )
            raw = kind.files.read(source, options)
            told[name], raws[name], found[name] = kind.joining.told(raw), raw, kind
            if len(raw) < FEWEST:
                own.append(f"{len(raw)} rows, too few for a client; give at least {FEWEST}")
        problems += at_client(name, own)
    agreed: Mapping[str, Any] = {}
    joining = next((k.joining for k in found.values() if k.joining is not None), None)
    if joining is not None:
        with collecting(problems):
            agreed = joining.agreed(told)
    if problems or joining is None:
        raise InputError(*problems)
    for name, raw in raws.items():
        own = []
        with collecting(own):
            raws[name] = joining.reread(raw, agreed, options)
        problems += at_client(name, own)
    if problems:
        raise InputError(*problems)
    return Places(next(iter(found.values())), joining, raws)


def join(places: Places, config: Config, weigh: Sequence[str]) -> Joined:
    """Return the data of all clients, split at each, with a codec merged from what they tell.

    Raises:
        InputError: columns that cannot be learnt.
    """
    files, options = places.kind.files, replace(options_of(config), shared=True)
    split = {n: split_rows(len(r), config.holdout, config.seed) for n, r in places.raws.items()}
    told: dict[str, Told] = {}
    problems: list[str] = []
    for name, raw in places.raws.items():
        own: list[str] = []
        with collecting(own):
            train = np.sort(split[name][0][:FIT_ROWS])
            codec = files.fit(files.select(raw, train), options)
            told[name] = Told(len(split[name][0]), *codec.state())
        problems += at_client(name, own)
    if problems:
        raise InputError(*problems)
    codec = merged(places, tuple(told.values()))
    weights = shares(weigh, {name: own.rows for name, own in told.items()})
    data = _joint(places, codec, split, weights, config.seed)
    return Joined(data, {name: own.nbytes for name, own in told.items()})


def merged(places: Places, told: Sequence[Told]) -> Codec:
    """Return the codec of all clients' rows, from what they tell of theirs."""
    codecs = [places.kind.codec.restore(own.meta, own.arrays) for own in told]
    return places.joining.merged(codecs, [own.rows for own in told])


def _joint(
    places: Places,
    codec: Codec,
    split: Mapping[str, Sequence[np.ndarray]],
    weights: Mapping[str, float],
    seed: int,
) -> Data:
    files = places.kind.files
    every = [files.select(raw, np.arange(len(raw))) for raw in places.raws.values()]
    whole = reduce(files.concatenate, every)
    rows = codec.rows(whole)
    starts = dict(zip(places.raws, np.cumsum([0, *map(len, every)]).tolist(), strict=False))
    parts = {}
    for name, own in split.items():
        train, validation, held = (Source(codec, rows, starts[name] + index) for index in own)
        parts[name] = Data(files, codec, train, validation, held, whole, share=weights[name])
    mixed = generator(seed, Stream.SPLIT)

    def together(which: str) -> np.ndarray:
        """Return rows of all clients in random order."""
        return mixed.permutation(np.concatenate([getattr(p, which).index for p in parts.values()]))

    every_train = tuple(part.train for part in parts.values())
    federation = Federation(
        codec, rows, together("train"), False, every_train, tuple(weights.values())
    )
    validation = Source(codec, rows, together("validation"))
    held = Source(codec, rows, together("holdout"))
    return Data(files, codec, federation, validation, held, whole, parts)
