"""Has the generator learnt the data or its rows? Nearest neighbours, train against held-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial.distance import cdist
from sklearn.metrics import roc_auc_score
from torch import Tensor

from surveyor.data import Source


@dataclass(frozen=True)
class Memorising:
    """``closer_to_training`` is the share of generated points whose nearest neighbour among n
    training points is closer than among n held-out ones: .5 for a generator that knows neither
    better. ``copies`` is the share that lies exactly on a training point, ``copies_floor`` the
    same for held-out points. ``membership_auc`` is that of an attack which takes rows for training
    rows where a generated one lies near: .5 where it learns nothing. ``nearest`` is the median
    distance of generated points to their nearest training point, ``nearest_floor`` that of held-out
    ones (the distance to the closest record).
    """

    closer_to_training: float
    copies: float
    copies_floor: float
    n: int
    membership_auc: float = 0.5
    nearest: float = 0.0
    nearest_floor: float = 0.0


def memorising(made: Tensor, train: Tensor, holdout: Tensor) -> Memorising:
    """Compare generated points with equally many training and held-out ones, all (n, d)."""
    n = min(len(train), len(holdout))
    fake = made.flatten(1).double().numpy()
    a, b = train[:n].flatten(1).double().numpy(), holdout[:n].flatten(1).double().numpy()
    from_fake = cdist(fake, a), cdist(fake, b)
    to_train, to_held = (d.min(1) for d in from_fake)
    near = np.concatenate([d.min(0) for d in from_fake])
    attack = roc_auc_score(np.repeat([1, 0], n), -near)
    closer = float(np.mean(to_train < to_held) + 0.5 * np.mean(to_train == to_held))
    scale = 1e-6 * max(float(a.std()), 1e-12) * np.sqrt(a.shape[1])
    held_to_train = cdist(b, a).min(1)
    return Memorising(
        closer,
        float((to_train <= scale).mean()),
        float((held_to_train <= scale).mean()),
        n,
        float(attack),
        float(np.median(to_train)),
        float(np.median(held_to_train)),
    )


MOST, AT_ONCE = 50_000, 1000  # training points looked through, and those at a time


def nearest(points: Tensor, source: Source) -> np.ndarray:
    """Return the row of ``source`` nearest to each of ``points`` (n, ...) in x, (n,)."""
    flat, index = points.flatten(1), source.index[:MOST]
    least = torch.full((len(flat),), torch.inf)
    found = torch.zeros(len(flat), dtype=torch.int64)
    for start in range(0, len(index), AT_ONCE):
        rows = source.codec.points(source.rows, index[start : start + AT_ONCE]).flatten(1)
        distance, at = torch.cdist(flat, rows).min(1)
        found = torch.where(distance < least, at + start, found)
        least = torch.minimum(distance, least)
    chosen: np.ndarray = index[found.numpy()]
    return chosen
