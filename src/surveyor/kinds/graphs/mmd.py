"""Maximum mean discrepancies of graphs, as papers on generating graphs publish them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from surveyor.kinds.graphs.descriptors import clustering, degrees, spectrum
from surveyor.kinds.graphs.graphs import Graph
from surveyor.kinds.graphs.orbits import orbit_counts

BINS, WIDE = 100, 200  # of clustering and of the spectrum


@dataclass(frozen=True)
class Kernel:
    """exp(-TV(x, y)^2 / 2 sigma^2) of numbers (width,) of two graphs, TV half their L1 distance."""

    of: Callable[[Graph], np.ndarray]
    sigma: float = 1.0


def _shares(counts: np.ndarray) -> np.ndarray:
    return np.asarray(counts / max(counts.sum(), 1))


def _binned(values: np.ndarray, bins: int, high: float) -> np.ndarray:
    return _shares(np.histogram(values, bins, (-1e-5, high))[0])


KERNELS: Mapping[str, Kernel] = {
    "degree": Kernel(lambda g: _shares(np.bincount(degrees(g)))),
    "clustering": Kernel(lambda g: _binned(clustering(g), BINS, 1.0), 0.1),
    "spectrum": Kernel(lambda g: _binned(spectrum(g), WIDE, 2.0)),
    "orbits": Kernel(lambda g: orbit_counts(g.adjacency).mean(0), 30.0),
}
"""Descriptors and widths of GRAN (Liao et al. 2019) and DiGress (Vignac et al. 2023)."""


def mmd(name: str, first: Sequence[Graph], second: Sequence[Graph]) -> float:
    """Return MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y), means over all pairs (a V-statistic).

    It is biased: two sets of n real graphs have about 2 (1 - E k) / n.
    """
    own = KERNELS[name]
    x, y = ([own.of(graph) for graph in side] for side in (first, second))
    width = max(map(len, (*x, *y)))
    a, b = (np.array([np.pad(row, (0, width - len(row))) for row in side]) for side in (x, y))
    pairs = ((a, a, 1), (b, b, 1), (a, b, -2))
    means = [
        sign * np.exp(-((0.5 * cdist(u, v, "cityblock")) ** 2) / (2 * own.sigma**2)).mean()
        for u, v, sign in pairs
    ]
    return float(sum(means))
