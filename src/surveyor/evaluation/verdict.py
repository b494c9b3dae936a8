"""A verdict in words, beside its number and its floor."""

from __future__ import annotations

import math


def verdict(w1: float, floor: float, n: int, auc: float, auc_floor: float = 0.5) -> str:
    """Say what W1 against its floor means for ``n`` points a side, and what a classifier adds.

    In many dimensions W1 on a sample is blunt: generated data reach its floor long before they
    are right. A classifier's AUC (.5 is chance) tells what W1 cannot, so both have to agree
    before the words are good.
    """
    ratio = w1 / floor if floor > 0 else (1.0 if w1 == 0 else math.inf)
    told_apart = auc - auc_floor
    if ratio <= 1.1 and told_apart <= 0.06:
        words = "The generated data cannot be told from held-out real data"
    elif ratio <= 1.1 and told_apart <= 0.2:
        words = "The generated data are close to held-out real data, and a classifier can just tell"
    elif ratio <= 1.1:
        words = (
            "The generated data are at the floor of what W1 can see, "
            "and a classifier still tells them from real data"
        )
    elif ratio <= 1.25:
        words = "The generated data are close to real data, and measurably apart from them"
    elif ratio <= 2:
        words = "The generated data are recognisably like real data, and clearly apart from them"
    elif ratio <= 5:
        words = "The generated data are far from real data: a first look, nothing to analyse"
    else:
        words = "The generated data are not yet like real data"
    return (
        f"{words}: W1 {w1:.4g} against a floor of {floor:.4g} (ratio {ratio:.2f}, {n:,} points), "
        f"classifier AUC {auc:.2f} against {auc_floor:.2f}."
    )
