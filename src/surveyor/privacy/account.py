"""What is spent: counts with noise for the codec, noisy sums for the nets, one epsilon for both.

The accountant is that of dp-accounting, by Renyi divergences, in which a discrete Gaussian on a
grid costs what a Gaussian costs.
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

# The codec's share of what (epsilon, delta) allows in rho, zero-concentrated privacy: so much that
# values of one row in a hundred are shown, within bounds.
LEAST_SHARE, MOST_SHARE, RARE = 0.15, 0.5, 0.01
SHOWN_SHARE = 0.1  # of delta: that a value of one row alone is shown
LEAST, MOST = 0.3, 1000.0  # noise that is looked for


@dataclass(frozen=True)
class Counts:
    """Histograms of training rows, told with noise: all that a codec learns from them.

    ``noise`` is the deviation of a count of weight 1; of weight w it is noise / sqrt w. A row adds
    1 to at most one entry of a histogram. ``threshold`` is what a count must reach for its value to
    be shown, where the values themselves are read from the rows.
    """

    noise: float
    threshold: float

    def noisy(self, counts: np.ndarray, weight: float = 1.0) -> np.ndarray:
        """Return counts (k,) with noise, of values that are known without the rows."""
        fine = math.floor(DEVIATION * math.sqrt(weight) / self.noise)  # steps of noise to a count
        whole = counts.astype(np.int64) * fine + discrete_gaussian(len(counts))
        return np.asarray(whole / fine)

    def shown(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return which counts (k,) are shown, all of them at least 1, and these with noise."""
        found = self.noisy(counts)
        kept = np.flatnonzero(found >= self.threshold)
        return kept, found[kept]


@dataclass(frozen=True)
class CodecAccount:
    """What a codec has spent: histograms of ``weight`` in all with ``noise``.

    ``shown`` bounds the probability that a value of one row alone is shown.
    """

    noise: float
    weight: float
    threshold: float
    shown: float


def noisy_counts(
    epsilon: float, delta: float, rows: int, weight: float, lists: int
) -> tuple[Counts, CodecAccount]:
    """Return counts for histograms of ``weight`` in all, ``lists`` of which show read values."""
    log = math.log(1 / delta)
    rho = (math.sqrt(epsilon + log) - math.sqrt(log)) ** 2
    shown = SHOWN_SHARE * delta if lists else 0.0
    far = float(norm.isf(shown / lists)) if lists else 0.0
    noise = math.sqrt(max(weight, 1.0) / (2 * rho))  # if all were the codec's
    share = (noise * max(far, 1.0) / (RARE * rows)) ** 2
    noise /= math.sqrt(min(max(share, LEAST_SHARE), MOST_SHARE))
    # A count of 1 adds its own 1; the tail of whole steps is the Gaussian's from a step before.
    threshold = 1 + noise * (far + 1 / DEVIATION) if lists else 0.0
    return Counts(noise, threshold), CodecAccount(noise, weight, threshold, shown)


@dataclass(frozen=True)
class Spending:
    """Updates that take each row with probability ``rate``, after a codec."""

    delta: float
    rate: float
    updates: int
    codec: CodecAccount | None = None

    def epsilon(self, noise: float | None) -> float:
        """Return the epsilon of codec and updates with ``noise``, or of the codec alone."""
        import dp_accounting as dp  # type: ignore[import-untyped]
        from dp_accounting.rdp import RdpAccountant  # type: ignore[import-untyped]

        logging.getLogger("absl").setLevel(logging.ERROR)  # it tells of orders that it leaves out
        accountant = RdpAccountant(neighboring_relation=dp.NeighboringRelation.REPLACE_SPECIAL)
        codec, shown = self.codec, 0.0
        if codec is not None and codec.weight > 0:
            accountant.compose(dp.GaussianDpEvent(codec.noise / math.sqrt(codec.weight)))
            shown = codec.shown
        if noise is not None:
            once: Any = dp.PoissonSampledDpEvent(self.rate, dp.GaussianDpEvent(noise))
            accountant.compose(dp.SelfComposedDpEvent(once, self.updates))
        # But for the probability ``shown`` nothing is shown that one row alone has; that it was
        # not is known then, which is worth a factor of 1 / (1 - shown).
        return float(accountant.get_epsilon(self.delta - shown)) - math.log1p(-shown)

    def least_noise(self, epsilon: float) -> float:
        """Return the least noise of the updates with which all stays within ``epsilon``.

        Raises:
            InputError: dp-accounting is not installed, or no noise is enough.
        """
        try:
            import dp_accounting  # noqa: F401
        except ModuleNotFoundError as error:
            raise InputError(
                "--privacy: needs an accountant; install it with: pip install 'surveyor[privacy]'"
            ) from error
        if self.epsilon(MOST) > epsilon:
            raise InputError(
                f"--privacy: epsilon={epsilon:g}, no noise up to {MOST:g} is enough for "
                f"{self.updates:,} updates; give a larger epsilon, fewer --steps or a smaller "
                "--batch"
            )
        low, high = LEAST, MOST
        while high - low > 1e-3 * high:
            middle = math.sqrt(low * high)
            low, high = (low, middle) if self.epsilon(middle) <= epsilon else (middle, high)
        return high if self.epsilon(low) > epsilon else low
