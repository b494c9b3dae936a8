"""Distances between two sets of feature vectors (n, d): of a classifier's features, by custom."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist

from surveyor.transport import wasserstein_2_gaussians

NEAREST = 3


def frechet(a: np.ndarray, b: np.ndarray) -> float:
    """Return |m_a - m_b|^2 + tr(S_a + S_b - 2 (S_a S_b)^(1/2)), Heusel et al. 2017.

    It is the squared W2 between Gaussians with the sets' moments. A sample's is too large by about
    d^2 / n, for real against real alike: read it beside that floor, of as many points.
    """
    first, second = (np.cov(x, rowvar=False) for x in (a, b))
    return wasserstein_2_gaussians(a.mean(0), first, b.mean(0), second) ** 2


def kernel_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared MMD under k(x, y) = (x . y / d + 1)^3, unbiased (Binkowski et al. 2018).

    Being unbiased it may be below 0 where the sets are alike.
    """
    d = a.shape[1]

    def within(x: np.ndarray) -> float:
        k = (x @ x.T / d + 1) ** 3
        return float((k.sum() - np.trace(k)) / (len(x) * (len(x) - 1)))

    return within(a) + within(b) - 2 * float(((a @ b.T / d + 1) ** 3).mean())


def precision_recall(made: np.ndarray, real: np.ndarray) -> tuple[float, float]:
    """Return the shares of ``made`` near ``real`` and of ``real`` near ``made``.

    Near: within some point's distance to its third nearest neighbour of its own set
    (Kynkaanniemi et al. 2019). The first falls with bad samples, the second with missing ones.
    """

    def covered(points: np.ndarray, by: np.ndarray) -> float:
        radius = np.partition(cdist(by, by), NEAREST, axis=1)[:, NEAREST]
        return float((cdist(points, by) <= radius).any(1).mean())

    return covered(made, real), covered(real, made)
