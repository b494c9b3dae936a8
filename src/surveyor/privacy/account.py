"""Privacy accounting: noisy counts for the codec, noisy sums for the nets, one epsilon for both.

The accountant is the Renyi accountant of dp-accounting, in which a discrete Gaussian on a grid
costs as much as a Gaussian.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.stats import norm

from surveyor.errors import InputError
from surveyor.privacy.noise import DEVIATION, discrete_gaussian

# The codec's share of the budget, in rho (zero-concentrated differential privacy): as much as it
# takes to show values that occur in one row in a hundred, within bounds.
MIN_SHARE, MAX_SHARE, RARE = 0.15, 0.5, 0.01
SHOWN_SHARE = 0.1  # of delta: for showing a value that only one row has
MIN_NOISE, MAX_NOISE = 0.3, 1000.0  # bounds of the search for the noise


@dataclass(frozen=True)
class Counts:
    """Histograms of training rows, released with noise: all that a codec learns from them.

    ``noise`` is the deviation of a count of weight 1; at weight w it is noise / sqrt w. A row adds
    1 to at most one entry of a histogram. Where the values themselves come from the rows, a value
    is shown only if its noisy count reaches ``threshold``.
    """

    noise: float
    threshold: float

    def noisy(self, counts: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """Return counts (k,) with noise, for values that are known without the rows."""
        fine = math.floor(DEVIATION * math.sqrt(weight) / self.noise)  # grid steps per count
        whole = counts.astype(np.int64) * fine + discrete_gaussian(len(counts))
        return np.asarray(whole / fine)

    def shown(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the indices of the counts (k,) to show, and these with noise.

        All counts given must be at least 1.
        """
        found = self.noisy(counts)
        kept = np.flatnonzero(found >= self.threshold)
        return kept, found[kept]


@dataclass(frozen=True)
class CodecAccount:
    """What a codec has spent: histograms of total weight ``weight``, released with ``noise``.

    ``shown`` bounds the probability that a value of only one row is shown.
    """

    noise: float
    weight: float
    threshold: float
    shown: float


def noisy_counts(
    epsilon: float, delta: float, rows: int, weight: float, lists: int
) -> tuple[Counts, CodecAccount]:
    """Return the noise for histograms of total ``weight``, and the account of it.

    ``lists`` of these histograms show values that are read from the rows.
    """
    log = math.log(1 / delta)
    rho = (math.sqrt(epsilon + log) - math.sqrt(log)) ** 2
    shown = SHOWN_SHARE * delta if lists else 0.0
    far = float(norm.isf(shown / lists)) if lists else 0.0
    noise = math.sqrt(max(weight, 1.0) / (2 * rho))  # if the codec had the whole budget
    share = (noise * max(far, 1.0) / (RARE * rows)) ** 2
    noise /= math.sqrt(min(max(share, MIN_SHARE), MAX_SHARE))
    # The count itself adds 1; a discrete tail is at most the Gaussian's from one grid step earlier.
    threshold = 1 + noise * (far + 1 / DEVIATION) if lists else 0.0
    return Counts(noise, threshold), CodecAccount(noise, weight, threshold, shown)


@dataclass(frozen=True)
class Spending:
    """The budget spent by a codec and by ``updates`` that sample each row with ``rate``."""

    delta: float
    rate: float
    updates: int
    codec: CodecAccount | None = None

    def epsilon(self, noise: float | None) -> float:
        """Return the epsilon of codec and updates with ``noise``; None leaves the updates out."""
        import dp_accounting as dp  # type: ignore[import-untyped]
        from dp_accounting.rdp import RdpAccountant  # type: ignore[import-untyped]

        logging.getLogger("absl").setLevel(logging.ERROR)  # it warns of orders that it skips
        accountant = RdpAccountant(neighboring_relation=dp.NeighboringRelation.REPLACE_SPECIAL)
        codec, shown = self.codec, 0.0
        if codec is not None and codec.weight > 0:
            accountant.compose(dp.GaussianDpEvent(codec.noise / math.sqrt(codec.weight)))
            shown = codec.shown
        if noise is not None:
            once: Any = dp.PoissonSampledDpEvent(self.rate, dp.GaussianDpEvent(noise))
            accountant.compose(dp.SelfComposedDpEvent(once, self.updates))
        # Except with probability ``shown``, no value of only one row is shown. Conditioning on
        # that event costs a factor of 1 / (1 - shown).
        return float(accountant.get_epsilon(self.delta - shown)) - math.log1p(-shown)

    def least_noise(self, epsilon: float) -> float:
        """Return the least noise of the updates that keeps the total within ``epsilon``.

        Raises:
            InputError: dp-accounting is not installed, or no noise is enough.
        """
        try:
            import dp_accounting  # noqa: F401
        except ModuleNotFoundError as error:
            raise InputError(
                "--privacy: needs dp-accounting; install it with: pip install 'surveyor[privacy]'"
            ) from error
        if self.epsilon(MAX_NOISE) > epsilon:
            raise InputError(
                f"--privacy: epsilon={epsilon:g}, no noise up to {MAX_NOISE:g} is enough for "
                f"{self.updates:,} updates; give a larger epsilon, fewer --steps or a smaller "
                "--batch"
            )
        low, high = MIN_NOISE, MAX_NOISE
        while high - low > 1e-3 * high:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.epsilon(middle) <= epsilon else (middle, high)
        return high if self.epsilon(low) > epsilon else low
