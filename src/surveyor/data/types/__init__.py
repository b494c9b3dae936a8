"""What a column can hold: a file here is a type, and ``--type COLUMN=NAME`` names it.

Values are either points of a scale, kept as float64 (numbers, dates), or labels. A type says which
text it reads and how it writes it again, how it is recognised, and how a person asks for its values
and is told of them. Everything else, codes and cells and distances, is the same for all types.
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
from surveyor.catalog import folder, name_of
from surveyor.data.spelling import Read
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
        """Return the share of the rows that hold ``some`` of the cells."""
        return sum(self.counts[c] for c in some) / max(1, sum(self.counts.values()))

    def without(self, some: Sequence[str]) -> tuple[str, ...]:
        """Return the other cells."""
        known = set(some)
        return tuple(c for c in self.distinct if c not in known)


@dataclass(frozen=True)
class Fit:
    """How a column of text is to be read as a type.

    ``kind`` names the type of its values and ``spelling`` says how they are written; ``dtype`` is
    the type they come back in, "" for text. ``odd`` cells do not fit; ``remark`` is told. With
    ``stays`` the column stays text all the same, and this is why; ``unreadable`` is a cell because
    of which it cannot be read at all, and what is wrong with it. A formula takes ``places``.
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
    """A type of column.

    ``samples`` are cells as a file may hold them, in one spelling. Only types that are
    ``choosable`` can be named by ``--type``. ``unsupported_formats`` are patterns
    of text that a person would take for this type although it is not read as such, each with what
    to do about it, in which ``{name}`` is the column.
    """

    samples: ClassVar[tuple[str, ...]]
    ordered: ClassVar[bool] = False
    """Whether the values have an order and a distance; then the type is a ``Scale``."""
    choosable: ClassVar[bool] = True
    takes_format: ClassVar[bool] = False
    """Whether ``--type COLUMN=NAME:FORMAT`` says how the values are spelt."""
    literal: ClassVar[bool] = False
    """Whether every cell is a value as it stands, words such as ``NA`` among them."""
    unsupported_formats: ClassVar[Sequence[tuple[re.Pattern[str], str]]] = ()

    @property
    def name(self) -> str:
        """Return the name of the type's file."""
        return name_of(self)

    @property
    def family(self) -> str:
        """Return the type by which ``--type`` asks for such values."""
        return self.name

    @property
    def singular(self) -> str:
        """Return what one value is called in a sentence."""
        return self.family.replace("-", " ")

    @property
    def plural(self) -> str:
        """Return what several values are called."""
        return f"{self.singular}s"

    def describe(self, form: Form) -> str:
        """Return what a person is told that a column holds."""
        return self.singular

    def matching(self, cells: Cells) -> Sequence[str]:
        """Return the cells that look like this type; of one that is never guessed, none."""
        return ()

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return how a column is read most of whose cells are ``matching``.

        Where writing the values would not give the same text again, return the first such cell.
        """
        return self.fit(cells)

    @abstractmethod
    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return how a column is read that a person says is of this type."""

    def cast(self, form: Form) -> Form | None:
        """Return the form of a column that is not text as this type; None where it is another."""
        return form if isinstance(form.type, type(self)) else None

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return values read from text in a type of pandas: labels as text, points as float64."""
        return values

    def label(self, value: Any) -> str:
        """Return the label under which a value is learnt, which several values may share."""
        return label_of(value)

    def find_label(self, text: str, labels: Sequence[str]) -> str:
        """Return the one of ``labels`` that a person asks for, or the text itself."""
        return text

    def sample_values(self, values: pd.Series, form: Form, draws: Draws) -> pd.Series:
        """Return the values (n,) of a sample for those that their labels stand for, (n,)."""
        return values


class Labels(ColumnType, ABC):
    """A type whose values are labels, without order or distance.

    Where several values share a label, ``sample_values`` says which of them a sample has.
    """

    def fit(self, cells: Cells, format_: str = "") -> Fit:
        """Return that every cell is a label."""
        return Fit("category")

    def to_pandas(self, values: pd.Series) -> pd.Series:
        """Return text, None where missing."""
        return values.astype(object).where(values.notna(), None)


class Scale(ColumnType, ABC):
    """A type whose values are points of a scale: float64, with an order and a distance.

    ``example`` is how a value is written, where a number alone would not say it. ``grains`` are
    steps in which values are likely to lie, from coarse to fine. Differences are told in ``unit``:
    its size and its name. A column of ``discrete`` values that has few of them holds labels where
    it is a condition.
    """

    ordered = True
    example: ClassVar[str] = ""
    grains: ClassVar[tuple[float, ...]] = tuple(10.0**-k for k in range(10))
    unit: ClassVar[tuple[float, str]] = (1.0, "")
    discrete: ClassVar[bool] = False
    dtype: ClassVar[str] = "float64"
    """The type of pandas that ``to_pandas`` makes of numbers without a gap."""
    default_spelling: ClassVar[str] = ""
    """The spelling of values where none writes every one as it stands."""
    respelt: ClassVar[str] = "comes back in another spelling"

    @abstractmethod
    def read(self, texts: Sequence[str], spelling: str = "") -> Read:
        """Return the points (n,) that texts stand for, and which of them (n,) could be read."""

    @abstractmethod
    def write(self, points: np.ndarray, spelling: str = "") -> list[str]:
        """Return points (n,), none of them missing, as text."""

    def spelling(self, texts: Sequence[str]) -> tuple[str | None, str]:
        """Return the spelling that writes every one of ``texts`` as it stands, and "".

        Where none does, the second is a text that is changed. A type with several spellings
        overrides this.
        """
        points, good = self.read(texts)
        written = self.write(np.where(good, points, 0.0))
        same = [a == b and bool(g) for a, b, g in zip(texts, written, good, strict=True)]
        return ("", "") if all(same) else (None, texts[same.index(False)])

    def guess(self, matching: Sequence[str], cells: Cells) -> Fit | str:
        """Return the one spelling of all cells that are alike and can be read."""
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
        """Return a point as a person reads it."""
        return f"{point:.{digits}g}" if not self.example else self.write(np.array([point]))[0]

    def span(self, asked: Any, form: Form, cells: np.ndarray) -> tuple[float, float]:
        """Return the least and the greatest point that stand for what a person wrote.

        ``cells`` (k, quantiles) are values of the column.

        Raises:
            ValueError: nothing of this type.
        """
        points, good = self.read([str(asked)], form.spelling)
        if not good[0]:
            raise ValueError(f"{asked!r} is no {self.singular}")
        return float(points[0]), float(points[0])

    def possible(self, point: float) -> bool:
        """Return whether a value of this type can lie at ``point``."""
        return True


def label_of(value: Any) -> str:
    """Return a value as text; whole numbers without a decimal point."""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        return str(int(value))
    return str(value)


def column_types() -> dict[str, ColumnType]:
    """Return every type of column by the name of its file."""
    found = folder("surveyor.data.types", ColumnType)  # type: ignore[type-abstract]
    return {name: cls() for name, cls in found.items()}


def type_names() -> list[str]:
    """Return the types that ``--type`` names."""
    return [name for name, own in column_types().items() if own.choosable]


@cache
def column_type(name: str) -> ColumnType:
    """Return one type by its name.

    Raises:
        InputError: no such type.
    """
    known = column_types()
    if name not in known:
        raise InputError(f"unknown type of column {name[:40]!r}{did_you_mean(name, known)}")
    return known[name]
