"""Mode coverage against known modes (the measures of PacGAN, Lin et al. 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.distance import cdist


@dataclass(frozen=True)
class Coverage:
    """``modes`` with at least one high-quality sample; the share of samples within 3 sigma of a
    mode; KL(generated modes || uniform) in nats; and every mode's spread over the true sigma.
    """

    modes: int
    high_quality: float
    reverse_kl: float
    spread: tuple[float, ...]


def coverage(samples: ArrayLike, centres: ArrayLike, sigma: float) -> Coverage:
    """Judge samples (n, 2) against modes (m, 2) of equal weight and deviation ``sigma``.

    The spread of a mode is the root mean variance of the samples within 5 sigma of it; a
    Gaussian cut there keeps more than .9999 of its own. A mode without samples has spread 0.
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
