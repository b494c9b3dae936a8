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
from surveyor.catalog import name_of, text_of
from surveyor.data import Codec, Data, Options, Source, delta_of
from surveyor.data.joining import Joining
from surveyor.errors import InputError
from surveyor.federated.federation import Federation
from surveyor.federated.private import Accounts
from surveyor.federated.weighing import shares
from surveyor.kinds import Kind, kinds
from surveyor.kinds.loading import FIT_ROWS, recognise, split_rows
from surveyor.options import Config, part_of
from surveyor.privacy import CodecAccount
from surveyor.streams import Stream, generator

FEWEST = 50  # rows of a client


@dataclass(frozen=True, eq=False)
class Told:
    """What a client tells before training: a codec fitted to its rows, and their number.

    ``account`` is what the codec has spent of the client's privacy.
    """

    rows: int
    meta: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    account: CodecAccount | None = None

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
class Known:
    """A codec of all clients' rows, and what it has spent of each client's privacy."""

    codec: Codec
    accounts: tuple[CodecAccount | None, ...]


@dataclass(frozen=True, eq=False)
class Joined:
    """Data of all clients with one codec, and the bytes that each told of its columns.

    ``accounts`` are what the codec has spent of each client's privacy. ``config`` is that of the
    run, in which a critic of clients has a member for each of them.
    """

    data: Data
    told: Mapping[str, int]
    accounts: tuple[CodecAccount | None, ...]
    config: Config


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


def join(
    places: Places, config: Config, weigh: Sequence[str], known: Known | None = None
) -> Joined:
    """Return the data of all clients, split at each, with a codec merged from what they tell.

    Nothing is told where the codec is ``known``.

    Raises:
        InputError: columns that cannot be learnt; options that the clients' critics rule out.
    """
    split = {n: split_rows(len(r), config.holdout, config.seed) for n, r in places.raws.items()}
    rows = {name: len(own[0]) for name, own in split.items()}
    told = {} if known is not None else _told(places, config, split)
    if known is None:
        known = merged(places, tuple(told.values()))
    weights = shares(weigh, rows)
    critic = part_of(config, "critic").of_clients(list(weights.values()))
    if critic is not None:
        if config.term:
            name = name_of(critic)
            raise InputError(
                f"--term: no rows are used for the generator under {name}; leave it out"
            )
        config = replace(config, critic=text_of(critic))
    asked = part_of(config, "privacy")
    accounts = None if asked is None else Accounts(asked, known.accounts)
    data = _joint(places, known.codec, split, config.seed)
    train, parts = data.train, data.parts
    every = tuple(part.train for part in parts.values())
    federation = Federation(
        train.codec, train.rows, train.index, False, every, tuple(weights.values()),
        critic is not None, accounts,
    )  # fmt: skip
    parts = {name: replace(part, share=weights[name]) for name, part in parts.items()}
    data = replace(data, train=federation, parts=parts)
    return Joined(data, {n: own.nbytes for n, own in told.items()}, known.accounts, config)


def _told(
    places: Places, config: Config, split: Mapping[str, Sequence[np.ndarray]]
) -> dict[str, Told]:
    """Return what each client tells of its training rows."""
    files, told = places.kind.files, dict[str, Told]()
    problems: list[str] = []
    for name, raw in places.raws.items():
        own: list[str] = []
        with collecting(own):
            train = split[name][0]
            options = replace(options_of(config), shared=True)
            options = replace(options, delta=delta_of(options, len(train)))
            codec = files.fit(files.select(raw, np.sort(train[:FIT_ROWS])), options)
            told[name] = Told(len(train), *codec.state(), codec.account)
        problems += at_client(name, own)
    if problems:
        raise InputError(*problems)
    return told


def merged(places: Places, told: Sequence[Told]) -> Known:
    """Return the codec of all clients' rows, from what they tell of theirs.

    Where they are private, its account is that of the client with the fewest rows.
    """
    codecs = [places.kind.codec.restore(own.meta, own.arrays) for own in told]
    codec = places.joining.merged(codecs, [own.rows for own in told])
    smallest = min(told, key=lambda own: own.rows)
    codec = replace(codec, account=smallest.account)  # type: ignore[type-var]
    return Known(codec, tuple(own.account for own in told))


def _joint(
    places: Places,
    codec: Codec,
    split: Mapping[str, Sequence[np.ndarray]],
    seed: int,
) -> Data:
    """Return the rows of all clients as one, with those of each beside."""
    files = places.kind.files
    every = [files.select(raw, np.arange(len(raw))) for raw in places.raws.values()]
    whole = reduce(files.concatenate, every)
    rows = codec.rows(whole)
    starts = dict(zip(places.raws, np.cumsum([0, *map(len, every)]).tolist(), strict=False))
    parts = {}
    for name, own in split.items():
        train, validation, held = (Source(codec, rows, starts[name] + index) for index in own)
        parts[name] = Data(files, codec, train, validation, held, whole)
    mixed = generator(seed, Stream.SPLIT)

    def together(which: str) -> np.ndarray:
        """Return rows of all clients in random order."""
        return mixed.permutation(np.concatenate([getattr(p, which).index for p in parts.values()]))

    train = Source(codec, rows, together("train"))
    validation = Source(codec, rows, together("validation"))
    held = Source(codec, rows, together("holdout"))
    return Data(files, codec, train, validation, held, whole, parts)
