"""Numbers of one spelling: decimals, exponents, and signs such as a currency's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from surveyor.data.numerals import (
    PLAIN,
    Marks,
    Read,
    ambiguous,
    marks_of,
    number_template,
    number_writer,
    numbers_alike,
    read_numbers,
    template,
)
from surveyor.data.types import Cells, Fit, Scale
from surveyor.data.values import EXACT, Form
from surveyor.errors import InputError

FOR_PEOPLE = re.compile(r"\W{0,3}\d{1,3}([,.' ]\d{2,3})*([.,]\d+)?\s?\W{0,3}")


class Number(Scale):
    """Numbers, read as whole numbers if all of them are."""

    samples = ("$12.50", "$-0.25", "$1000.00")
    default_spelling = "{s}"
    takes_format = True
    unsupported_formats = ((FOR_PEOPLE, "write numbers plainly, as 1234.5"),)

    def describe(self, form: Form) -> str:
        """Return ``number``, with the number of decimals if it is fixed."""
        found = re.search(r"\.(\d+)f", form.spelling)
        return f"number, {found[1]} decimal{'s' * (found[1] != '1')}" if found else "number"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that are numbers of the most frequent signs and marks."""
        return numbers_alike(cells.counts)[0]

    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the numbers between the template's signs."""
        return read_numbers(texts, spelling)

    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return numbers as the template spells them."""
        write = number_writer(spelling or self.default_spelling)
        return [write(float(v)) for v in points]

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the common template."""
        return number_template(texts, numbers_alike(dict.fromkeys(texts, 1))[1])

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return the common template; without decimals, the type is whole numbers."""
        marks = numbers_alike(dict.fromkeys(matching, 1))[1]
        spelling, changed = number_template(matching, marks)
        if spelling is None:
            return changed
        kind, stays = "number", ""
        if template(spelling).style == "d":
            kind, points = "integer", read_numbers(matching, spelling)[0]
            long = np.nanmax(np.abs(points), initial=0.0) > EXACT
            stays = "text: more digits than a number can represent" if long else ""
        dtype = _dtype(kind, spelling, cells)
        remark = _two_ways(matching, marks)
        return Fit(kind, spelling, dtype, cells.without(matching), remark, stays)

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return the template of plain numbers, or of those with the most frequent signs.

        ``format_`` is a number as an example of the marks.
        """
        words = cells.distinct
        points, good = read_numbers(words, "")
        kept = [c for c, fits in zip(words, good, strict=True) if fits]
        signed, marks = numbers_alike(cells.counts)
        if format_:
            try:
                marks = marks_of(format_)
            except ValueError as error:
                raise InputError(
                    f"--type number:{format_}: {error}; write one that shows the marks, such as "
                    "number:1.234,5"
                ) from error
            kept = [c for c in words if marks.pattern.fullmatch(c)]
        elif cells.share(kept) < cells.share(signed):
            kept = signed
        else:
            marks = PLAIN
        spelling, changed = number_template(kept, marks) if kept else (self.default_spelling, "")
        remark = f"{changed[:24]!r} {self.respelt}" if spelling is None else ""
        if spelling is None:
            found, _ = number_template(kept[:1], marks)
            spelling = str(replace(template(found or self.default_spelling), style="s"))
        points, good = read_numbers(kept, spelling)
        bare = template(spelling).after == template(spelling).before == ""
        whole = bare and len(kept) > 0 and bool((points % 1 == 0).all())
        kind = "integer" if whole and np.abs(points).max() <= EXACT else "number"
        remark = remark or _two_ways(kept, PLAIN if format_ else marks)
        return Fit(kind, spelling, _dtype(kind, spelling, cells), cells.without(kept), remark)

    def span(self, query: Any, form: Form, cells: np.ndarray) -> tuple[float, float]:
        """Return the number twice; it can be written with its signs."""
        if isinstance(query, str) and form.spelling:
            points, good = read_numbers([query], form.spelling)
            if good[0]:
                return float(points[0]), float(points[0])
        value = float(query)
        if isinstance(query, bool) or np.isnan(value):
            raise ValueError(f"{query!r} is not a number")
        return value, value


def _two_ways(texts: Sequence[str], marks: Marks) -> str:
    """Return a remark if thousands could be decimals."""
    if not ambiguous(texts, marks):
        return ""
    return f"'{marks.thousands}' separates thousands; if decimals, number:0{marks.thousands}5"


def _dtype(kind: str, spelling: str, cells: Cells) -> str:
    """Return the dtype of a text file's numbers without signs; "" for others, returned as text."""
    own = template(spelling)
    if not cells.from_text_file or own.before or own.after or own.marks != PLAIN:
        return ""
    return "int64" if kind == "integer" else "float64"
