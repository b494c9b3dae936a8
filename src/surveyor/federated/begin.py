"""Starting a federated run in one process, and opening it again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from torch import nn

import surveyor.run as runs
from surveyor.arguments import collecting
from surveyor.build import options_of, plan_of
from surveyor.critics import OfClients
from surveyor.data import Codec, Data
from surveyor.errors import InputError
from surveyor.federated.places import Joined, Known, Places, join, names_of, read_places
from surveyor.federated.private import Accounts
from surveyor.federated.weighing import BY_ROWS, weighing_problems
from surveyor.options import Config, configure, part_of
from surveyor.privacy import CodecAccount
from surveyor.reading import read_json
from surveyor.run.opening import Opened
from surveyor.run.preparing import early_options
from surveyor.training import Game, Plan
from surveyor.training.privacy import Privacy

FILE = "federated.json"
UNFIT: Mapping[str, str] = {
    "group": "groups are not merged between clients",
    "balance": "groups are not merged between clients",
    "rule": "rules are not kept in federated runs",
    "except_rule": "rules are not kept in federated runs",
    "task": "tasks are not trained federated",
    "whiten": "moments are not merged between clients",
    "device": "the clients compute on the CPU",
    "compile": "the clients' batches differ in size",
}
"""Options that a federated run does not take, each with the reason."""
FIGURES = 4  # W1, AUC and their floors
FIXED: Mapping[str, Any] = {"rules": "no", "device": "cpu", "compile": "no"}


@dataclass(frozen=True)
class Member:
    """A client of a run: its name and file, its rows, and the bytes that it told of its columns.

    ``account`` is what the codec has spent of its privacy.
    """

    name: str
    source: str
    rows: int
    share: float
    told: int
    account: CodecAccount | None = None


@dataclass(frozen=True)
class Members:
    """``federated.json``: the clients of a run, and how they were weighed."""

    clients: tuple[Member, ...]
    weigh: tuple[str, ...]


@dataclass(frozen=True)
class Left:
    """What left a client, in a word and in a sentence, and how many bytes of it."""

    client: str
    name: str
    what: str
    bytes: int


COUNTS = (
    "Counts: the number of rows; of each column its type, the values that at least 5 rows share, "
    "with their counts, and the counts of cells of at least 5 rows."
)
NOISY = (
    "Counts with noise: the number of rows; of each column its type, and the values and cells of "
    "which the noisy count is high enough."
)


def prepare(
    paths: Sequence[str], given: Mapping[str, Any], weigh: Sequence[str] = (BY_ROWS,)
) -> tuple[Joined, Members, Config]:
    """Read the clients' data, a file each, and resolve the configuration.

    Raises:
        InputError: all problems with files, options and weights, at once.
    """
    given = {name: value for name, value in given.items() if value is not None}
    sources, problems = names_of(paths)
    if not sources:
        problems.append("federate: no data given; write surveyor federate FILE FILE ... --out RUN")
    problems += [
        f"--{name.replace('_', '-')}: {why}; leave it out"
        for name, why in UNFIT.items()
        if given.get(name) not in (None, False, (), "none", FIXED.get(name))
    ]
    problems += weighing_problems(weigh, list(sources)) if sources else []
    able = {name: value for name, value in given.items() if name not in UNFIT}
    early, places = early_options(able), None
    with collecting(problems):
        if early is not None and sources:
            places = read_places(sources, options_of(early))
    defaults: Mapping[str, Any] = {}
    if places is not None:
        defaults = places.joining.defaults(list(places.raws.values()), given)
    config = Config()
    with collecting(problems):
        config = configure({**able, **FIXED}, defaults)
    joined = None
    if places is not None and not problems:
        with collecting(problems):
            joined = join(places, config, weigh)
    if problems or joined is None:
        raise InputError(*problems)
    return joined, _members(joined, sources, weigh), joined.config


def start(
    joined: Joined,
    members: Members,
    config: Config,
    path: Path,
    rehearse: Callable[[runs.Session], None] = lambda session: None,
) -> runs.Session:
    """Create the run folder of a federated run.

    Raises:
        InputError: the folder exists, or the preflight or ``rehearse`` refuses.
    """
    beside = {FILE: json.dumps(asdict(members), indent=1).encode()}
    names = " + ".join(member.name for member in members.clients)
    return runs.start(joined.data, names, config, path, rehearse=rehearse, beside=beside)


def accounts_in(run: runs.Run) -> dict[str, Privacy]:
    """Return the privacy account of each client of a run by name; none without privacy."""
    asked, members = part_of(run.config, "privacy"), members_in(run.path)
    if asked is None or members is None:
        return {}
    every = members.clients
    accounts = Accounts(asked, tuple(member.account for member in every))
    rows, shares = [m.rows for m in every], [m.share for m in every]
    found = accounts.of(rows, shares, plan_of(run.config))
    return {member.name: own for member, own in zip(every, found, strict=True)}


def members_in(path: Path) -> Members | None:
    """Return the clients of the run in a folder; None if it is not federated.

    Raises:
        InputError: the file is damaged.
    """
    return read_json(path / FILE, Members) if os.path.lexists(path / FILE) else None


def own_data(found: Opened | runs.Run, members: Members) -> Data:
    """Read the clients' files again as the data of a run.

    Raises:
        InputError: a file is gone, or the data are different ones.
    """
    sources = {member.name: member.source for member in members.clients}
    config = found.config
    places: Places = read_places(sources, options_of(config))
    known = None
    if config.private:  # to fit again would draw new noise, and spend the budget twice
        known = Known(found.codec, tuple(member.account for member in members.clients))
    data = join(places, config, members.weigh, known).data
    runs.same_data(found.path, found.fingerprint, data)
    return data


def trained_on(run: runs.Run, data: Any = None) -> Data:
    """Return the data that a run was trained on, from their original place or from ``data``.

    Raises:
        InputError: the data are different, gone, or not given.
    """
    members = members_in(run.path)
    if members is None:
        return runs.trained_on(run, data)
    if data is not None:
        raise InputError(
            f"{run.path}: was trained on the data of several clients; bring the files back to "
            f"their places: {', '.join(member.source for member in members.clients)}"
        )
    return own_data(run, members)


def resume(path: Path) -> runs.Session:
    """Continue a federated run from its last checkpoint.

    Raises:
        InputError: there is no such run, it is damaged, or the data are different.
    """
    found, members = runs.opened(path, resuming=True), members_in(path)
    if members is None:
        raise InputError(f"{path}: not a federated run; resume it with: surveyor train --resume")
    return runs.resume(path, own_data(found, members))


def left(members: Members, game: Game, plan: Plan, codec: Codec) -> list[Left]:
    """Return what left each client in a whole run: at most, for a client is not in every batch."""
    figures = "Figures: W1 and AUC on rows that it has held out, each with its floor."
    return [
        own
        for member in members.clients
        for own in (
            Left(member.name, "counts", NOISY if codec.account else COUNTS, member.told),
            *(Left(member.name, *sent) for sent in _sent(game, plan, codec)),
            Left(member.name, "figures", figures, FIGURES * 8),
        )
    ]


def _sent(game: Game, plan: Plan, codec: Codec) -> Iterator[tuple[str, str, int]]:
    """Yield what a client sends in the steps of a run, in a word and a sentence, and its size."""
    generator, critic = (_bytes(net) for net in (game.generator, game.critic))
    warm = min(plan.warm, plan.steps)
    rounds = plan.steps - warm
    if codec.account is not None:
        what = (
            "Sums: of clipped gradients, with noise, over rows that the client draws at random, "
            f"{plan.updates:,} times."
        )
        yield "sums", what, warm * generator + rounds * plan.critic_steps * critic
        return
    if not isinstance(game.critic, OfClients):
        what = f"Sums: of gradients over the client's rows of a batch, {plan.updates:,} at most."
        yield "sums", what, warm * generator + rounds * (generator + plan.critic_steps * critic)
        return
    if warm:
        what = f"Sums: of gradients over the client's rows of a batch, {warm:,} at most."
        yield "sums", what, warm * generator
    what = (
        "Scores: of its own critic at generated rows that the server sends, with their gradients "
        f"in these, {rounds:,} times; the critic stays."
    )
    yield "scores", what, rounds * plan.batch * (1 + codec.space.width) * 4


def _bytes(net: nn.Module) -> int:
    return sum(p.numel() * p.element_size() for p in net.parameters())


def _members(joined: Joined, sources: Mapping[str, str], weigh: Sequence[str]) -> Members:
    return Members(
        tuple(
            Member(name, os.path.abspath(sources[name]), len(part.train), part.share, told, account)
            for (name, part), told, account in zip(
                joined.data.parts.items(), joined.told.values(), joined.accounts, strict=True
            )
        ),
        tuple(weigh),
    )
