"""Coverage of known modes (as in PacGAN, Lin et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist


@dataclass(frozen=True)
class Coverage:
    """How well samples cover known modes.

    ``modes`` is the number of modes with a high-quality sample, ``high_quality`` the share of
    samples within 3 sigma of a mode, ``reverse_kl`` KL(generated modes || uniform) in nats, and
    ``spread`` each mode's standard deviation over the true sigma.
    """

    modes: int
    high_quality: float
    reverse_kl: float
    spread: tuple[float, ...]


def coverage(samples: ArrayLike, centres: ArrayLike, sigma: float) -> Coverage:
    """Compare samples (n, 2) with modes (m, 2) of equal weight and standard deviation ``sigma``.

    A mode's spread is the root mean variance of the samples within 5 sigma, over sigma; a Gaussian
    keeps more than .9999 of its spread under this cut. A mode without samples has spread 0.
    """
    points, modes = np.asarray(samples, float), np.asarray(centres, float)
    distance = cdist(points, modes)
    nearest = distance.argmin(1)
    closest = distance[np.arange(len(points)), nearest]
    good = closest <= 3 * sigma
    counts = np.bincount(nearest[good], minlength=len(modes))
    share = counts[counts > 0] / max(counts.sum(), 1)
    spread = []
    for k in range(len(modes)):
        inside = points[(nearest == k) & (closest <= 5 * sigma)]
        spread.append(float(np.sqrt(inside.var(0).mean()) / sigma) if len(inside) > 1 else 0.0)
    return Coverage(
        int((counts > 0).sum()),
        float(good.mean()),
        float((share * np.log(share * len(modes))).sum()),
        tuple(spread),
    )
