"""Which molecules of a data set can be learnt; what is changed or left out is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.errors import InputError, notify
from surveyor.kinds.molecules import chemistry
from surveyor.kinds.molecules.chemistry import Parsed
from surveyor.kinds.molecules.molecules import Molecules
from surveyor.kinds.molecules.sources import Texts

LARGEST = 60  # heavy atoms
RARE = 10  # molecules with an element or a charge, from which it can be learnt
FEWEST = 20  # molecules to learn from
SHOWN, WIDE = 3, 40  # rows named, and characters of each

CORRECT = "correct or remove them"
LEAVE_OUT = f"{CORRECT}, or leave them out with --lenient"


@dataclass(frozen=True, eq=False)
class Reason:
    """Why molecules cannot be used: which, (n,), and the words for it."""

    which: np.ndarray
    words: str


@dataclass(frozen=True, eq=False)
class Learnable:
    """Molecules as parsed, and which of them are ``left``, (n,)."""

    parsed: Sequence[Parsed]
    left: np.ndarray


def screened(
    source: Texts, lenient: bool, remedy: str, more: Callable[[Learnable], Iterator[Reason]]
) -> Molecules:
    """Return the molecules that can be used, in canonical form.

    ``more`` yields reasons against molecules that are readable and not too large. With ``lenient``
    what cannot be used is left out, and of several pieces the largest is kept, with notices.

    Raises:
        InputError: there is no molecule, or some cannot be used; a line for each reason.
    """
    if not len(source):
        raise InputError(f"{source.where}: no molecules; give a SMILES a line")
    with chemistry.quiet():
        parsed = [chemistry.parse(text) for text in source.texts]
    reasons = list(_unusable(parsed))
    lost = np.any([own.which for own in reasons], axis=0)
    several = Reason(
        np.array([p.pieces > 1 for p in parsed]) & ~lost, "have several pieces (salts)"
    )
    reasons += more(Learnable(parsed, ~lost))
    lost = np.any([own.which for own in reasons], axis=0)
    if not lenient:
        _refuse(source, [*reasons, several], remedy)
    if lost.all():
        raise InputError(
            f"{_line(source, max(reasons, key=lambda own: own.which.sum()))}; {remedy}"
        )
    for own in reasons:
        if own.which.any():
            notify(f"{_line(source, own)}; left out")
    if several.which.any():
        notify(f"{_line(source, several)}; the largest piece of each is kept")
    _tell_changes(source.where, [one for one, left in zip(parsed, lost, strict=True) if not left])
    smiles = np.array([one.smiles for one in parsed], dtype=object)
    valid = 1 - float((several.which | (smiles == "")).mean())
    columns = {n: values.reset_index(drop=True) for n, values in source.columns.items()}
    whole = Molecules(smiles, source.name, columns, valid)
    return whole.take(np.flatnonzero(~lost))


def rare_atoms(found: Learnable) -> Iterator[Reason]:
    """Yield the molecules with elements or charges that fewer than ``RARE`` molecules have."""
    if found.left.sum() < FEWEST:  # which is refused anyway
        return
    left, names = found.left.copy(), list[str]()
    while True:  # without them others may have become rare
        counts = Counter(
            name for k in np.flatnonzero(left).tolist() for name in found.parsed[k].atoms
        )
        rare = {name for name, count in counts.items() if count < RARE}
        if not rare:
            break
        names += sorted(rare)
        left &= [not (one.atoms & rare) for one in found.parsed]
    if names:
        what = f"have elements or charges of fewer than {RARE} molecules ({', '.join(names)})"
        yield Reason(found.left & ~left, what)


def without_repeats(raw: Molecules, where: str, conditions: Sequence[str]) -> Molecules:
    """Return each molecule once, unless columns are learnt, by which its rows may differ.

    A repeated molecule would be among training and held-out rows at once.
    """
    first = ~pd.Series(raw.smiles).duplicated().to_numpy()
    count = int((~first).sum())
    if not count:
        return raw
    rows = f"{count:,} rows repeat molecules" if count > 1 else "1 row repeats a molecule"
    what = f"{where}: {rows} of rows before, perhaps spelt otherwise"
    if conditions:
        notify(
            f"{what}; kept for {', '.join(conditions)}, so a molecule may be among "
            "training and held-out rows"
        )
        return raw
    notify(f"{what}; left out")
    return raw.take(np.flatnonzero(first))


def _unusable(parsed: Sequence[Parsed]) -> Iterator[Reason]:
    unreadable = np.array([not one.smiles and one.heavy == 0 for one in parsed])
    large = np.array([one.heavy > LARGEST for one in parsed])
    odd = np.array([one.odd if one.heavy <= LARGEST else "" for one in parsed], dtype=object)
    yield Reason(unreadable, "do not read as SMILES")
    for words in sorted({text for text in odd if text}):
        yield Reason(odd == words, f"have {words}")
    yield Reason(large, f"have more than {LARGEST} heavy atoms")


def _refuse(source: Texts, reasons: Sequence[Reason], remedy: str) -> None:
    problems = [f"{_line(source, own)}; {remedy}" for own in reasons if own.which.any()]
    if problems:
        raise InputError(*problems)


def _line(source: Texts, reason: Reason) -> str:
    at = np.flatnonzero(reason.which)
    shown = [f"{source.word} {source.places[k]} ({_short(source.texts[k])})" for k in at[:SHOWN]]
    more = ", ..." if len(at) > SHOWN else ""
    count = f"{len(at):,} of {len(source):,}"
    return f"{source.where}: {count} molecules {reason.words}: {', '.join(shown)}{more}"


def _short(text: str) -> str:
    return repr(text if len(text) <= WIDE else text[: WIDE - 1] + "…")


def _tell_changes(where: str, parsed: Sequence[Parsed]) -> None:
    kinds = {
        "the stereochemistry": sum(one.stereo for one in parsed),
        "the isotopes": sum(one.isotopes for one in parsed),
    }
    lost = [f"{what} of {_number(count)}" for what, count in kinds.items() if count]
    if lost:
        notify(f"{where}: {' and '.join(lost)} left out: they are not generated")
    if explicit := sum(one.hydrogens for one in parsed):
        notify(f"{where}: explicit hydrogens of {_number(explicit)} are made implicit")


def _number(count: int) -> str:
    return f"{count:,} molecule{'s' * (count != 1)}"
