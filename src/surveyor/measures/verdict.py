"""The verdict: a sentence, with its numbers and their floors."""

from __future__ import annotations

import math

from surveyor.measures import Figures

WORDS = (
    "are close to {against}",
    "are fairly close to {against}",
    "are recognisably like real data, and apart from them",
    "are easily told from real data: good for a first look, not for analysis",
    "are not yet like real data",
)
FEWEST = 50  # with fewer points neither measure can tell good from bad
RATIOS = (1.1, 1.25, 2.0, 5.0)  # the largest W1 / floor for each of the words above
ADVANTAGES = (0.06, 0.15, 0.35, math.inf)  # the same for AUC above its floor


def verdict(figures: Figures, against: str = "held-out real data") -> str:
    """Return how close generated data are, by the worse of two measures.

    In many dimensions W1 on a sample is blunt: generated data reach its floor long before they
    are right, and a classifier (AUC .5 is chance) detects what W1 cannot. Neither is enough alone,
    and together they are margins, not a proof of equality: many generated rows may still break a
    rule that every real row obeys.
    """
    w1, auc = figures["w1"], figures["auc"]
    floor, chance = w1.floor or 0.0, auc.floor or 0.0
    ratio = w1.known / floor if floor > 0 else (1.0 if w1.value == 0 else math.inf)
    by_w1 = sum(ratio > limit for limit in RATIOS)
    by_auc = sum(auc.known - chance > limit for limit in ADVANTAGES)
    blunt = by_w1 == 0 and by_auc > 1
    sentence = f"The generated data {WORDS[max(by_w1, by_auc)].format(against=against)}"
    if w1.n < FEWEST:
        sentence = f"{w1.n} points are too few to judge by"
    return (
        f"{sentence}: W1 {w1.known:.4g} against a floor of {floor:.4g} (ratio {ratio:.2f}, "
        f"{w1.n:,} points{', too few for W1 to see the difference' if blunt else ''}), "
        f"classifier AUC {auc.known:.2f} against {chance:.2f} "
        f"(standard error {auc.known_spread:.2g})."
    )
