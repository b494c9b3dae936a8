"""A verdict in words, beside its number and its floor."""

from __future__ import annotations

import math


def verdict(w1: float, floor: float, n: int, floor_spread: float = 0.0) -> str:
    """Say what W1 against its floor means, for ``n`` points a side.

    The floor is what two sets of real data of that size are apart. Its own spread over repeated
    draws widens "as close as".
    """
    ratio = w1 / floor if floor > 0 else (1.0 if w1 == 0 else math.inf)
    slack = 1.05 + (2 * floor_spread / floor if floor > 0 else 0.0)
    if ratio <= min(slack, 1.15):
        words = (
            "as close to held-out real data as real data are to themselves, "
            f"as far as {n:,} points can tell"
        )
    elif ratio <= 1.25:
        words = "close to real data; a careful eye or a classifier may still tell them apart"
    elif ratio <= 2:
        words = "recognisably like real data, and measurably apart from them"
    elif ratio <= 5:
        words = "far from real data: good for a first look, not for analysis"
    else:
        words = "not yet like real data"
    return f"The generated data are {words} (W1 {w1:.4g}, floor {floor:.4g}, ratio {ratio:.2f})."
