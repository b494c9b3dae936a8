"""Integer noise from the operating system's cryptographic random source.

The low bits of floating-point noise can reveal what it was added to (Mironov 2012). Here sums are
rounded to a grid before noise is added, and the noise is a whole number of grid steps: a discrete
Gaussian (Canonne, Kamath and Steinke 2020), whose Renyi divergences between integer shifts are at
most those of the Gaussian.
"""

from __future__ import annotations

import decimal
import math
import os
from functools import cache

import numpy as np

BASE = 2048  # standard deviation of a digit
STRIDE = 512
DIGITS = 3
HALF = 32768  # a digit lies in -HALF to HALF - 1: 16 deviations
DEVIATION = BASE * math.sqrt(sum(STRIDE ** (2 * k) for k in range(DIGITS)))


def discrete_gaussian(n: int) -> np.ndarray:
    """Return ``n`` integers from the discrete Gaussian of deviation ``DEVIATION``, int64.

    Each is x0 + STRIDE x1 + STRIDE^2 x2 with discrete Gaussian digits. That sum is a discrete
    Gaussian again, up to a factor of 1 + exp(-300) in every probability, since a digit's deviation
    is 4 of the next one's steps (Micciancio and Walter 2017).
    """
    digits = _digits(n * DIGITS).reshape(DIGITS, n)
    powers = STRIDE ** np.arange(DIGITS, dtype=np.int64)
    return np.asarray(powers @ digits)


def poisson_sample(n: int, rate: float) -> np.ndarray:
    """Return which of ``n`` rows are included, each independently with probability ``rate``."""
    if rate >= 1:
        return np.ones(n, dtype=bool)
    return np.asarray(_words(n) < np.uint64(math.floor(rate * 2**64)))


def _words(n: int) -> np.ndarray:
    return np.frombuffer(os.urandom(8 * n), dtype=np.uint64)


def _digits(n: int) -> np.ndarray:
    """Draw by Walker's alias method: 16 bits choose an entry, 48 (or 112 in a tie) decide there."""
    high, low, alias = _table()
    words = _words(n)
    place = (words & np.uint64(0xFFFF)).astype(np.int64)
    bits, limit = words >> np.uint64(16), high[place]
    kept = bits < limit
    for k in np.flatnonzero(bits == limit):  # once in 2^48 draws
        kept[k] = int.from_bytes(os.urandom(8), "little") < low[place[k]]
    return np.where(kept, place, alias[place]) - HALF


@cache
def _table() -> tuple[np.ndarray, list[int], np.ndarray]:
    """Return the alias table of a digit: acceptance shares, as 48 and 64 bits, and the aliases.

    Probabilities are whole multiples of 2^-128.
    """
    size, whole = 2 * HALF, 1 << 128
    with decimal.localcontext() as context:
        context.prec = 60
        square = (decimal.Decimal(-1) / (2 * BASE * BASE)).exp()
        step, ratio, weight = square * square, square, decimal.Decimal(1)
        weights = [weight]
        for _ in range(HALF):  # exp(-k^2 / 2 BASE^2), by its ratios
            weight, ratio = weight * ratio, ratio * step
            weights.append(weight)
        total = 2 * sum(weights[1:HALF]) + weights[0] + weights[HALF]
        mass = [int(weights[abs(k)] / total * whole) for k in range(-HALF, HALF)]
    mass[HALF] += whole - sum(mass)
    share, alias = whole // size, list(range(size))
    small = [k for k, m in enumerate(mass) if m < share]
    large = [k for k, m in enumerate(mass) if m >= share]
    while small and large:
        k, j = small.pop(), large[-1]
        alias[k] = j
        mass[j] -= share - mass[k]
        if mass[j] < share:
            small.append(large.pop())
    for k in (*small, *large):
        mass[k] = share
    bits = share.bit_length() - 1 - 48
    high = np.array([m >> bits for m in mass], dtype=np.uint64)
    return high, [m & ((1 << bits) - 1) for m in mass], np.array(alias)
