"""Column types: each file of this folder is one, and ``--type COLUMN=NAME`` names it.

Values are either points on a scale, stored as float64 (numbers, dates), or labels. A type says
which text it reads and how it writes it, how it is recognised, and how users select its values and
see them. Everything else, such as codes, cells and distances, is the same for all types.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.catalog import name_of, parts_in
from surveyor.data.numerals import Read
from surveyor.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from surveyor.data.values import Form


@dataclass(frozen=True, eq=False)
class Cells:
    """The distinct cells of a text column, without those that stand for a missing value.

    ``counts`` maps each cell to its number of rows. ``from_text_file`` is true if the column comes
    from a text file, whose columns have no types, and ``complete`` if no value is missing.
    """

    counts: Mapping[str, int]
    from_text_file: bool = False
    complete: bool = True

    @cached_property
    def distinct(self) -> list[str]:
        """Return the distinct cells."""
        return list(self.counts)

    def share(self, some: Sequence[str]) -> float:
        """Return the share of the rows whose cell is one of ``some``."""
        return sum(self.counts[c] for c in some) / max(1, sum(self.counts.values()))

    def without(self, some: Sequence[str]) -> tuple[str, ...]:
        """Return the other cells."""
        known = set(some)
        return tuple(c for c in self.distinct if c not in known)


@dataclass(frozen=True)
class Fit:
    """How a text column is read as a type.

    ``kind`` names the type of its values and ``spelling`` says how they are written; ``dtype`` is
    the type in which samples are returned, "" for text. ``odd`` cells do not fit; ``remark`` is
    shown to the user. ``stays``, if any, is why the column is read as text all the same;
    ``unreadable`` is a cell that makes the column unreadable, and what is wrong with it. ``places``
    is the number of elements for which a formula needs columns.
    """

    kind: str
    spelling: str = ""
    dtype: str = ""
    odd: tuple[str, ...] = ()
    remark: str = ""
    stays: str = ""
    unreadable: tuple[str, str] | None = None
    places: int = 0


class ColumnType(ABC):
    """A column type.

    ``samples`` are cells as a file can contain them, in one spelling. Only types that are
    ``choosable`` can be named by ``--type``. ``unsupported_formats`` are patterns of text that a
    reader would take for this type but that is not read as such, each with its remedy, in which
    ``{name}`` is the column.
    """

    samples: ClassVar[tuple[str, ...]]
    ordered: ClassVar[bool] = False
    """Whether the values have an order and a distance; then the type is a ``Scale``."""
    choosable: ClassVar[bool] = True
    takes_format: ClassVar[bool] = False
    """Whether ``--type COLUMN=NAME:FORMAT`` can give the spelling of the values."""
    literal: ClassVar[bool] = False
    """Whether every cell is a value, even words such as ``NA``."""
    unsupported_formats: ClassVar[Sequence[tuple[re.Pattern[str], str]]] = ()

    @property
    def name(self) -> str:
        """Return the name of the type's file."""
        return name_of(self)

    @property
    def family(self) -> str:
        """Return the type that ``--type`` has for such values."""
        return self.name

    @property
    def singular(self) -> str:
        """Return the word for one value in a sentence."""
        return self.family.replace("-", " ")

    @property
    def plural(self) -> str:
        """Return the word for several values."""
        return f"{self.singular}s"

    def describe(self, form: Form) -> str:
        """Return how a column's contents are described to the user."""
        return self.singular

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that look like this type; none if it is never guessed."""
        return ()

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return how to read a column whose cells are mostly ``matching``.

        If writing the values would not give the same text again, return the first such cell.
        """
        return self.fit(cells)

    @abstractmethod
    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return how to read a column that the user has declared to be of this type."""

    def cast(self, form: Form) -> Form | None:
        """Return the form of a column that is not text, cast to this type; None if impossible."""
        return form if isinstance(form.type, type(self)) else None

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Convert values read from text, labels (text) or points (float64), to a pandas type."""
        return values

    def label(self, value: Any) -> str:
        """Return the label under which a value is learnt; several values can share one."""
        return label_of(value)

    def find_label(self, text: str, labels: Sequence[str]) -> str:
        """Return the one of ``labels`` that a user means by ``text``, or ``text`` if none."""
        return text

    def sample_values(self, values: pd.Series, form: Form, draws: Draws) -> pd.Series:
        """Return the values (n,) of samples, given the values (n,) that their labels stand for."""
        return values


class Labels(ColumnType, ABC):
    """A type whose values are labels, without order or distance.

    Where several values share a label, ``sample_values`` chooses the one a sample gets.
    """

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return a fit in which every cell is a label."""
        return Fit("category")

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return text, None where missing."""
        return values.astype(object).where(values.notna(), None)


class Scale(ColumnType, ABC):
    """A type whose values are points on a scale: float64, with an order and a distance.

    ``example`` shows how a value is written, unless that is obvious. ``grains`` are the likely
    steps between values, from coarse to fine. Differences are reported in ``unit``, a size and a
    name. A condition column of ``discrete`` values is read as labels if it has few of them.
    """

    ordered = True
    example: ClassVar[str] = ""
    grains: ClassVar[tuple[float, ...]] = tuple(10.0**-k for k in range(10))
    unit: ClassVar[tuple[float, str]] = (1.0, "")
    discrete: ClassVar[bool] = False
    dtype: ClassVar[str] = "float64"
    """The pandas type that ``to_pandas`` returns if no value is missing."""
    default_spelling: ClassVar[str] = ""
    """The spelling of values if none reproduces all of them."""
    respelt: ClassVar[str] = "comes back with another spelling"

    @abstractmethod
    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the points (n,) that texts stand for, and which of them (n,) could be read."""

    @abstractmethod
    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return points (n,), none missing, as text."""

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the spelling that reproduces every one of ``texts``, and "".

        If none does, return None and a text that is changed. A type with several spellings
        overrides this.
        """
        points, good = self.read(texts)
        written = self.write(np.where(good, points, 0.0))
        same = [a == b and bool(g) for a, b, g in zip(texts, written, good, strict=True)]
        return ("", "") if all(same) else (None, texts[same.index(False)])

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return the common spelling of the ``matching`` cells that can be read."""
        good = [c for c, fits in zip(matching, self.read(matching)[1], strict=True) if fits]
        spelling, changed = self.spelling(good) if good else (None, matching[0])
        return changed if spelling is None else Fit(self.name, spelling, "", cells.without(good))

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return how the cells are read and written."""
        words = cells.distinct
        good = [c for c, fits in zip(words, self.read(words, format_)[1], strict=True) if fits]
        spelling, changed = (
            (format_, "") if format_ else self.spelling(good) if good else (None, "")
        )
        remark = f"{changed!r} {self.respelt}" if changed else ""
        spelling = self.default_spelling if spelling is None else spelling
        return Fit(self.name, spelling, "", cells.without(good), remark)

    def format_value(self, point: float, digits: int = 4) -> str:
        """Return a point as text for a reader."""
        return f"{point:.{digits}g}" if not self.example else self.write(np.array([point]))[0]

    def span(self, query: Any, form: Form, cells: np.ndarray) -> tuple[float, float]:
        """Return the smallest and the largest point that a user's text stands for.

        ``cells`` (k, quantiles) are values of the column.

        Raises:
            ValueError: not of this type.
        """
        points, good = self.read([str(query)], form.spelling)
        if not good[0]:
            raise ValueError(f"{query!r} is not a {self.singular}")
        return float(points[0]), float(points[0])

    def zone(self, form: Form) -> str:
        """Return the time zone in which values are written; "" for none."""
        return ""

    def possible(self, point: float) -> bool:
        """Return whether a value of this type can lie at ``point``."""
        return True


def label_of(value: Any) -> str:
    """Return a value as text; whole numbers without a decimal point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def column_types() -> dict[str, ColumnType]:
    """Return every column type by the name of its file."""
    found = parts_in("surveyor.data.types", ColumnType)  # type: ignore[type-abstract]
    return {name: cls() for name, cls in found.items()}


KEY = "key"  # --type COLUMN=key: identifiers, of which nothing is learnt


def type_names() -> list[str]:
    """Return what ``--type`` accepts: the names of types, and ``KEY``."""
    return sorted([KEY, *(name for name, own in column_types().items() if own.choosable)])


def takes_format(name: str) -> bool:
    """Return whether ``--type COLUMN=NAME:FORMAT`` can give the spelling of a type's values."""
    own = column_types().get(name)
    return own is not None and own.takes_format


def type_help() -> str:
    """Return what ``--type`` accepts, as a list in its help text."""
    formats = [f"{name}:FORMAT" for name in type_names() if takes_format(name)]
    return ", ".join([*type_names(), *formats])


@cache
def column_type(name: str) -> ColumnType:
    """Return the column type of this name.

    Raises:
        InputError: unknown type.
    """
    known = column_types()
    if name not in known:
        raise InputError(f"unknown column type {name[:40]!r}{did_you_mean(name, known)}")
    return known[name]
