"""Memorisation of training rows: copies, nearest neighbours, and a membership attack."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor

from surveyor.data import Source
from surveyor.findings import Finding
from surveyor.measures import Figure, Figures, Measure, Seen
from surveyor.streams import Stream, generator

LOOKED = 2048  # samples, members and held-out rows whose nearest neighbours are searched
NUMBERS, MOST_AMONG = 2**24, 100_000  # the most entries, and rows, to search among
AT_ONCE, BLOCK = 4096, 512  # rows read, and compared, at a time
SHOWN = 50_000  # training points among which a report shows the nearest
DIRECT = 8  # the most coordinates for which distances are summed directly
TIE = 1e-12  # the resolution of squared distances
REVEALING = {"R03", "R04", "R07"}  # findings of samples that reveal training rows
EQUAL = 1e-6  # entries are equal within this, in standard deviations or relative to the value


@dataclass(frozen=True)
class Memorised:
    """How much samples reveal of training rows.

    ``copies`` is the share of ``samples`` generated points that equal one of all ``training``
    rows, ``copies_floor`` the same for held-out rows. Rows of a table are equal if all their
    categories and cells are.

    ``closer_to_training`` measures how often the nearest neighbour of a generated point, among
    ``neighbours`` training rows and the held-out rows, is a training row: .5 at chance, 1 always;
    ``closer_error`` is its standard error. ``nearest`` is the median distance of generated points
    to the closest of these training rows, ``nearest_floor`` that of held-out rows.

    ``membership_auc`` is the AUC of an attack that takes a row for a training row if one of the
    ``samples`` is near, on ``n`` members drawn from all training rows and ``n`` held-out rows: .5
    if it learns nothing.
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


@dataclass(frozen=True)
class Memorising(Measure):
    """How much samples reveal of training rows, on as many samples as memory allows."""

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the copies, nearest neighbours and the attack's AUC, each beside its floor."""
        if not seen.own:
            return
        train, held = seen.data.train, seen.data.holdout
        n = min(max(seen.rows, len(train)), most(seen.codec.metric_points(held.first(1)).shape[1]))
        m = memorising(
            seen.codec.metric_points(seen.delivered(n)), Joint(train), Joint(held), seen.seed
        )
        yield _figure("copies", m.copies, m.copies_floor, m.samples)
        yield _figure("closer_to_training", m.closer_to_training, 0.5, m.neighbours, m.closer_error)
        yield _figure("nearest_training", m.nearest, m.nearest_floor, m.neighbours)
        # The standard error of an AUC on n + n rows is about sqrt(1 / 6n).
        yield _figure("membership_auc", m.membership_auc, 0.5, m.n, (6 * m.n) ** -0.5)

    def findings(self, figures: Figures, seen: Seen) -> Iterator[Finding]:
        """Yield what samples reveal of training rows."""
        if "copies" in figures:
            for check in (_close_to_training, _copies, _membership):
                yield from check(figures)


def _figure(name: str, value: float, floor: float, n: int, spread: float | None = None) -> Figure:
    return Figure(name, value, floor, "", "floor", n=n, spread=spread, rows="train")


def _close_to_training(figures: Figures) -> Iterator[Finding]:
    closer = figures["closer_to_training"]
    # Four standard errors, and a little.
    if closer.known > 0.54 + 4 * (closer.spread or 0):
        yield Finding(
            "R03",
            "warn",
            "a sample's nearest neighbour is a training row more often than by chance: "
            f"{closer.known:.2f} (.50 is chance, 1 always)",
            "The samples reveal training rows; train shorter or on more data before sharing",
        )


def too_many(share: float, floor: float, n: int) -> bool:
    """Return whether a share of copies is beyond its floor, measured on ``n`` rows, and chance."""
    floor = (floor * n + 1) / (n + 2)  # above 0, however few rows are held out
    error = np.sqrt(floor * (1 - floor) / n)
    return bool(share > min(2 * floor + 0.01, (1 + floor) / 2) + 4 * error)


def _copies(figures: Figures) -> Iterator[Finding]:
    own, n = figures["copies"], figures["membership_auc"].n
    if too_many(own.known, own.floor or 0.0, n):
        yield Finding(
            "R04",
            "warn",
            f"{own.known:.1%} of samples equal a training row; {own.known_floor:.1%} of held-out "
            "rows do",
            "Remove copies before sharing the samples",
        )


def _membership(figures: Figures) -> Iterator[Finding]:
    attack = figures["membership_auc"]
    # Four standard errors, and a little.
    if attack.known > 0.52 + 4 * (attack.spread or 0):
        yield Finding(
            "R07",
            "warn",
            f"an attacker who sees the samples separates training rows from others with an AUC of "
            f"{attack.known:.2f} (.50 is chance)",
            "Train shorter or on more data before sharing",
        )


class Points(Protocol):
    """Points (n, ...) that can be read in batches: a tensor, or the rows of a source."""

    def __len__(self) -> int: ...

    def __getitem__(self, at: np.ndarray) -> Tensor: ...


@dataclass(frozen=True)
class Joint:
    """A source's rows in the space of the ground metric."""

    source: Source

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, at: np.ndarray) -> Tensor:
        source = self.source
        return source.codec.metric_points(source.codec.batch(source.rows, source.index[at]))


def most(width: int) -> int:
    """Return the number of points with ``width`` entries to search neighbours among."""
    return max(LOOKED, min(MOST_AMONG, NUMBERS // width))


def memorising(made: Points, train: Points, holdout: Points, seed: int = 0) -> Memorised:
    """Compare generated points with all training and held-out ones, (n, ...) each.

    To detect memorisation of many training rows, give about as many generated points.
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
    return Memorised(
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

    All of ``among`` are sorted by a random projection, which makes equal points neighbours;
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
        candidates = np.flatnonzero(~found & (np.abs(keys[beside] - own) <= within))
        pairs = zip(
            _parts(points, index[candidates]), _parts(among, beside[candidates]), strict=True
        )
        same = [torch.isclose(x, y, EQUAL, EQUAL).all(1).numpy() for x, y in pairs]
        found[candidates] = np.concatenate(same) if same else False
    return found


def _parts(points: Points, index: np.ndarray) -> Iterator[Tensor]:
    for start in range(0, len(index), AT_ONCE):
        yield points[index[start : start + AT_ONCE]].flatten(1)


def _read(points: Points, index: np.ndarray) -> Tensor:
    """Return the points at ``index``, (n, d)."""
    return torch.cat([part.double() for part in _parts(points, index)])


@dataclass(frozen=True)
class Closest:
    """The distance of each point to its nearest neighbour, the number of ties, and the first."""

    distance: np.ndarray
    tied: np.ndarray
    at: np.ndarray


def _closest(points: Tensor, among: Tensor) -> Closest:
    least = torch.full((len(points),), torch.inf, dtype=torch.float64)
    tied, at = (torch.zeros(len(points), dtype=torch.int64) for _ in range(2))
    for start in range(0, len(among), BLOCK):
        squares = _squares(points, among[start : start + BLOCK])
        close = (squares.amin(1) / TIE <= least + 1).nonzero().flatten()
        rounded = (squares[close].clamp_(min=0) / TIE).round()
        lowest, place = rounded.min(1)
        now = torch.minimum(least[close], lowest)
        at[close] = torch.where(lowest < least[close], start + place, at[close])
        tied[close] = tied[close] * (least[close] == now) + (rounded == now.unsqueeze(1)).sum(1)
        least[close] = now
    return Closest((least * TIE).sqrt().numpy(), tied.numpy(), at.numpy())


def _balance(to_train: Closest, to_held: Closest, train: int, held: int) -> tuple[float, float]:
    """Return how often a training row is the closest (.5 at chance, 1 always), and its error.

    At chance, a row is equally likely to be the closest on either side. The error is that of
    choosing the held-out rows at random among all, some of which are closest to many points.
    """
    least = np.minimum(to_train.distance, to_held.distance)
    own, other = (side.tied * (side.distance == least) for side in (to_train, to_held))
    share, chance = float((own / (own + other)).mean()), train / (train + held)
    winner = np.where(own > 0, to_train.at, train + to_held.at)
    mass = np.bincount(winner, minlength=train + held) / len(least)
    error = float(np.sqrt(chance * held * mass.var())) / (2 * (1 - chance))
    return min(1.0, max(0.0, 0.5 + (share - chance) / (1 - chance) / 2)), error


def _squares(a: Tensor, b: Tensor) -> Tensor:
    """Return squared distances (n, m), summed directly in few coordinates, by products in many."""
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
