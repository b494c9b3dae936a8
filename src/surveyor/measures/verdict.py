"""The verdict: a sentence, with its numbers and their floors."""

from __future__ import annotations

import math

from surveyor.measures import Figures
from surveyor.two_sample import LEVEL, Outcome, Proof, p_text

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
    """Return whether generated data are proven to differ, and how far apart they are.

    A difference is proven where the least p-value of the two-sample tests, times their number, is
    at most ``LEVEL``: of data of one distribution that is so in at most 5 of 100 cases. That none
    is proven does not mean that there is none. How far apart they are is said by the worse of two
    margins: W1 over its floor, and the classifier's AUC above its own.
    """
    w1, auc = figures["w1"], figures["auc"]
    floor, chance = w1.floor or 0.0, auc.floor or 0.0
    ratio = w1.known / floor if floor > 0 else (1.0 if w1.value == 0 else math.inf)
    by_w1 = sum(ratio > limit for limit in RATIOS)
    by_auc = sum(auc.known - chance > limit for limit in ADVANTAGES)
    worse = max(by_w1, by_auc)
    p, rows, seen = proof(figures)
    if w1.n < FEWEST:
        sentence = f"{w1.n} points are too few to judge by"
    elif p <= LEVEL:
        apart = ", and measurably apart" if worse < 2 else ""
        sentence = f"The generated data {_words(worse, against)}{apart}: {seen}"
    elif worse == 0:
        sentence = f"The generated data cannot be told from {against} with {rows:,} rows a side"
    else:
        words = _words(worse, against)
        sentence = f"The generated data {words}, though no test proves a difference"
    return (
        f"{sentence}. Tests: {p_text(p)} ({rows:,} rows a side). "
        f"W1: {w1.known:.4g} against a floor of {floor:.4g} (ratio {ratio:.2f}, {w1.n:,} rows). "
        f"Classifier: AUC {auc.known:.3f} against {chance:.3f} "
        f"(standard error at most {auc.known_spread:.2g})."
    )


def proof(figures: Figures) -> tuple[float, int, str]:
    """Return the p-value of all two-sample tests together, the most rows a side, what they saw."""
    tests = figures.parts("p_value", "test")
    if not tests:
        return 1.0, figures["w1"].n, ""
    found = Proof(tuple(Outcome(f.of, f.known, (f.n, f.n), f.note) for f in tests))
    return found.p_value, max(f.n for f in tests), found.seen


def _words(worse: int, against: str) -> str:
    return WORDS[worse].format(against=against)
