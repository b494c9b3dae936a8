"""Chemical formulas as text: elements and their amounts."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np

SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy "
    "Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf "
    "Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
ELEMENTS = frozenset(SYMBOLS.split())
TOKEN = re.compile(r"([A-Z][a-z]?)|([([])|([)\]])|(\d+\.?\d*|\.\d+)")
NONE = "none"  # the element of a slot that a formula leaves empty
MOST, LOOK, DISTINCT = 12, 1000, 50
MOST_OF, READABLE, ELEMENTS_SEEN = 0.5, 0.1, 5
LEADING_ZERO = re.compile(r"[A-Za-z)\]]0\d")


def parse_formula(text: str) -> dict[str, float]:
    """Return the amounts of the elements of ``text`` in the order they appear; brackets multiply.

    Raises:
        ValueError: not a formula; the message says what is wrong, and where.
    """
    stack: list[dict[str, float]] = [{}]
    last: dict[str, float] = {}
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"unexpected {text[at]!r} at position {at + 1}")
        element, opened, closed, number = found.groups()
        if number is not None:
            if not last or float(number) == 0:
                raise ValueError(f"a misplaced or zero amount at position {at + 1}")
            for name, amount in last.items():
                stack[-1][name] += amount * (float(number) - 1)
            last = {}
        elif opened is not None:
            stack.append({})
            last = {}
        elif closed is not None:
            if len(stack) == 1:
                raise ValueError(f"an unmatched closing bracket at position {at + 1}")
            last = stack.pop()
            _add(stack[-1], last)
        elif element in ELEMENTS:
            last = {element: 1.0}
            _add(stack[-1], last)
        else:
            raise ValueError(f"{element!r} at position {at + 1} is not an element")
        at = found.end()
    if len(stack) > 1:
        raise ValueError("a bracket is not closed")
    if not stack[0]:
        raise ValueError("empty")
    return stack[0]


def formula_of(elements: Sequence[object], amounts: Sequence[float]) -> str:
    """Return the formula of the slots before the first empty one; repeated elements add up."""
    found: dict[str, float] = {}
    for element, amount in zip(elements, amounts, strict=True):
        if element == NONE or not isinstance(element, str):
            break
        _add(found, {element: 1.0 if math.isnan(amount) else float(amount)})
    return "".join(
        e + ("" if a == 1 else np.format_float_positional(a, 6, trim="-")) for e, a in found.items()
    )


def _add(into: dict[str, float], more: Mapping[str, float]) -> None:
    for name, amount in more.items():
        into[name] = into.get(name, 0.0) + amount


def is_chemistry(texts: Sequence[str]) -> bool:
    """Return whether texts are clearly formulas, and not codes of letters and digits.

    Nearly all can be parsed; at least half have digits, two elements, and a symbol of two letters;
    no amount starts with 0; and several elements occur.
    """
    if len(texts) < DISTINCT or unreadable(texts[:LOOK], READABLE) is not None:
        return False
    small = sum(any(c.islower() for c in t) for t in texts)
    digits = sum(any(c.isdigit() for c in t) for t in texts)
    if min(small, digits) < MOST_OF * len(texts) or any(LEADING_ZERO.search(t) for t in texts):
        return False
    read = [f for f in map(_read, texts) if f is not None]
    several = sum(len(f) > 1 for f in read)
    elements = {e for f in read for e in f}
    return several >= MOST_OF * len(texts) and len(elements) >= ELEMENTS_SEEN


def _read(text: str) -> dict[str, float] | None:
    try:
        return parse_formula(text.strip())
    except ValueError:
        return None


def unreadable(texts: Sequence[str], tolerated: float = 0.0) -> tuple[str, str] | None:
    """Return the first text that is not a formula, and why; None if few enough are not.

    ``tolerated`` is the share of texts that need not be formulas.
    """
    wrong: list[tuple[str, str]] = []
    for text in texts:
        try:
            found = parse_formula(text.strip())
        except ValueError as error:
            wrong.append((text, str(error)))
            continue
        if len(found) > MOST:
            wrong.append((text, f"{len(found)} elements, at most {MOST}"))
    return wrong[0] if len(wrong) > tolerated * len(texts) else None


def most_elements(texts: Sequence[str]) -> int:
    """Return the largest number of elements in any of the formulas."""
    return max((len(parse_formula(t.strip())) for t in texts), default=0)


def ratios(formula: str) -> frozenset[tuple[str, float]]:
    """Return a formula as shares of its elements: the same for Ag2O2 and AgO."""
    found = parse_formula(formula)
    total = sum(found.values())
    return frozenset((e, round(a / total, 4)) for e, a in found.items())
