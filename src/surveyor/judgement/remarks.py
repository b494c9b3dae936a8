"""What figures say beyond the verdict, in plain sentences."""

from __future__ import annotations

from collections.abc import Iterator

from surveyor.judgement.contained import COPY, contained
from surveyor.measures import Figures
from surveyor.measures.memorising import REVEALING
from surveyor.two_sample import LEVEL

AS_WELL, NEARLY, LESS = 0.99, 0.9, 0.6  # of what real rows gain over a guess
LITTLE = 0.05  # gain over a guess
NAMED = 3  # columns


def remarks(figures: Figures, codes: set[str], target: str | None) -> tuple[str, ...]:
    """Return sentences beyond the verdict; ``codes`` are those of the findings."""
    if any(f.note == COPY for f in contained(figures)):
        return ()
    return (
        *_rules(figures),
        *_finer(figures),
        *_memorising(figures, codes),
        *_usefulness(figures, target),
    )


def _rules(figures: Figures) -> Iterator[str]:
    rules, proof = figures.parts("rule", "rule"), figures.get("p_value", "rules")
    if proof is None or not rules:
        return
    worst = max(rules, key=lambda f: f.known - f.known_floor)
    if proof.known > LEVEL:
        which = f"none of the {len(rules)} rules" if len(rules) > 1 else "no rule"
        yield (
            f"Rules: they break {which} found in the real rows more often than other real rows do."
        )
    else:
        yield (
            f"Rules: {worst.known:.1%} of the rows break “{worst.of}”; of other real rows "
            f"{worst.known_floor:.1%} do."
        )


def _finer(figures: Figures) -> Iterator[str]:
    finer = sorted(figures.parts("finer", "column"), key=lambda f: -f.known)
    if finer:
        first, rest = ", ".join(f.of for f in finer[:NAMED]), len(finer) - NAMED
        names = f"{first} and {rest} more" if rest > 0 else first
        have = "have" if len(finer) > 1 else "has"
        yield (
            f"Numbers: {names} {have} more decimals than real rows "
            f"({finer[0].known:.1%} of {finer[0].of}; the real ones {finer[0].note})."
        )


def _memorising(figures: Figures, codes: set[str]) -> Iterator[str]:
    if "membership_auc" not in figures:
        return
    if REVEALING & codes:
        yield "Memorising: they reveal rows that the maker saw; see the findings."
    else:
        yield "Memorising: no sign that they reveal rows that the maker saw."


def _usefulness(figures: Figures, target: str | None) -> Iterator[str]:
    useful = figures.get("usefulness")
    if target is None or useful is None:
        return
    if useful.value is None or useful.floor is None:
        yield f"Usefulness: cannot be measured, since too few rows have a {target}."
        return
    guess = 0.5 if useful.unit.startswith("AUC") else 0.0
    gain, most = useful.known - guess, useful.known_floor - guess
    if most < LITTLE:
        yield f"Usefulness: not even real rows predict {target} better than a guess."
        return
    when = "when trained on real rows"
    words = (
        f"as well as {when}"
        if gain >= AS_WELL * most
        else f"nearly as well as {when}"
        if gain >= NEARLY * most
        else f"less well than {when}"
        if gain >= LESS * most
        else f"much worse than {when}"
        if gain >= LITTLE
        else "no better than a guess"
    )
    yield (
        f"Usefulness: trained on them, trees predict {target} {words} "
        f"({useful.known:.3f} against {useful.known_floor:.3f}; {guess:g} is a guess)."
    )
