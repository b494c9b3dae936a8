"""A verdict in words, beside its number and its floor."""

from __future__ import annotations

import math

WORDS = (
    "are close to {against}",
    "are fairly close to {against}",
    "are recognisably like real data, and apart from them",
    "are easily told from real data: good for a first look, not for analysis",
    "are not yet like real data",
)
FEWEST = 50  # below it, neither measure can tell good from bad
RATIOS = (1.1, 1.25, 2.0, 5.0)  # W1 / floor up to which each of the words above still holds
ADVANTAGES = (0.06, 0.15, 0.35, math.inf)  # the same for AUC above its floor


def verdict(
    w1: float,
    floor: float,
    n: int,
    auc: float,
    auc_floor: float = 0.5,
    against: str = "held-out real data",
    rows: int | None = None,
) -> str:
    """Say how close generated data are, by the worse of two measures on ``n`` points a side.

    In many dimensions W1 on a sample is blunt: generated data reach its floor long before they
    are right, and a classifier (AUC .5 is chance) tells what W1 cannot. Neither is enough alone,
    and both together are margins, no proof that nothing differs: a rule that every real row keeps
    may be broken in many generated ones. The AUC's standard error is that of ``rows`` a side, of
    ``n`` unless given.
    """
    ratio = w1 / floor if floor > 0 else (1.0 if w1 == 0 else math.inf)
    by_w1 = sum(ratio > limit for limit in RATIOS)
    by_auc = sum(auc - auc_floor > limit for limit in ADVANTAGES)
    error = math.sqrt(1 / (6 * (rows or n)))  # of an AUC near .5, of as many rows on both sides
    blunt = by_w1 == 0 and by_auc > 1
    said = f"The generated data {WORDS[max(by_w1, by_auc)].format(against=against)}"
    if n < FEWEST:
        said = f"{n} points are too few to judge by"
    return (
        f"{said}: "
        f"W1 {w1:.4g} against a floor of {floor:.4g} (ratio {ratio:.2f}, {n:,} points"
        f"{', too few for W1 to see the difference' if blunt else ''}), "
        f"classifier AUC {auc:.2f} against {auc_floor:.2f} (standard error {error:.2g})."
    )
