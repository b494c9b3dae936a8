"""Distances between two sets of feature vectors (n, d), usually a classifier's."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from surveyor.transport import wasserstein_2_gaussians

NEAREST = 3


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Return |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), Heusel et al. 2017.

    It is the squared W2 between Gaussians with the sets' moments. Its bias on samples is about
    d^2 / n, also between real and real: read it beside that floor at the same number of points.
    """
    first, second = (np.cov(x, rowvar=False) for x in (a, b))
    return wasserstein_2_gaussians(a.mean(0), first, b.mean(0), second) ** 2


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared MMD under k(x, y) = (x . y / d + 1)^3, unbiased (Binkowski et al. 2018).

    Being unbiased, it can be negative if the distributions are close.
    """
    d = a.shape[1]

    def within(x: np.ndarray) -> float:
        k = (x @ x.T / d + 1) ** 3
        return float((k.sum() - np.trace(k)) / (len(x) * (len(x) - 1)))

    return within(a) + within(b) - 2 * float(((a @ b.T / d + 1) ** 3).mean())


def precision_recall(made: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Return the shares of ``made`` near ``real`` and of ``real`` near ``made``.

    A point is near a set if it is within the distance of some point of the set to that point's
    third nearest neighbour in the set (Kynkaanniemi et al. 2019). Bad samples lower the first
    share, missing ones the second.
    """

    def covered(points: np.ndarray, by: np.ndarray) -> float:
        radius = np.partition(cdist(by, by), NEAREST, axis=1)[:, NEAREST]
        return float((cdist(points, by) <= radius).any(1).mean())

    return covered(made, real), covered(real, made)
