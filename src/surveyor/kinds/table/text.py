"""The type of a column of text, inferred from all of its cells.

The type is a number, a date or the like only if writing the values gives the same text again.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from surveyor.data.numerals import SIGNED
from surveyor.data.types import KEY, Cells, ColumnType, Fit, column_types
from surveyor.data.values import Form
from surveyor.errors import InputError, notify
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.surrogates import is_key
from surveyor.kinds.table.templates import Template, template_of

# What R, pandas, SQL and spreadsheets write for a missing value; in columns of text, plain words.
ABSENT = frozenset(
    {"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "NULL", "Null", "null", "None", "<NA>"}
)
MOST_CATEGORIES = 20_000
FEW, NEARLY_ALL = (
    20,
    0.9,
)  # more distinct values than these, in number and per row, cannot be learnt
MOSTLY = 0.5  # share of cells that fit a type, above which the others count as mistakes
SHOWN = 3
PLAIN = re.compile(r"0|-?[1-9][0-9]{0,14}")
TEXT_TYPE = str(pd.Series(["text"]).dtype)


@dataclass(frozen=True)
class InferredColumn:
    """One column: its form, an example, a remark for the user, and the places of a formula.

    Of a key, also the ``template`` of new ones and the share of rows without a key.
    """

    form: Form
    example: str = ""
    remark: str = ""
    places: int = 0
    template: Template | None = None
    missing: float = 0.0

    @property
    def description(self) -> str:
        """Return the type of the column in words."""
        if self.template is not None:
            return KEY
        if self.places:
            return f"formula, up to {self.places} elements"
        return self.form.type.describe(self.form)


@dataclass(frozen=True)
class Reading:
    """How columns are to be read.

    ``declared`` are the types and formats that the user gave, by column; ``absent`` are words for a
    missing value; ``types`` are the types that a column can have. With ``lenient``, for data that
    are only measured, cells that do not fit are missing and columns with nothing to measure are
    left out, both with a notice.
    """

    declared: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    lenient: bool = False
    types: Mapping[str, ColumnType] = field(default_factory=column_types)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of text, with the count of each distinct cell."""

    frame: Frame
    name: str
    counts: Counter[str]
    reading: Reading

    @cached_property
    def cells(self) -> list[str]:
        """Return the distinct cells except those that the user declared missing."""
        return [c for c in self.counts if c not in self.reading.absent]

    @cached_property
    def dtype(self) -> str:
        """Return the dtype that text has in samples."""
        if self.frame.untyped:
            return TEXT_TYPE
        if declared := self.frame.declared.get(self.name):
            return declared.dtype
        own = next(iter(self.frame.chunks()))[self.name].dtype
        return TEXT_TYPE if isinstance(own, pd.ArrowDtype) else str(own)

    def form(
        self, kind: str, spelling: str = "", absent: Sequence[str] = (), dtype: str = ""
    ) -> Form:
        """Return a form of the column; ``dtype`` defaults to that of its text."""
        words = tuple(sorted({*absent, *(w for w in self.reading.absent if w in self.counts)}))
        return Form(kind, dtype or self.dtype, spelling, words)

    def infer(self) -> InferredColumn:
        """Return the form of the column: the declared type, or a guess.

        Raises:
            InputError: cells that do not fit, which are named; or nothing can be learnt.
        """
        asked, format_ = self.reading.declared.get(self.name, ("", ""))
        example = self.cells[0][:24] if self.cells else ""
        own = self.reading.types.get(asked)
        if asked == KEY:
            return self._declared_key(example)
        if own is not None and not own.literal:
            # Of several files that are compared, another may be spelt so.
            if self.reading.lenient and format_ and not self._spelt(own, format_):
                notify(f"column {self.name!r}: no cell of {self.frame.where} is written {format_}")
                format_ = ""
            return self._as_type(own, own.fit(self._words, format_), example)
        if asked or not self._words.distinct:
            return self._as_category(example)
        return self._guessed(self._words, example)

    def _spelt(self, own: ColumnType, spelling: str) -> bool:
        form = self.form(own.family, spelling)
        return not form.ordered or bool(self.fitting(form))

    @cached_property
    def _missing(self) -> list[str]:
        """Return the cells that stand for a missing value unless the column is text."""
        return [c for c in self.cells if c in ABSENT]

    @cached_property
    def _words(self) -> Cells:
        counts = {c: self.counts[c] for c in self.cells if c not in ABSENT}
        whole = not self._missing and sum(self.counts.values()) == len(self.frame)
        return Cells(counts, self.frame.untyped, whole)

    def _guessed(self, cells: Cells, example: str) -> InferredColumn:
        words = cells.distinct
        found = [(own, own.matching(cells)) for own in self.reading.types.values()]
        for own, alike in sorted(found, key=lambda one: -cells.share(one[1])):
            if cells.share(alike) <= MOSTLY:
                break
            fit = own.guess(alike, cells)
            if isinstance(fit, Fit):
                if fit.kind == "integer" and self._numbers_are_keys(cells):
                    return self._as_key(template_of(words), example, fit.dtype)
                return self._as_guessed_type(own, fit, example)
            if len(alike) == len(words):
                why = f"text: {fit[:24]!r} would change if read as {own.plural}"
                return self._as_category(example, why, f"{self.name}={own.family}")
        return self._as_category(example, self._unsupported_format(cells))

    def fitting(self, form: Form) -> list[str]:
        """Return the cells that an ordered form can read."""
        good = form.scale.read(self.cells, form.spelling)[1]
        return [c for c, g in zip(self.cells, good, strict=True) if g]

    def form_for_new_rows(self, form: Form) -> Form:
        """Return a form for other rows of the column, in which cells it cannot read are missing."""
        fits = {*self.fitting(form), *ABSENT}
        odd = [c for c in self.cells if c not in fits]
        if odd and len(odd) < len(self.cells):
            self._report_odd(form.type, odd)
        return replace(form, absent=tuple(sorted({*form.absent, *odd, *self._missing})))

    def _as_guessed_type(self, own: ColumnType, fit: Fit, example: str) -> InferredColumn:
        remark = ""
        if missing := self._missing:
            n = sum(self.counts[c] for c in missing)
            cells = f"{n:,} cell{'s' * (n != 1)}"
            shown = ", ".join(repr(c) for c in missing)
            remark = f"{shown} in {cells} taken as missing"
            notify(f"column {self.name!r}: {remark}")
        absent = {*missing, *fit.odd}
        first = next((c for c in self.cells if c not in absent), example)
        return self._as_type(own, fit, first[:24], remark)

    def _as_type(self, own: ColumnType, fit: Fit, example: str, remark: str = "") -> InferredColumn:
        """Return the column as a type.

        Raises:
            InputError: cells that do not fit.
        """
        if fit.unreadable is not None:
            cell, why = fit.unreadable
            raise InputError(
                f"column {self.name!r}, {self.frame.locate(self.row(cell))}: {cell[:40]!r} is not "
                f"a valid {own.singular} ({why}); correct it, leave it empty, or read the column "
                f"as text with --type {self.name}=text"
            )
        if fit.odd:
            self._report_odd(own, fit.odd)
        if fit.stays:
            return self._as_category(example, fit.stays)
        form = self.form(fit.kind, fit.spelling, [*self._missing, *fit.odd], fit.dtype)
        return InferredColumn(form, example, fit.remark or remark, fit.places)

    def _report_odd(self, own: ColumnType, odd: Sequence[str]) -> None:
        n = sum(self.counts[c] for c in odd)
        cells = "; ".join(f"{self.frame.locate(self.row(c))}: {c[:24]!r}" for c in odd[:SHOWN])
        more = f" and {len(odd) - SHOWN:,} other values" if len(odd) > SHOWN else ""
        some = f"{n:,} cell{'s' * (n != 1)}"
        what = f"column {self.name!r}: {own.plural} except in {some}: {cells}{more}"
        if self.reading.lenient:
            notify(f"{what}; taken as missing")
            return
        words = " ".join(f"'{c}'" for c in odd[:SHOWN])
        raise InputError(
            f"{what}; correct them, mark them as missing with --missing {words}, or read the "
            f"column as text with --type {self.name}=text"
        )

    def row(self, cell: str) -> int:
        """Return the first row that contains ``cell``."""
        start = 0
        for chunk in self.frame.chunks():
            same = (chunk[self.name].astype(object) == cell).to_numpy(dtype=bool)
            if same.any():
                return start + int(np.argmax(same))
            start += len(chunk)
        return 0

    def _unsupported_format(self, cells: Cells) -> str:
        """Return why cells that look like numbers or dates are text; "" if they do not.

        Raises:
            InputError: they do, and are too many to be groups such as <18 and 65+.
        """
        every = [entry for own in self.reading.types.values() for entry in own.unsupported_formats]
        for pattern, advice in dict.fromkeys(every):
            alike = [c for c in cells.distinct if pattern.fullmatch(c) and not SIGNED.fullmatch(c)]
            if cells.share(alike) <= MOSTLY:
                continue
            if len(cells.distinct) <= FEW:
                return f"text: {alike[0][:24]!r} is taken as a group"
            remedy = advice.format(name=self.name)
            place = self.frame.locate(self.row(alike[0]))
            what = f"column {self.name!r}, {place}: {alike[0][:24]!r} is read as text"
            if self.reading.lenient:
                notify(f"{what} and compared as text; {remedy}")
                return ""
            raise InputError(
                f"{what}; {remedy}, or read the column as text with --type {self.name}=text"
            )
        return ""

    def _numbers_are_keys(self, cells: Cells) -> bool:
        words = cells.distinct
        if not cells.complete or not all(PLAIN.fullmatch(c) for c in words):
            return False
        numbers = [int(c) for c in words]
        span = max(numbers) - min(numbers) + 1
        return is_key(self.name, len(words), len(self.frame), span)

    def _declared_key(self, example: str) -> InferredColumn:
        """Return the column as a key.

        Raises:
            InputError: the cells have no pattern.
        """
        words = self._words.distinct
        template = template_of(words) if words else None
        if template is None:
            raise InputError(
                f"--type {self.name}=key: values such as {example!r} have no common pattern with "
                "room for new ones; "
                f"leave the column out with --drop {self.name}, or return it empty with "
                f"--type {self.name}=text"
            )
        whole = all(PLAIN.fullmatch(c) for c in words)
        return self._as_key(template, example, "int64" if whole and self.frame.untyped else "")

    def _as_key(self, template: Template | None, example: str, dtype: str = "") -> InferredColumn:
        assert template is not None
        n = len(self.frame)
        present = sum(self.counts[c] for c in self._words.distinct)
        remarks = [f"never learnt; new ones such as {template.text(0)}"]
        if repeats := present - len(self._words.distinct):
            remarks.append(f"{repeats:,} rows repeat one, new ones are all different")
        form = self.form("category", "", self._missing, dtype)
        missing = 1 - present / n
        if missing:
            remarks.append(f"{missing:.1%} are missing, at random in samples")
        return InferredColumn(form, example, "; ".join(remarks), 0, template, missing)

    def _as_category(self, example: str, remark: str = "", declare: str = "") -> InferredColumn:
        distinct, n = len(self.cells), sum(self.counts[c] for c in self.cells)
        if distinct <= max(FEW, NEARLY_ALL * n) and distinct <= MOST_CATEGORIES:
            return InferredColumn(self.form("category"), example, remark)
        asked, _ = self.reading.declared.get(self.name, ("", ""))
        if asked == "text":
            return InferredColumn(self.form("text"), example, "never learnt; empty in samples")
        otherwise = bool(declare) and not declare.endswith("=number")
        template = template_of(self._words.distinct) if not (asked or otherwise) else None
        if template is not None and distinct > NEARLY_ALL * n:
            return self._as_key(template, example)
        every = "nearly every row" if distinct < n else "every row"
        shown = f"{distinct:,} of {n:,}, such as {example!r}" + (f"; {remark}" if remark else "")
        other = f", read it with --type {declare}" if declare else ""
        raise InputError(
            f"column {self.name!r}: a different value in {every} ({shown}), so there is "
            f"nothing to learn; leave it out with --drop {self.name}, return it empty with "
            f"--type {self.name}=text{other}"
        )
