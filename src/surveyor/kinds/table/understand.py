"""What every column of a table holds, decided on all of its rows and told before training.

Text is a number or a date only where writing it back gives the same text in every row; otherwise it
stays text. What a person says of a column decides instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from surveyor.data.types import column_type, column_types, type_names
from surveyor.data.values import ARROW_TEXT, EXACT, TEXT, Form, form_of, numeric
from surveyor.errors import InputError, did_you_mean, tell
from surveyor.kinds.table.frames import Frame, InMemory
from surveyor.kinds.table.text import Reading, TextColumn, Understood

if TYPE_CHECKING:
    from surveyor.data import Options


@dataclass(frozen=True, eq=False)
class Typed(Frame):
    """A table whose columns are read as they were understood; others are left out."""

    plain: Frame
    columns: Mapping[str, Understood]

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names."""
        return [name for name in self.plain.names if name in self.columns]

    @property
    def where(self) -> str:  # type: ignore[override]
        """Return the name of the table in messages."""
        return self.plain.where

    @property
    def written(self) -> bool:  # type: ignore[override]
        """Return whether the table is a file of text."""
        return self.plain.written

    @cached_property
    def forms(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return how each column is understood."""
        return {name: column.form for name, column in self.columns.items()}

    def __len__(self) -> int:
        return len(self.plain)

    def place(self, row: int) -> str:
        """Return how a person finds a row."""
        return self.plain.place(row)

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return of every column its name, what it is read as, an example, and a remark."""
        return [(n, c.description, c.example, c.remark) for n, c in self.columns.items()]

    def chunks(self) -> Iterator[pd.DataFrame]:
        """Yield the rows in order."""
        if isinstance(self.plain, InMemory):
            yield self._whole
            return
        for chunk in self.plain.chunks():
            yield self._read(chunk)

    @cached_property
    def _whole(self) -> pd.DataFrame:
        return self._read(next(iter(self.plain.chunks())))

    def _read(self, chunk: pd.DataFrame) -> pd.DataFrame:
        read = {name: typed(chunk[name], form, name) for name, form in self.forms.items()}
        return pd.DataFrame(read)


def typed(values: pd.Series, form: Form, name: str) -> pd.Series:
    """Return values as the form reads them: words for a missing value gone, numbers as numbers."""
    if not is_text(values):
        return values
    if form.absent:
        values = values.mask(values.isin(form.absent))
    if form.parts[0] in (*TEXT, "arrow"):
        return values.astype(object).where(values.notna(), None)
    if form.ordered:
        values = pd.Series(numeric(values, form, name), index=values.index)
    return form.type.to_pandas(values)


def is_text(values: pd.Series) -> bool:
    """Return whether a column has no type but that of text."""
    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return True
    return bool(
        values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "string"
    )


def read_types(
    declared: Sequence[str], names: Sequence[str]
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return {column: (type, format)} of ``COLUMN=TYPE`` texts, and what is wrong with them."""
    found, problems = {}, []
    known = column_types()
    for text in declared:
        fits = [n for n in names if text.startswith(f"{n}=")]
        name = max(fits, key=len) if fits else text.partition("=")[0]
        kind, _, format_ = text[len(name) + 1 :].partition(":")
        if "=" not in text:
            problems.append(f"--type {text}: write COLUMN=TYPE, such as {text}=text")
        elif name not in names:
            problems.append(f"--type {text}: no such column{did_you_mean(name, names)}")
        elif kind not in type_names() or (format_ and not known[kind].takes_format):
            problems.append(f"--type {text}: unknown type{did_you_mean(kind, type_names())}")
        else:
            found[name] = (kind, format_)
    return found, problems


def understand(frame: Frame, reading: Reading, drop: Sequence[str] = ()) -> Typed:
    """Return the table as it is understood.

    Raises:
        InputError: all columns that cannot be, each with the cells that are to blame.
    """
    names = [name for name in frame.names if name not in drop]
    texts, typed_forms, found = _profiles(frame, names)
    problems: list[str] = []
    columns: dict[str, Understood] = {}
    for name in names:
        try:
            if name in texts:
                columns[name] = TextColumn(frame, name, texts[name], reading).understood()
            else:
                columns[name] = _of_type(name, typed_forms[name], found[name], reading)
        except InputError as error:
            if reading.lenient:
                tell(f"left out: {'; '.join(error.problems)}")
            else:
                problems += error.problems
    if problems:
        raise InputError(*problems)
    return Typed(frame, columns)


@dataclass(frozen=True)
class _Range:
    """Facts of a column that is not text: an example, the largest size, distinct values."""

    example: str = ""
    largest: float = 0.0
    finite: bool = True


def _profiles(
    frame: Frame, names: Sequence[str]
) -> tuple[dict[str, Counter[str]], dict[str, Form | InputError], dict[str, _Range]]:
    texts: dict[str, Counter[str]] = {}
    forms: dict[str, Form | InputError] = {}
    ranges: dict[str, _Range] = {}
    for chunk in frame.chunks():
        for name in names:
            values = chunk[name]
            if name in texts or (name not in forms and _first_text(values, frame, name)):
                counts = values.dropna().value_counts(sort=False)
                own = texts.setdefault(name, Counter())
                own.update(dict(zip(counts.index.astype(str), counts.tolist(), strict=True)))
                continue
            try:
                form = frame.declared.get(name) or form_of(name, values)
                ranges[name] = _widened(ranges.get(name, _Range()), values, form, name)
            except InputError as error:
                forms[name] = error
                ranges.setdefault(name, _Range())
                continue
            forms[name] = _merged(forms.get(name), form)
    return texts, forms, ranges


def _first_text(values: pd.Series, frame: Frame, name: str) -> bool:
    own = frame.declared.get(name)
    return is_text(values) and (own is None or own.parts[1] in ARROW_TEXT)


def _merged(old: Form | InputError | None, new: Form) -> Form | InputError:
    if isinstance(old, InputError) or old is None or old == new:
        return new if old is None else old
    kind = old.kind if isinstance(new.type, type(old.type)) else new.kind  # the wider one
    wide = old.dtype if old.dtype[:1].isupper() or old.dtype == "boolean" else new.dtype
    return replace(new, kind=kind, dtype=wide)


def _widened(old: _Range, values: pd.Series, form: Form, name: str) -> _Range:
    present = values.dropna()
    example = old.example or (str(present.iloc[0])[:24] if len(present) else "")
    if not form.ordered or len(present) == 0:
        return _Range(example)
    numbers = numeric(present, form, name)
    finite = bool(np.isfinite(numbers).all())
    largest = float(np.abs(numbers[np.isfinite(numbers)]).max(initial=0.0))
    return _Range(example, max(old.largest, largest), old.finite and finite)


def _of_type(name: str, form: Form | InputError, own: _Range, reading: Reading) -> Understood:
    if isinstance(form, InputError):
        raise form
    asked, _ = reading.declared.get(name, ("", ""))
    if asked:
        said = column_type(asked).cast(form)
        if said is None:
            raise InputError(
                f"--type {name}={asked}: the column is of type {form.dtype}; give it as text, or "
                "leave --type out"
            )
        form = said
    if not form.ordered:
        return Understood(form, own.example)
    if not own.finite:
        raise InputError(f"column {name!r}: holds infinite values; replace or remove those rows")
    if form.scale.discrete and own.largest > EXACT:
        raise InputError(
            f"column {name!r}: whole numbers beyond 2^53 cannot be kept exactly; leave it out with "
            f"--drop {name}, or learn its values as labels with --type {name}=category"
        )
    return Understood(form, own.example)


def reread(frame: Frame, forms: Mapping[str, Form], options: Options) -> Typed:
    """Return other rows as ``forms`` read them; cells that do not fit are told, and missing.

    ``options.type`` says of text how its dates or numbers are spelt here.

    Raises:
        InputError: columns of which no cell can be read, or types that are not those of the run.
    """
    own = {n: f for n, f in forms.items() if n in frame.names and n not in options.drop}
    said, problems = read_types(options.type, list(own))
    texts, _, _ = _profiles(frame, list(own))
    found = {}
    for name, form in own.items():
        form = replace(form, absent=(*form.absent, *options.missing))
        kind = form.type.family
        asked, format_ = said.get(name, (kind, ""))
        if column_type(asked).family != kind:
            problems.append(f"--type {name}={asked}: the run has learnt it as {kind}")
            continue
        if name in texts and form.ordered:
            if name in said:
                form = replace(form, spelling=format_, dtype=form.scale.dtype)
            reading = Reading(absent=form.absent, lenient=True)
            column = TextColumn(frame, name, texts[name], reading)
            form = column.as_before(form)
            if column.cells and not column.fitting(form):
                first = column.cells[0]
                problems.append(
                    f"column {name!r}, {frame.place(column.row(first))}: {first[:40]!r} is not a "
                    f"{form.type.singular}; give the column as in training, or say how it is spelt "
                    f"with --type {name}={kind}"
                )
        found[name] = Understood(form)
    if problems:
        raise InputError(*problems)
    return Typed(frame, found)


def alike(frames: Sequence[Frame], drop: Sequence[str]) -> list[Frame]:
    """Return tables whose columns of one name are of one type, in the order of the first.

    Raises:
        InputError: columns that only one of them has.
    """
    sides = ("first", "second")
    problems = [
        f"column {name!r} is only in the {sides[k]} table; drop it or add it"
        for k in range(2)
        for name in frames[k].names
        if name not in frames[1 - k].names and name not in drop
    ]
    every = [*frames[0].names, *frames[1].names]
    problems += [
        f"--drop {n}: no such column{did_you_mean(n, every)}" for n in drop if n not in every
    ]
    if problems:
        raise InputError(*problems)
    names = [name for name in frames[0].names if name not in drop]
    texts = [_profiles(f, names)[0] for f in frames]
    mixed = [n for n in names if (n in texts[0]) != (n in texts[1])]
    made: list[Frame] = []
    for frame, own in zip(frames, texts, strict=True):
        columns = {n: Understood(Form("category", "object")) for n in names}
        for name in mixed:
            columns[name] = _bridged(frame, name, own.get(name))
        made.append(Typed(frame, columns))
    return made


def _bridged(frame: Frame, name: str, cells: Counter[str] | None) -> Understood:
    """Return how a column is read that is text in one table and has a type in the other."""
    if cells is None:
        return Understood(Form("category", "object"))
    try:
        form = TextColumn(frame, name, cells, Reading(lenient=True)).understood().form
    except InputError:
        form = Form("category", "object")
    return Understood(replace(form, dtype=form.scale.dtype) if form.ordered else form)
