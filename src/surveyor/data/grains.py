"""Numbers on a grid: multiples of a grain, such as a cent or a day."""

from __future__ import annotations

import math

import numpy as np

MOST_DECIMALS = 6


def nearest(values: np.ndarray, grain: float) -> np.ndarray:
    """Return each value in grains, rounded to a whole number."""
    return np.asarray(np.rint(values / grain if grain >= 1 else values * round(1 / grain)))


def multiples(number: np.ndarray, grain: float) -> np.ndarray:
    """Return ``number`` times ``grain``, with decimals rounded as their literals are."""
    return np.asarray(number * grain if grain >= 1 else number / round(1 / grain))


def uniform(low: np.ndarray, high: np.ndarray, grain: float, u: np.ndarray) -> np.ndarray:
    """Return for every ``u`` in [0, 1) a value of [low, high), a multiple of ``grain`` unless 0.

    Where low and high are equal, that value is returned.
    """
    if grain == 0:
        return np.asarray(low + u * (high - low))
    first, last = (np.ceil(end / grain - 1e-9) for end in (low, high))
    within = multiples(first + np.floor(u * np.maximum(last - first, 1)), grain)
    return np.where(low == high, low, within)


def decimals(values: np.ndarray) -> int | None:
    """Return the most decimals of finite ``values`` (n,); None beyond ``MOST_DECIMALS``."""
    values = np.unique(values[np.isfinite(values)])
    largest = float(np.abs(values).max(initial=0.0))
    for places in range(MOST_DECIMALS + 1):
        if np.allclose(values, values.round(places), rtol=1e-12, atol=1e-13 * largest):
            return places
    return None


def between(low: float, high: float) -> float | None:
    """Return a number strictly between two, with as few digits as possible; None if none is."""
    middle = low / 2 + high / 2
    first = -math.ceil(math.log10(max(high - low, 1e-300)))
    tried = [round(middle, digits) for digits in range(first, first + 3)]
    return next((edge for edge in (*tried, middle) if low < edge < high), None)
