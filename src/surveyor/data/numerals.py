"""How numbers are spelt as text, such that writing them gives the same text again.

A number is spelt by a template such as ``{d}`` (7), ``{.2f}`` (7.50), ``{.3e}`` (7.500e+00),
``{s}`` (7, 7.5), ``{r}`` (7.0, 7.5) or ``{.17g}``, possibly between signs: ``${.2f}``, ``{.1f}%``.
Marks stand before a bar: the separator of thousands, ``_`` for none, and the decimal mark. Thus
``{,.|.2f}`` is 1,234.50 and ``{_,|.1f}`` 1234,5. After ``~`` a minus stands before the sign, as in
-$5.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

Read = tuple[np.ndarray, np.ndarray]  # values, and which texts could be read

NUMBER = r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
SIGN = r"[^\w\s{}.,;:+\-\u2212\u2013/\\'\"?*#!=<>~^|&()\[\]]"  # percent, degrees, currencies
SIGNS = f"{SIGN}{{0,2}}"
SPACE = "[ \u00a0\u202f]?"
THOUSANDS = ".,' \u00a0\u202f\u2019"
UNSIGNED = rf"(?:\d(?:[\d{THOUSANDS}]*[\d.])?|\.\d+)(?:[eE][+-]?\d+)?"
TEMPLATE = re.compile(
    rf"(~?)({SIGNS}{SPACE})"
    rf"\{{(?:([{THOUSANDS}_])([.,])\|)?(d|s|r|\.\d{{1,3}}[feEg])\}}({SPACE}{SIGNS})"
)
PLAIN_NUMBER = re.compile(NUMBER)
SIGNED = re.compile(rf"({SIGNS} ?)({NUMBER})( ?{SIGNS})")
WRITTEN = re.compile(rf"({SIGNS}{SPACE})([+-]?{UNSIGNED})({SPACE}{SIGNS})")
MINUS_FIRST = re.compile(rf"-({SIGN}{{1,2}}{SPACE})({UNSIGNED})({SPACE}{SIGNS})")


@dataclass(frozen=True)
class Marks:
    """The separator of thousands, "" for none, and the decimal mark."""

    thousands: str = ""
    decimal: str = "."

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Return the pattern of numbers with these marks."""
        if self == PLAIN:
            return re.compile(NUMBER)
        mark = re.escape(self.thousands)
        whole = rf"(?:[1-9]\d{{0,2}}(?:{mark}\d{{3}})+|\d{{1,3}})" if self.thousands else r"\d+"
        return re.compile(rf"[+-]?{whole}(?:{re.escape(self.decimal)}\d+)?")

    def plain(self, text: str) -> str:
        """Return a number without separators, its decimal mark a point."""
        bare = text.replace(self.thousands, "") if self.thousands else text
        return bare.replace(self.decimal, ".")

    def marked(self, text: str) -> str:
        """Return a plain number with these marks."""
        whole, point, rest = text.partition(".")
        if self.thousands:
            whole = f"{int(whole):,}".replace(",", self.thousands) if whole.strip("-") else whole
            whole = f"-{whole}" if text[0] == "-" and whole[0] != "-" else whole
        return whole + (self.decimal if point else "") + rest


PLAIN = Marks()
MARKS = (
    PLAIN,
    Marks(",", "."),
    Marks("", ","),
    Marks(".", ","),
    *(Marks(t, d) for t in "' \u00a0\u202f\u2019" for d in ",."),
)


@dataclass(frozen=True)
class Template:
    """The parts of a template."""

    before: str
    marks: Marks
    style: str
    after: str
    minus_first: bool = False

    @cached_property
    def _bare(self) -> bool:
        return not (self.before or self.after) and self.marks == PLAIN

    def __str__(self) -> str:
        own = "" if self.marks == PLAIN else f"{self.marks.thousands or '_'}{self.marks.decimal}|"
        return f"{'~' * self.minus_first}{self.before}{{{own}{self.style}}}{self.after}"

    def inner(self, text: str) -> str | None:
        """Return the plain number that a text holds between the signs; None if it holds none."""
        text = text.strip()
        if self._bare:
            return text if PLAIN_NUMBER.fullmatch(text) else None
        sign = ""
        if self.minus_first and text[:1] == "-":
            sign, text = "-", text[1:]
        before, after = self.before.strip(), self.after.strip()
        if not (text.startswith(before) and text.endswith(after)):
            return None
        own = text[len(before) : len(text) - len(after)].strip()
        if not self.marks.pattern.fullmatch(own) or (sign and own[0] in "+-"):
            return None
        return sign + self.marks.plain(own)

    def write(self, value: float) -> str:
        """Return one number as text."""
        sign = "-" if self.minus_first and (value < 0 or str(value)[0] == "-") else ""
        value = -value if sign else value
        if self.style == "d":
            text = str(int(value))
        elif self.style == "r":
            text = repr(value)
        elif self.style == "s":
            text = repr(value).removesuffix(".0")
        else:
            text = format(value, self.style)
        if self._bare:
            return text
        text = text if self.marks == PLAIN else self.marks.marked(text)
        return f"{sign}{self.before}{text}{self.after}"


def template(text: str) -> Template:
    """Return a template, given as text.

    Raises:
        ValueError: not a template.
    """
    match = TEMPLATE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a template of numbers")
    first, before, thousands, decimal, style, after = match.groups()
    marks = Marks("" if thousands == "_" else thousands, decimal) if decimal else PLAIN
    return Template(before, marks, style, after, bool(first))


def number_template(texts: Sequence[str], marks: Marks = PLAIN) -> tuple[str | None, str]:
    """Return the template that reproduces every one of ``texts``, and "".

    If none does, return None and the first text that the best template changes.
    """
    first = _parts(texts[0])
    if first is None:
        return None, texts[0]
    before, digits, after = first
    minus_first = bool(before) and any(text.startswith("-") for text in texts)
    decimals = len(marks.plain(digits).partition(".")[2].lower().partition("e")[0])
    styles = ["d", f".{decimals}f", "s", "r"]
    styles += [f".{decimals}e", f".{decimals}E", ".17g"] if marks == PLAIN else []
    furthest, changed = -1, texts[0]
    for style in styles:
        own = Template(before, marks, style, after, minus_first)
        at = _first_changed(texts, own)
        if at is None:
            return str(own), ""
        if at > furthest:
            furthest, changed = at, texts[at]
    return None, changed


def _first_changed(texts: Sequence[str], own: Template) -> int | None:
    for at, text in enumerate(texts):
        inner = own.inner(text)
        try:
            if inner is None or own.write(float(inner)) != text:
                return at
        except (ValueError, OverflowError):
            return at
    return None


def number_writer(text: str) -> Callable[[float], str]:
    """Return the function that writes one number by a template.

    Raises:
        ValueError: not a template.
    """
    return template(text).write


def read_numbers(texts: Sequence[str], spelling: str) -> Read:
    """Return the numbers (n,) between the template's signs, NaN elsewhere; and which were read."""
    own = template(spelling or "{s}")
    values = np.full(len(texts), np.nan)
    good = np.zeros(len(texts), dtype=bool)
    for k, text in enumerate(texts):
        if (inner := own.inner(text)) is not None:
            values[k], good[k] = float(inner), True
    return values, good


def numbers_alike(counts: Mapping[str, int]) -> tuple[list[str], Marks]:
    """Return the cells that are numbers of the most frequent signs and marks, and those marks."""
    if all(map(PLAIN_NUMBER.fullmatch, counts)):
        return list(counts), PLAIN
    found: dict[tuple[str, str], dict[str, str]] = {}
    for cell in counts:
        if parts := _parts(cell):
            before, digits, after = parts
            found.setdefault((before.strip(), after.strip()), {})[cell] = digits
    inner = max(found.values(), key=lambda own: sum(counts[c] for c in own), default={})
    best, kept = PLAIN, list[str]()
    for marks in MARKS:
        fits = [c for c, d in inner.items() if marks.pattern.fullmatch(d)]
        if sum(counts[c] for c in fits) > sum(counts[c] for c in kept):
            best, kept = marks, fits
        if len(kept) == len(inner):
            break
    return kept, best


def ambiguous(texts: Sequence[str], marks: Marks) -> bool:
    """Return whether every separator of thousands could be a decimal mark."""
    inner = [parts[1] for text in texts if (parts := _parts(text))]
    marked = [d for d in inner if not d.strip("+-").isdigit()]
    one = re.compile(rf"[+-]?\d{{1,3}}{re.escape(marks.thousands)}\d{{3}}")
    return marks.thousands in (".", ",") and all(one.fullmatch(d) for d in marked)


def marks_of(example: str) -> Marks:
    """Return the marks of a number given as an example, such as ``1.234,5``, ``0,5`` or ``1,234``.

    Raises:
        ValueError: no number, or one that does not show its marks.
    """
    for marks in MARKS[1:]:
        if marks.pattern.fullmatch(example) and not example.isdigit():
            return marks
    if PLAIN.pattern.fullmatch(example):
        return PLAIN
    raise ValueError(f"{example!r} is not an example of a number")


def _parts(cell: str) -> tuple[str, str, str] | None:
    """Return what stands before a number, the number, and what stands after it."""
    if match := WRITTEN.fullmatch(cell):
        return match[1], match[2], match[3]
    if match := MINUS_FIRST.fullmatch(cell):
        return match[1], "-" + match[2], match[3]
    return None
