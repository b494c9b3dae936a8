"""Has the generator learnt the data or its rows? Nearest neighbours, train against held-out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from torch import Tensor


@dataclass(frozen=True)
class Memorising:
    """``closer_to_training`` is the share of generated points whose nearest neighbour among n
    training points is closer than among n held-out ones: .5 for a generator that knows neither
    better. ``copies`` is the share that lies exactly on a training point, ``copies_floor`` the
    same for held-out points.
    """

    closer_to_training: float
    copies: float
    copies_floor: float
    n: int


def memorising(made: Tensor, train: Tensor, holdout: Tensor) -> Memorising:
    """Compare generated points with equally many training and held-out ones, all (n, d)."""
    n = min(len(train), len(holdout))
    fake = made.flatten(1).double().numpy()
    a, b = train[:n].flatten(1).double().numpy(), holdout[:n].flatten(1).double().numpy()
    to_train, to_held = cdist(fake, a).min(1), cdist(fake, b).min(1)
    closer = float(np.mean(to_train < to_held) + 0.5 * np.mean(to_train == to_held))
    scale = 1e-6 * max(float(a.std()), 1e-12) * np.sqrt(a.shape[1])
    held_to_train = cdist(b, a).min(1)
    return Memorising(
        closer, float((to_train <= scale).mean()), float((held_to_train <= scale).mean()), n
    )
