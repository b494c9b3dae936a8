"""A column of text: what it spells, decided on all of its cells.

It is a number or a date only where writing it back gives the same text in every row.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from surveyor.data.spelling import (
    ISO,
    SIGNED,
    date_format,
    number_template,
    read_dates,
    read_numbers,
)
from surveyor.data.values import ColumnKind, Form
from surveyor.errors import InputError, tell
from surveyor.kinds.table.formula import is_chemistry, most_elements, unreadable
from surveyor.kinds.table.frames import Frame

# Written for a missing value by R, pandas, SQL and spreadsheets; words like any other in text.
ABSENT = frozenset(
    {"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None", "<NA>"}
)
MOST_CATEGORIES = 20_000
FEW, NEARLY_ALL = 20, 0.9
MOSTLY = 0.5  # of the cells that fit, from which the others are taken for mistakes
EXACT = 2**53
DATES = "write dates as 2026-11-25"
SHOWN = 3
FOR_PEOPLE = re.compile(r"\W{0,3}\d{1,3}([,.' ]\d{3})*([.,]\d+)?\s?\W{0,3}")
OTHER_ORDER = re.compile(r"\d{1,4}([./-])\d{1,2}\1\d{1,4}( .*)?")
TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")
TEXT_TYPE = str(pd.Series(["text"]).dtype)


@dataclass(frozen=True)
class Understood:
    """One column: its form, whether it is one of formulas, an example, and what is to be told."""

    form: Form
    example: str = ""
    remark: str = ""
    places: int = 0

    @property
    def said(self) -> str:
        """Return in words what the column is read as."""
        if self.places:
            return f"formula, up to {self.places} elements"
        kind = {"integer": "whole number", "boolean": "true or false"}.get(self.form.kind)
        decimals = (
            re.search(r"\.(\d+)f", self.form.spelling) if self.form.kind == "number" else None
        )
        more = f", {decimals[1]} decimal{'s' * (decimals[1] != '1')}" if decimals else ""
        return (kind or self.form.kind) + more


@dataclass(frozen=True)
class Reading:
    """How columns are to be read: what a person says of them, and how strict a doubt is taken.

    ``lenient`` reading, of data that are only measured, takes cells that do not fit as missing
    and leaves out columns that hold nothing to measure; both are told.
    """

    said: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    lenient: bool = False


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of text: its distinct cells, and how often each stands there."""

    frame: Frame
    name: str
    counts: Counter[str]
    reading: Reading

    @cached_property
    def cells(self) -> list[str]:
        """Return the distinct cells but those that a person takes as missing."""
        return [c for c in self.counts if c not in self.reading.absent]

    @cached_property
    def dtype(self) -> str:
        """Return the type that text comes back in."""
        if self.frame.written:
            return TEXT_TYPE
        if declared := self.frame.declared.get(self.name):
            return declared.dtype
        own = next(iter(self.frame.chunks()))[self.name].dtype
        return TEXT_TYPE if isinstance(own, pd.ArrowDtype) else str(own)

    def form(
        self, kind: ColumnKind, spelling: str = "", absent: Sequence[str] = (), dtype: str = ""
    ) -> Form:
        """Return a form of the column, in the type its text has."""
        words = tuple(sorted({*absent, *(w for w in self.reading.absent if w in self.counts)}))
        return Form(kind, dtype or self.dtype, spelling, words)

    def understood(self) -> Understood:
        """Return what the column holds.

        Raises:
            InputError: cells that do not fit, named; or nothing that can be learnt.
        """
        asked, format_ = self.reading.said.get(self.name, ("", ""))
        example = self.cells[0][:24] if self.cells else ""
        if asked == "number":
            return self._number(self.cells, example)
        if asked == "date":
            return self._date(self.cells, example, format_)
        if asked == "formula":
            return self._formula(example)
        if asked:
            return self._label(example)
        words = [c for c in self.cells if c not in ABSENT]
        if not words:
            return self._label(example)
        if self.frame.written and set(words) <= {"True", "False"}:
            gone = [c for c in self.cells if c in ABSENT]
            whole = not gone and sum(self.counts.values()) == len(self.frame)
            return Understood(
                self.form("boolean", "", gone, "bool" if whole else "boolean"), example
            )
        return self._guessed(words, example)

    def _guessed(self, words: list[str], example: str) -> Understood:
        numbers = self._of_one_sign(words)
        dates = [c for c in words if ISO.fullmatch(c)]
        share = {k: self._share(v, words) for k, v in (("number", numbers), ("date", dates))}
        kind, fitting = ("number", numbers) if share["number"] >= share["date"] else ("date", dates)
        if share[kind] > MOSTLY:
            good = fitting
            if kind == "date":
                good = [c for c, real in zip(fitting, read_dates(fitting)[1], strict=True) if real]
            if kind == "number":
                spelling, changed = number_template(good)
            else:
                spelling, changed = date_format(good) if good else (None, fitting[0])
            if spelling is not None:
                known = set(good)
                odd = [c for c in words if c not in known]
                return self._mostly(kind, spelling, odd, example)
            if len(fitting) == len(words):
                how = "number" if kind == "number" else "date"
                why = f"text: {changed[:24]!r} would not come back as it is from a {how}"
                return self._label(example, why, f"as --type {self.name}={how} reads it")
        if is_chemistry(words):
            return self._formula(example)
        self._refuse_written_for_people(words)
        return self._label(example)

    def fitting(self, form: Form) -> list[str]:
        """Return the cells that an ordered form can read."""
        read = read_dates if form.kind == "date" else read_numbers
        good = read(self.cells, form.spelling)[1]
        return [c for c, g in zip(self.cells, good, strict=True) if g]

    def as_before(self, form: Form) -> Form:
        """Return a form for other rows of the column: cells that it cannot read are missing."""
        fits = {*self.fitting(form), *ABSENT}
        odd = [c for c in self.cells if c not in fits]
        if odd and len(odd) < len(self.cells):
            self._odd("date" if form.kind == "date" else "number", odd)
        gone = [c for c in self.cells if c in ABSENT]
        return replace(form, absent=tuple(sorted({*form.absent, *odd, *gone})))

    def _of_one_sign(self, words: Sequence[str]) -> list[str]:
        """Return the numbers among cells, those between the signs that most are between."""
        found: dict[tuple[str, str], list[str]] = {}
        for cell in words:
            if match := SIGNED.fullmatch(cell):
                found.setdefault((match[1].strip(), match[3].strip()), []).append(cell)
        return max(found.values(), key=lambda own: self._share(own, words), default=[])

    def _share(self, cells: Sequence[str], words: Sequence[str]) -> float:
        return sum(self.counts[c] for c in cells) / sum(self.counts[c] for c in words)

    def _mostly(self, kind: str, spelling: str, odd: list[str], example: str) -> Understood:
        gone = [c for c in self.cells if c in ABSENT]
        remark = ""
        if gone:
            n = sum(self.counts[c] for c in gone)
            cells = f"{n:,} cell{'s' * (n != 1)}"
            shown = ", ".join(repr(c) for c in gone)
            remark = f"{shown} in {cells} taken as missing"
            tell(f"column {self.name!r}: {remark}")
        if odd:
            self._odd(kind, odd)
        own: ColumnKind = "date" if kind == "date" else "number"
        dtype = ""
        if kind == "number":
            own = "integer" if "{d}" in spelling else "number"
            if self.frame.written and spelling.startswith("{") and spelling.endswith("}"):
                dtype = "float64" if own == "number" else "int64"
        form = self.form(own, spelling, [*gone, *odd], dtype)
        if own == "integer":
            values, good = read_numbers([c for c in self.cells if c not in form.absent], spelling)
            if np.abs(values[good]).max(initial=0.0) > EXACT:
                return self._label(example, "text: more digits than a number can keep", "")
        return Understood(
            form, next((c for c in self.cells if c not in form.absent), example)[:24], remark
        )

    def _odd(self, kind: str, odd: list[str]) -> None:
        n = sum(self.counts[c] for c in odd)
        cells = "; ".join(f"{self.frame.place(self.row(c))}: {c[:24]!r}" for c in odd[:SHOWN])
        more = f" and {len(odd) - SHOWN:,} other values" if len(odd) > SHOWN else ""
        some = f"{n:,} cell{'s' * (n != 1)}"
        what = f"column {self.name!r}: holds {kind}s, but not in {some}: {cells}{more}"
        if self.reading.lenient:
            tell(f"{what}; taken as missing")
            return
        words = " ".join(f"'{c}'" for c in odd[:SHOWN])
        raise InputError(
            f"{what}; correct them, take them as missing with --missing {words}, or read the "
            f"column as text with --type {self.name}=text"
        )

    def row(self, cell: str) -> int:
        """Return the first row that holds ``cell``."""
        start = 0
        for chunk in self.frame.chunks():
            same = (chunk[self.name].astype(object) == cell).to_numpy(dtype=bool)
            if same.any():
                return start + int(np.argmax(same))
            start += len(chunk)
        return 0

    def _number(self, cells: list[str], example: str) -> Understood:
        values, good = read_numbers(cells, "")
        odd = [c for c, g in zip(cells, good, strict=True) if not g and c not in ABSENT]
        signed = [c for c in odd if SIGNED.fullmatch(c)]
        if odd and not signed:
            self._odd("number", odd)
        kept = (
            [c for c in cells if c not in ABSENT and c not in odd]
            if not signed
            else [c for c in cells if c not in ABSENT]
        )
        spelling, changed = number_template(kept) if kept else ("{s}", "")
        remark = "" if spelling else f"{changed[:24]!r} comes back in another spelling"
        spelling = spelling or "{s}"
        if signed and spelling == "{s}":
            self._odd("number", signed)
        whole = bool(good.any()) and bool((values[good] == np.round(values[good])).all())
        plain = self.frame.written and spelling.startswith("{") and spelling.endswith("}")
        own: ColumnKind = "integer" if whole and np.abs(values[good]).max() <= EXACT else "number"
        dtype = ("int64" if own == "integer" else "float64") if plain else ""
        gone = [c for c in cells if c in ABSENT]
        return Understood(
            self.form(own, spelling, [*gone, *odd] if not signed else gone, dtype), example, remark
        )

    def _date(self, cells: list[str], example: str, format_: str) -> Understood:
        kept = [c for c in cells if c not in ABSENT]
        _, good = read_dates(kept, format_)
        odd = [c for c, g in zip(kept, good, strict=True) if not g]
        if odd:
            self._odd("date", odd)
        fits = [c for c, g in zip(kept, good, strict=True) if g]
        spelling, changed = (format_, "") if format_ else date_format(fits) if fits else (None, "")
        remark = "" if spelling else f"{changed!r} comes back in UTC, as 2026-11-25T10:00:00Z"
        gone = [c for c in cells if c in ABSENT]
        return Understood(
            self.form("date", spelling or "%Y-%m-%dT%H:%M:%SZ", [*gone, *odd]), example, remark
        )

    def _formula(self, example: str) -> Understood:
        words = [c for c in self.cells if c not in ABSENT]
        bad = unreadable(words)
        if bad:
            cell, why = bad
            raise InputError(
                f"column {self.name!r}, {self.frame.place(self.row(cell))}: {cell[:40]!r} is no "
                f"formula ({why}); correct it, leave it empty, or read the column as text with "
                f"--type {self.name}=text"
            )
        gone = [c for c in self.cells if c in ABSENT]
        return Understood(self.form("category", "", gone), example, "", most_elements(words))

    def _refuse_written_for_people(self, words: list[str]) -> None:
        for pattern, advice in (
            (OTHER_ORDER, f"{DATES}, or name their order, as --type '{self.name}=date:%d/%m/%Y'"),
            (TIME, "write times of day as numbers, such as minutes after midnight"),
            (FOR_PEOPLE, "write numbers plainly, as 1234.5"),
        ):
            alike = [c for c in words if pattern.fullmatch(c) and not SIGNED.fullmatch(c)]
            if self._share(alike, words) <= MOSTLY:
                continue
            place = self.frame.place(self.row(alike[0]))
            what = f"column {self.name!r}, {place}: {alike[0][:24]!r} is read as text"
            if self.reading.lenient:
                tell(f"{what}, and compared as text; {advice}")
                return
            raise InputError(
                f"{what}; {advice}, or read the column as text with --type {self.name}=text"
            )

    def _label(self, example: str, remark: str = "", advice: str = "") -> Understood:
        distinct, n = len(self.cells), sum(self.counts[c] for c in self.cells)
        if distinct > max(FEW, NEARLY_ALL * n) or distinct > MOST_CATEGORIES:
            every = "nearly every row" if distinct < n else "every row"
            shown = f"{distinct:,} of {n:,}, such as {example!r}" + (
                f"; {remark}" if remark else ""
            )
            other = f", or take it {advice}" if advice else ""
            raise InputError(
                f"column {self.name!r}: a different value in {every} ({shown}), nothing to learn; "
                f"leave it out with --drop {self.name}{other}"
            )
        return Understood(self.form("category"), example, remark)
