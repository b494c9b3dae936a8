"""Has the generator learnt the data or its rows? Copies, nearest neighbours, and an attack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import Codec, Source
from surveyor.data.images import ImageCodec
from surveyor.data.vectors import VectorCodec
from surveyor.streams import Stream, generator

LOOKED = 2048  # samples, members and held-out rows whose neighbours are looked for
NUMBERS, MOST_AMONG = 2**24, 100_000  # entries, and rows, of what they are looked for among
AT_ONCE, BLOCK = 4096, 512  # rows read together, and compared
SHOWN = 50_000  # training points of which a report shows the nearest
DIRECT = 8  # coordinates up to which distances are summed up
TIE = 1e-12  # squared distances are told apart to this
EQUAL = 1e-6  # difference in deviations, or of the value, below which two entries are one


@dataclass(frozen=True)
class Memorising:
    """``copies`` is the share of ``samples`` generated points that equal one of all ``training``
    rows, ``copies_floor`` the same for held-out rows. Rows of a table are equal where all their
    categories and cells are.

    ``closer_to_training`` tells how often the row nearest to a generated point is a training row,
    of ``neighbours`` training rows and the held-out ones: .5 is as often as by chance, 1 always;
    ``closer_error`` is its standard error. ``nearest`` is the median distance of generated points
    to the closest of the same training rows, ``nearest_floor`` that of held-out ones.

    ``membership_auc`` is that of an attack which takes rows for training rows where one of the
    ``samples`` lies near, on ``n`` members drawn from all training rows and ``n`` held-out rows:
    .5 where it learns nothing.
    """

    closer_to_training: float
    copies: float
    copies_floor: float
    n: int
    membership_auc: float = 0.5
    nearest: float = 0.0
    nearest_floor: float = 0.0
    closer_error: float = 0.0
    training: int = 0
    neighbours: int = 0
    samples: int = 0


class Points(Protocol):
    """Points (n, ...) that are taken a part at a time: a tensor, or rows of a source."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: np.ndarray) -> Tensor: ...


@dataclass(frozen=True)
class Joint:
    """A source's rows in the joint space of x and condition."""

    source: Source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, at: np.ndarray) -> Tensor:
        source = self.source
        return source.codec.batch(source.rows, source.index[at]).joint()


def most(width: int) -> int:
    """Return among how many points of ``width`` entries neighbours are looked for."""
    return max(LOOKED, min(MOST_AMONG, NUMBERS // width))


def memorising(made: Points, train: Points, holdout: Points, seed: int = 0) -> Memorising:
    """Compare generated points with all training and held-out ones, (n, ...) each.

    To see what a generator of many training rows keeps, give about as many points as those.
    """
    rng = generator(seed, Stream.MEMORISING)
    room = most(train[np.arange(1)][0].numel())
    some = np.sort(rng.permutation(len(train))[:room])
    samples, held = (np.arange(min(len(x), room)) for x in (made, holdout))
    n = min(LOOKED, len(train), len(holdout))
    members = np.sort(rng.permutation(len(train))[:n])
    shown, known, others = _read(made, samples), _read(train, some), _read(holdout, held)
    looked = shown[:LOOKED]
    to_train, to_held = _closest(looked, known), _closest(looked, others)
    share, error = _balance(to_train, to_held, len(known), len(others))
    attacked = torch.cat([_read(train, members), others[:n]])
    near, floor = (_closest(*pair).distance for pair in ((attacked, shown), (others[:n], known)))
    return Memorising(
        closer_to_training=share,
        copies=float(copied(made, train).mean()),
        copies_floor=float(copied(holdout, train, held).mean()),
        n=n,
        membership_auc=float(roc_auc_score(np.repeat([1, 0], n), -near)),
        nearest=float(np.median(to_train.distance)),
        nearest_floor=float(np.median(floor)),
        closer_error=error,
        training=len(train),
        neighbours=len(some),
        samples=len(made),
    )


def copied(points: Points, among: Points, index: np.ndarray | None = None) -> np.ndarray:
    """Return which of ``points``, or of those at ``index``, equal one of ``among``, (n,).

    All of ``among`` are ordered by a random projection, where equal points are neighbours;
    neighbours are compared entry by entry.
    """
    index = np.arange(len(points)) if index is None else index
    width = points[index[:1]][0].numel()
    direction = torch.from_numpy(np.random.default_rng(0).standard_normal(width))
    keys, own = (
        np.concatenate([(x.double() @ direction).numpy() for x in _parts(side, at)])
        for side, at in ((among, np.arange(len(among))), (points, index))
    )
    order = np.argsort(keys, kind="stable")
    place = np.searchsorted(keys[order], own)
    found = np.zeros(len(index), dtype=bool)
    within = 10 * EQUAL * np.sqrt(width) * (1 + np.abs(own))
    for step in range(-2, 2):
        beside = order[np.clip(place + step, 0, len(order) - 1)]
        asked = np.flatnonzero(~found & (np.abs(keys[beside] - own) <= within))
        pairs = zip(_parts(points, index[asked]), _parts(among, beside[asked]), strict=True)
        same = [torch.isclose(x, y, EQUAL, EQUAL).all(1).numpy() for x, y in pairs]
        found[asked] = np.concatenate(same) if same else False
    return found


def delivered(codec: Codec, made: Batch, codes: np.ndarray, draws: Draws) -> Batch:
    """Return generated points as the codec reads what a user gets of them: rounded as data are."""
    if not isinstance(codec, (ImageCodec, VectorCodec)):
        return made
    main = next(iter(codec.decode(made, codes, draws).values()))
    read = main if isinstance(codec, ImageCodec) else codec.encoded(main)
    return Batch(codec.points({"x": read}, np.arange(len(read))), made.cond)


def _parts(points: Points, index: np.ndarray) -> Iterator[Tensor]:
    for start in range(0, len(index), AT_ONCE):
        yield points[index[start : start + AT_ONCE]].flatten(1)


def _read(points: Points, index: np.ndarray) -> Tensor:
    """Return the points at ``index``, (n, d)."""
    return torch.cat([part.double() for part in _parts(points, index)])


@dataclass(frozen=True)
class Closest:
    """Of each point the distance to the closest of others, how many are as close, and the first
    of them, (n,) each.
    """

    distance: np.ndarray
    tied: np.ndarray
    at: np.ndarray


def _closest(points: Tensor, among: Tensor) -> Closest:
    least = torch.full((len(points),), torch.inf, dtype=torch.float64)
    tied, at = (torch.zeros(len(points), dtype=torch.int64) for _ in range(2))
    for start in range(0, len(among), BLOCK):
        squares = _squares(points, among[start : start + BLOCK])
        asked = (squares.amin(1) / TIE <= least + 1).nonzero().flatten()
        told = (squares[asked].clamp_(min=0) / TIE).round()
        lowest, place = told.min(1)
        now = torch.minimum(least[asked], lowest)
        at[asked] = torch.where(lowest < least[asked], start + place, at[asked])
        tied[asked] = tied[asked] * (least[asked] == now) + (told == now.unsqueeze(1)).sum(1)
        least[asked] = now
    return Closest((least * TIE).sqrt().numpy(), tied.numpy(), at.numpy())


def _balance(to_train: Closest, to_held: Closest, train: int, held: int) -> tuple[float, float]:
    """Return how often a training row is the closest, .5 by chance and 1 always, and its error.

    By chance a row is as likely to be the closest whichever side it is on. The error is that of
    choosing the held-out rows anew among all, some of which are closest to many points.
    """
    least = np.minimum(to_train.distance, to_held.distance)
    own, other = (side.tied * (side.distance == least) for side in (to_train, to_held))
    share, chance = float((own / (own + other)).mean()), train / (train + held)
    winner = np.where(own > 0, to_train.at, train + to_held.at)
    mass = np.bincount(winner, minlength=train + held) / len(least)
    error = float(np.sqrt(chance * held * mass.var())) / (2 * (1 - chance))
    return min(1.0, max(0.0, 0.5 + (share - chance) / (1 - chance) / 2)), error


def _squares(a: Tensor, b: Tensor) -> Tensor:
    """Return squared distances (n, m): summed up in few coordinates, from products in many."""
    if a.shape[1] <= DIRECT:
        return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist").square_()
    both = a.square().sum(1, keepdim=True) + b.square().sum(1)
    return both.addmm_(a, b.T, alpha=-2)


def nearest(points: Tensor, source: Source) -> np.ndarray:
    """Return the row of ``source`` nearest to each of ``points`` (n, ...) in x, (n,)."""
    flat, index = points.flatten(1), source.index[:SHOWN]
    least = torch.full((len(flat),), torch.inf)
    found = torch.zeros(len(flat), dtype=torch.int64)
    for start in range(0, len(index), AT_ONCE):
        rows = source.codec.points(source.rows, index[start : start + AT_ONCE]).flatten(1)
        distance, at = torch.cdist(flat, rows).min(1)
        found = torch.where(distance < least, at + start, found)
        least = torch.minimum(distance, least)
    chosen: np.ndarray = index[found.numpy()]
    return chosen
