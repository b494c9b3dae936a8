"""A column of text: its type, decided on all of its cells.

It is a number, a date and the like only where writing it back gives the same text in every row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from surveyor.data.spelling import SIGNED
from surveyor.data.types import Cells, ColumnType, Fit, column_types
from surveyor.data.values import Form
from surveyor.errors import InputError, tell
from surveyor.kinds.table.frames import Frame

# Written for a missing value by R, pandas, SQL and spreadsheets; words like any other in text.
ABSENT = frozenset(
    {"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None", "<NA>"}
)
MOST_CATEGORIES = 20_000
FEW, NEARLY_ALL = 20, 0.9
MOSTLY = 0.5  # of the cells that fit, from which the others are taken for mistakes
SHOWN = 3
TEXT_TYPE = str(pd.Series(["text"]).dtype)


@dataclass(frozen=True)
class Understood:
    """One column: its form, whether it is one of formulas, an example, and what is to be told."""

    form: Form
    example: str = ""
    remark: str = ""
    places: int = 0

    @property
    def description(self) -> str:
        """Return in words what the column is read as."""
        if self.places:
            return f"formula, up to {self.places} elements"
        return self.form.type.describe(self.form)


@dataclass(frozen=True)
class Reading:
    """How columns are to be read: what a person says of them, and how strict a doubt is taken.

    ``lenient`` reading, of data that are only measured, takes cells that do not fit as missing
    and leaves out columns that hold nothing to measure; both are told. ``types`` are those that a
    column can have.
    """

    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    lenient: bool = False
    types: Mapping[str, ColumnType] = field(default_factory=column_types)


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
        self, kind: str, spelling: str = "", absent: Sequence[str] = (), dtype: str = ""
    ) -> Form:
        """Return a form of the column, in the type its text has."""
        words = tuple(sorted({*absent, *(w for w in self.reading.absent if w in self.counts)}))
        return Form(kind, dtype or self.dtype, spelling, words)

    def understood(self) -> Understood:
        """Return what the column holds.

        Raises:
            InputError: cells that do not fit, named; or nothing that can be learnt.
        """
        asked, format_ = self.reading.declared.get(self.name, ("", ""))
        example = self.cells[0][:24] if self.cells else ""
        own = self.reading.types.get(asked)
        if own is not None and not own.literal:
            return self._read(own, own.fit(self._words, format_), example)
        if asked or not self._words.distinct:
            return self._label(example)
        return self._guessed(self._words, example)

    @cached_property
    def _gone(self) -> list[str]:
        """Return the cells that stand for a missing value in any column but one of text."""
        return [c for c in self.cells if c in ABSENT]

    @cached_property
    def _words(self) -> Cells:
        counts = {c: self.counts[c] for c in self.cells if c not in ABSENT}
        whole = not self._gone and sum(self.counts.values()) == len(self.frame)
        return Cells(counts, self.frame.written, whole)

    def _guessed(self, cells: Cells, example: str) -> Understood:
        words = cells.distinct
        found = [(own, own.matching(cells)) for own in self.reading.types.values()]
        for own, alike in sorted(found, key=lambda one: -cells.share(one[1])):
            if cells.share(alike) <= MOSTLY:
                break
            fit = own.guess(alike, cells)
            if isinstance(fit, Fit):
                return self._mostly(own, fit, example)
            if len(alike) == len(words):
                why = f"text: {fit[:24]!r} would not come back as it is from a {own.singular}"
                return self._label(example, why, f"as --type {self.name}={own.family} reads it")
        self._refuse_written_for_people(cells)
        return self._label(example)

    def fitting(self, form: Form) -> list[str]:
        """Return the cells that an ordered form can read."""
        good = form.scale.read(self.cells, form.spelling)[1]
        return [c for c, g in zip(self.cells, good, strict=True) if g]

    def as_before(self, form: Form) -> Form:
        """Return a form for other rows of the column: cells that it cannot read are missing."""
        fits = {*self.fitting(form), *ABSENT}
        odd = [c for c in self.cells if c not in fits]
        if odd and len(odd) < len(self.cells):
            self._odd(form.type, odd)
        return replace(form, absent=tuple(sorted({*form.absent, *odd, *self._gone})))

    def _mostly(self, own: ColumnType, fit: Fit, example: str) -> Understood:
        remark = ""
        if gone := self._gone:
            n = sum(self.counts[c] for c in gone)
            cells = f"{n:,} cell{'s' * (n != 1)}"
            shown = ", ".join(repr(c) for c in gone)
            remark = f"{shown} in {cells} taken as missing"
            tell(f"column {self.name!r}: {remark}")
        absent = {*gone, *fit.odd}
        first = next((c for c in self.cells if c not in absent), example)
        return self._read(own, fit, first[:24], remark)

    def _read(self, own: ColumnType, fit: Fit, example: str, remark: str = "") -> Understood:
        """Return a column as it fits a type.

        Raises:
            InputError: cells that do not fit.
        """
        if fit.unreadable is not None:
            cell, why = fit.unreadable
            raise InputError(
                f"column {self.name!r}, {self.frame.place(self.row(cell))}: {cell[:40]!r} is no "
                f"{own.singular} ({why}); correct it, leave it empty, or read the column as text "
                f"with --type {self.name}=text"
            )
        if fit.odd:
            self._odd(own, fit.odd)
        if fit.stays:
            return self._label(example, fit.stays)
        form = self.form(fit.kind, fit.spelling, [*self._gone, *fit.odd], fit.dtype)
        return Understood(form, example, fit.remark or remark, fit.places)

    def _odd(self, own: ColumnType, odd: Sequence[str]) -> None:
        n = sum(self.counts[c] for c in odd)
        cells = "; ".join(f"{self.frame.place(self.row(c))}: {c[:24]!r}" for c in odd[:SHOWN])
        more = f" and {len(odd) - SHOWN:,} other values" if len(odd) > SHOWN else ""
        some = f"{n:,} cell{'s' * (n != 1)}"
        what = f"column {self.name!r}: holds {own.plural}, but not in {some}: {cells}{more}"
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

    def _refuse_written_for_people(self, cells: Cells) -> None:
        every = [entry for own in self.reading.types.values() for entry in own.unsupported_formats]
        for pattern, advice in dict.fromkeys(every):
            alike = [c for c in cells.distinct if pattern.fullmatch(c) and not SIGNED.fullmatch(c)]
            if cells.share(alike) <= MOSTLY:
                continue
            remedy = advice.format(name=self.name)
            place = self.frame.place(self.row(alike[0]))
            what = f"column {self.name!r}, {place}: {alike[0][:24]!r} is read as text"
            if self.reading.lenient:
                tell(f"{what}, and compared as text; {remedy}")
                return
            raise InputError(
                f"{what}; {remedy}, or read the column as text with --type {self.name}=text"
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
