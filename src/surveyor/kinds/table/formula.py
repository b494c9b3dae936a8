"""Chemical formulas in a table: columns of elements and amounts, and formulas again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds.table.frames import Frame

SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy "
    "Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf "
    "Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts Og"
)
ELEMENTS = frozenset(SYMBOLS.split())
TOKEN = re.compile(r"([A-Z][a-z]?)|([([])|([)\]])|(\d+\.?\d*|\.\d+)")
NONE = "none"  # the element of a place that a formula does not fill
MOST, LOOK, DISTINCT = 12, 1000, 50
MOST_OF, READABLE, ELEMENTS_SEEN = 0.5, 0.1, 5
LEADING_ZERO = re.compile(r"[A-Za-z)\]]0\d")


def parse_formula(text: str) -> dict[str, float]:
    """Return the amounts of the elements of ``text`` in the order they appear; brackets multiply.

    Raises:
        ValueError: what is no formula, and where.
    """
    stack: list[dict[str, float]] = [{}]
    last: dict[str, float] = {}
    at = 0
    while at < len(text):
        found = TOKEN.match(text, at)
        if found is None:
            raise ValueError(f"{text[at]!r} at place {at + 1}")
        element, opened, closed, number = found.groups()
        if number is not None:
            if not last or float(number) == 0:
                raise ValueError(f"a number at place {at + 1} that counts nothing")
            for name, amount in last.items():
                stack[-1][name] += amount * (float(number) - 1)
            last = {}
        elif opened is not None:
            stack.append({})
            last = {}
        elif closed is not None:
            if len(stack) == 1:
                raise ValueError(f"a bracket closed at place {at + 1} that was not opened")
            last = stack.pop()
            _add(stack[-1], last)
        elif element in ELEMENTS:
            last = {element: 1.0}
            _add(stack[-1], last)
        else:
            raise ValueError(f"{element!r} at place {at + 1} is no element")
        at = found.end()
    if len(stack) > 1:
        raise ValueError("a bracket that is not closed")
    if not stack[0]:
        raise ValueError("nothing in it")
    return stack[0]


def formula_of(elements: Sequence[object], amounts: Sequence[float]) -> str:
    """Return a formula up to its first empty place; an element met twice is added up."""
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
    """Return whether texts are formulas beyond doubt, and not codes of letters and digits.

    All can be read; most have digits, two elements, and a symbol of two letters; none counts by
    ``0...``; and there are many elements among them.
    """
    if len(texts) < DISTINCT:
        return False
    small = sum(any(c.islower() for c in t) for t in texts)
    digits = sum(any(c.isdigit() for c in t) for t in texts)
    if min(small, digits) < MOST_OF * len(texts) or any(LEADING_ZERO.search(t) for t in texts):
        return False
    if unreadable(texts[:LOOK], READABLE) is not None:
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
    """Return the first text that is no formula and why; None where at most a share is tolerated."""
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
    """Return the number of elements of the formula that has most."""
    return max((len(parse_formula(t.strip())) for t in texts), default=0)


def parts(name: str, places: int) -> list[str]:
    """Return the columns that a formula becomes."""
    return [f"{name}: {what} {k + 1}" for k in range(places) for what in ("element", "amount")]


@dataclass(frozen=True, eq=False)
class Expanded(Frame):
    """A table whose columns of formulas (name: places) stand as elements and amounts."""

    plain: Frame
    formulas: Mapping[str, int] = field()  # no default, though a table has one

    @cached_property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return [
            part
            for name in self.plain.names
            for part in (parts(name, self.formulas[name]) if name in self.formulas else [name])
        ]

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the table in messages."""
        return self.plain.where

    @cached_property
    def forms(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return how each column is understood."""
        own = {n: f for n, f in self.plain.forms.items() if n not in self.formulas}
        kinds = (Form("category", "object"), Form("number", "float64"))
        for name, places in self.formulas.items():
            own |= dict(zip(parts(name, places), kinds * places, strict=True))
        return own

    def __len__(self) -> int:
        return len(self.plain)

    def place(self, row: int) -> str:
        """Return how a person finds a row."""
        return self.plain.place(row)

    def told(self) -> list[tuple[str, str, str, str]]:
        """Return what was understood of every column."""
        return self.plain.told()

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        start = 0
        for chunk in self.plain.chunks():
            made = chunk
            for name, places in self.formulas.items():
                if name in chunk:
                    made = _expanded(made, name, places, start, self)
            yield made
            start += len(chunk)


def _expanded(
    frame: pd.DataFrame, name: str, places: int, start: int, whole: Frame
) -> pd.DataFrame:
    n = len(frame)
    elements = np.full((n, places), NONE, dtype=object)
    amounts = np.full((n, places), np.nan)
    for row, text in enumerate(frame[name]):
        if pd.isna(text):
            elements[row, 0] = None
            continue
        if wrong := unreadable([str(text)]):
            raise InputError(
                f"column {name!r}, {whole.place(start + row)}: {wrong[0][:40]!r} is no formula "
                f"({wrong[1]}); correct it, or leave it empty"
            )
        # Other data than the codec was fitted to may have more elements: those are left out.
        for k, (element, amount) in enumerate(parse_formula(str(text).strip()).items()):
            if k < places:
                elements[row, k], amounts[row, k] = element, round(amount, 6)
    columns: dict[str, object] = {}
    for column in map(str, frame.columns):
        if column != name:
            columns[column] = frame[column]
            continue
        for k in range(places):
            columns[f"{name}: element {k + 1}"] = elements[:, k]
            columns[f"{name}: amount {k + 1}"] = amounts[:, k]
    return pd.DataFrame(columns, index=frame.index)


def folded(frame: pd.DataFrame, formulas: Mapping[str, int]) -> pd.DataFrame:
    """Return rows in which formulas stand as text again."""
    for name, places in formulas.items():
        own = parts(name, places)
        if not set(own) <= set(frame.columns):
            continue
        elements, amounts = frame[own[::2]].to_numpy(object), frame[own[1::2]].to_numpy(float)
        texts = [
            formula_of(list(e), list(a)) or None for e, a in zip(elements, amounts, strict=True)
        ]
        at = list(frame.columns).index(own[0])
        frame = frame.drop(columns=own)
        frame.insert(at, name, pd.Series(texts, index=frame.index, dtype=object))
    return frame


def ratios(formula: str) -> frozenset[tuple[str, float]]:
    """Return a formula as shares of its elements: the same for Ag2O2 and AgO."""
    found = parse_formula(formula)
    total = sum(found.values())
    return frozenset((e, round(a / total, 4)) for e, a in found.items())


def as_ratios(
    frame: pd.DataFrame, name: str, formulas: Mapping[str, int]
) -> list[frozenset[tuple[str, float]] | None]:
    """Return the ``ratios`` of formulas held as elements and amounts; None where empty."""
    own = folded(frame, {name: formulas[name]})[name]
    return [ratios(t) if isinstance(t, str) and t else None for t in own]
