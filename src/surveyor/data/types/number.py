"""Numbers of one spelling: decimals, exponents, and signs such as a currency's."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from surveyor.data.spelling import SIGNED, Read, number_template, number_writer, read_numbers
from surveyor.data.types import Cells, Fit, Scale
from surveyor.data.values import EXACT, Form

FOR_PEOPLE = re.compile(r"\W{0,3}\d{1,3}([,.' ]\d{3})*([.,]\d+)?\s?\W{0,3}")
TIME = re.compile(r"\d{1,2}:\d{2}(:\d{2}([.,]\d+)?)?( ?[AaPp]\.?[Mm]\.?)?")


class Number(Scale):
    """Numbers, read as whole numbers if all of them are."""

    samples = ("$12.50", "$-0.25", "$1000.00")
    default_spelling = "{s}"
    unsupported_formats = (
        (TIME, "write times of day as numbers, such as minutes after midnight"),
        (FOR_PEOPLE, "write numbers plainly, as 1234.5"),
    )

    def describe(self, form: Form) -> str:
        """Return ``number``, with the number of decimals if it is fixed."""
        found = re.search(r"\.(\d+)f", form.spelling)
        return f"number, {found[1]} decimal{'s' * (found[1] != '1')}" if found else "number"

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that are numbers with the most frequent signs around them."""
        found: dict[tuple[str, str], list[str]] = {}
        for cell in cells.distinct:
            if match := SIGNED.fullmatch(cell):
                found.setdefault((match[1].strip(), match[3].strip()), []).append(cell)
        return max(found.values(), key=cells.share, default=[])

    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the numbers between the template's signs."""
        return read_numbers(texts, spelling)

    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return numbers as the template spells them."""
        write = number_writer(spelling or self.default_spelling)
        return [write(float(v)) for v in points]

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the common template."""
        return number_template(texts)

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return the common template; without decimals, the type is whole numbers."""
        spelling, changed = number_template(matching)
        if spelling is None:
            return changed
        kind, stays = "number", ""
        if "{d}" in spelling:
            kind, points = "integer", read_numbers(matching, spelling)[0]
            long = np.nanmax(np.abs(points), initial=0.0) > EXACT
            stays = "text: more digits than a number can represent" if long else ""
        dtype = _dtype(kind, spelling, cells)
        return Fit(kind, spelling, dtype, cells.without(matching), stays=stays)

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return the template of plain numbers, or of those with the most frequent signs."""
        words = cells.distinct
        points, good = read_numbers(words, "")
        plain = [c for c, fits in zip(words, good, strict=True) if fits]
        signed = self.matching(cells)
        kept = plain if cells.share(plain) >= cells.share(signed) else signed
        spelling, changed = number_template(kept) if kept else (self.default_spelling, "")
        remark = f"{changed[:24]!r} {self.respelt}" if spelling is None else ""
        if spelling is None:
            spelling = SIGNED.sub(rf"\g<1>{self.default_spelling}\g<3>", kept[0].strip())
        whole = kept is plain and len(plain) > 0 and bool((points[good] % 1 == 0).all())
        kind = "integer" if whole and np.abs(points[good]).max() <= EXACT else "number"
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


def _dtype(kind: str, spelling: str, cells: Cells) -> str:
    """Return the dtype of a text file's numbers without signs; "" for others, returned as text."""
    if not (cells.from_text_file and spelling.startswith("{") and spelling.endswith("}")):
        return ""
    return "int64" if kind == "integer" else "float64"
