"""The types of the columns of a table, inferred from all rows and shown before training.

A type that the user declares for a column takes precedence.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from surveyor.data.types import KEY, column_type, takes_format, type_names
from surveyor.data.values import ARROW_TEXT, EXACT, TEXT, Form, form_of, numeric
from surveyor.errors import InputError, did_you_mean, notify
from surveyor.kinds.table.frames import Frame, InMemory, Over
from surveyor.kinds.table.surrogates import Surrogate, is_key
from surveyor.kinds.table.templates import Numbered
from surveyor.kinds.table.text import InferredColumn, Reading, TextColumn

if TYPE_CHECKING:
    from surveyor.data import Options


@dataclass(frozen=True, eq=False)
class Typed(Over):
    """A table read with the inferred types of its ``columns``; other columns are left out.

    So are keys, which are not for learning.
    """

    columns: Mapping[str, InferredColumn]

    @property
    def names(self) -> list[str]:  # type: ignore[override]
        """Return the column names, without those of keys."""
        return [name for name in self.plain.names if name in self.forms]

    @cached_property
    def forms(self) -> Mapping[str, Form]:  # type: ignore[override]
        """Return the form of each column."""
        return {n: c.form for n, c in self.columns.items() if c.template is None}

    @cached_property
    def surrogates(self) -> tuple[Surrogate, ...]:  # type: ignore[override]
        """Return the columns of keys."""
        return tuple(
            Surrogate(n, c.form, c.template, c.missing, place)
            for place, (n, c) in enumerate(self.columns.items())
            if c.template is not None
        )

    def describe(self) -> list[tuple[str, str, str, str]]:
        """Return the name, type, example and remark of every column."""
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
        read = {name: convert(chunk[name], form, name) for name, form in self.forms.items()}
        return pd.DataFrame(read)


def convert(values: pd.Series, form: Form, name: str) -> pd.Series:
    """Return values in the type of the form, with words for a missing value replaced by None."""
    if not is_text(values):
        return values
    if form.absent:
        values = values.mask(values.isin(form.absent))
    if form.kind == "text":
        return pd.Series([None] * len(values), index=values.index, dtype=object)
    if form.parts[0] in (*TEXT, "arrow"):
        return values.astype(object).where(values.notna(), None)
    if form.ordered:
        values = pd.Series(numeric(values, form, name), index=values.index)
    return form.type.to_pandas(values)


def is_text(values: pd.Series) -> bool:
    """Return whether all values of a column are text."""
    if pd.api.types.is_string_dtype(values.dtype) and values.dtype != object:
        return True
    return bool(
        values.dtype == object and pd.api.types.infer_dtype(values, skipna=True) == "string"
    )


def read_types(
    declared: Sequence[str], names: Sequence[str]
) -> tuple[dict[str, tuple[str, str]], list[str]]:
    """Return {column: (type, format)} of ``COLUMN=TYPE`` texts, and their problems.

    A text can hold several, separated by commas.
    """
    found, problems = {}, []
    kinds = "|".join(type_names())
    columns = "|".join(map(re.escape, names))
    parts = re.compile(rf",(?=(?:{columns})=(?:{kinds})\b)")
    for text in (one for given in declared for one in parts.split(given)):
        fits = [n for n in names if text.startswith(f"{n}=")]
        name = max(fits, key=len) if fits else text.partition("=")[0]
        kind, _, format_ = text[len(name) + 1 :].partition(":")
        if "=" not in text:
            problems.append(f"--type {text}: write COLUMN=TYPE, such as {text}=text")
        elif name not in names:
            problems.append(f"--type {text}: unknown column{did_you_mean(name, names)}")
        elif kind not in type_names() or (format_ and not takes_format(kind)):
            problems.append(f"--type {text}: unknown type{did_you_mean(kind, type_names())}")
        else:
            found[name] = (kind, format_)
    return found, problems


def infer_types(frame: Frame, reading: Reading, drop: Sequence[str] = ()) -> Typed:
    """Return the table with the types of its columns inferred.

    Raises:
        InputError: every column that cannot be read, each with the cells to blame.
    """
    names = [name for name in frame.names if name not in drop]
    texts, typed_forms, found = _profiles(frame, names)
    problems: list[str] = []
    columns: dict[str, InferredColumn] = {}
    for name in names:
        try:
            if name in texts:
                columns[name] = TextColumn(frame, name, texts[name], reading).infer()
            else:
                columns[name] = _of_type(name, typed_forms[name], found[name], reading)
        except InputError as error:
            if reading.lenient:
                notify(f"left out: {'; '.join(error.problems)}")
            else:
                problems += error.problems
    if problems:
        raise InputError(*problems)
    typed = Typed(frame, columns)
    return _without_keys(typed) if reading.lenient else typed


def _without_keys(typed: Typed) -> Typed:
    for own in typed.surrogates:
        notify(f"left out: column {own.name!r}, a key of its table{own.as_number}")
    return Typed(typed.plain, {n: c for n, c in typed.columns.items() if c.template is None})


@dataclass(frozen=True)
class _Range:
    """The range of a column that is not text: an example, the largest size, finite or not.

    ``low`` and ``high`` are its ends; ``different`` are whole numbers as long as none is missing.
    """

    example: str = ""
    largest: float = 0.0
    finite: bool = True
    low: float = np.inf
    high: float = -np.inf
    rows: int = 0
    different: tuple[np.ndarray, ...] | None = ()

    def is_key(self, name: str) -> bool:
        """Return whether its values are identifiers."""
        if not self.different:
            return False
        distinct = len(np.unique(np.concatenate(self.different)))
        return is_key(name, distinct, self.rows, self.high - self.low + 1)


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
        return _Range(example, different=None)
    numbers = numeric(present, form, name)
    finite = np.isfinite(numbers)
    inside = numbers[finite]
    integers = present.dtype.kind in "iu"
    raw = present.to_numpy() if integers else inside  # exact beyond 2^53
    different = old.different
    if different is not None:
        own = np.unique(raw)
        different = (*different, own) if integers and len(own) == len(values) else None
    return _Range(
        example,
        max(old.largest, float(np.abs(inside).max(initial=0.0))),
        old.finite and bool(finite.all()),
        min(old.low, raw.min().item()) if len(raw) else old.low,
        max(old.high, raw.max().item()) if len(raw) else old.high,
        old.rows + len(values),
        different,
    )


def _of_type(name: str, form: Form | InputError, own: _Range, reading: Reading) -> InferredColumn:
    if isinstance(form, InputError):
        raise form
    asked, _ = reading.declared.get(name, ("", ""))
    whole = form.kind == "integer"
    if (asked == KEY and whole) or (not asked and own.is_key(name)):
        template = Numbered(("",), int(own.high) + 1, 1)
        remark = f"never learnt; new ones from {template.text(0)} on"
        return InferredColumn(form, own.example, remark, 0, template)
    if asked:
        cast = None if asked == KEY else column_type(asked).cast(form)
        if cast is None:
            raise InputError(
                f"--type {name}={asked}: the column is of type {form.dtype}; convert it to text, "
                "or leave --type out"
            )
        form = cast
    if not form.ordered:
        return InferredColumn(form, own.example)
    if not own.finite:
        raise InputError(f"column {name!r}: infinite values; replace them or remove those rows")
    if form.scale.discrete and own.largest > EXACT:
        raise InputError(
            f"column {name!r}: whole numbers beyond 2^53 cannot be kept exactly; leave it out with "
            f"--drop {name}, or learn its values as labels with --type {name}=category"
        )
    return InferredColumn(form, own.example)


def apply_forms(frame: Frame, forms: Mapping[str, Form], options: Options) -> Typed:
    """Return other rows read with ``forms``; cells that do not fit are missing, with a notice.

    ``options.type`` gives the spelling of dates and numbers in these rows, if it differs.

    Raises:
        InputError: no cell of a column can be read, or a type differs from that of the run.
    """
    own = {n: f for n, f in forms.items() if n in frame.names and n not in options.drop}
    declared, problems = read_types(options.type, list(own))
    texts, typed_forms, _ = _profiles(frame, list(own))
    found = {}
    for name, form in own.items():
        form = replace(form, absent=(*form.absent, *options.missing))
        kind = form.type.family
        asked, format_ = declared.get(name, (kind, ""))
        if asked == KEY or column_type(asked).family != kind:
            problems.append(
                f"--type {name}={asked}: the column is of type {kind}; leave --type out"
            )
            continue
        typed = typed_forms.get(name)
        if isinstance(typed, Form) and form.ordered and typed.ordered and not _alike(typed, form):
            problems.append(
                f"column {name!r} of {frame.where}: holds {typed.type.plural}, not {kind}s as "
                "elsewhere; convert it"
            )
        if name in texts and form.ordered:
            reading = Reading(absent=form.absent, lenient=True)
            column = TextColumn(frame, name, texts[name], reading)
            spelt = replace(form, spelling=format_, dtype=form.scale.dtype)
            # The spelling may be that of another file.
            form = spelt if name in declared and column.fitting(spelt) else form
            form = column.form_for_new_rows(form)
            if column.cells and not column.fitting(form):
                first, more = column.cells[0], ":FORMAT" if form.type.takes_format else ""
                problems.append(
                    f"column {name!r}, {frame.locate(column.row(first))}: {first[:40]!r} is not a "
                    f"valid {form.type.singular}, the type of the column; correct it, or declare "
                    f"its spelling with --type {name}={kind}{more}"
                )
        found[name] = InferredColumn(form)
    if problems:
        raise InputError(*problems)
    return Typed(frame, found)


def _alike(one: Form, other: Form) -> bool:
    """Return whether both have the same unit: numbers of any type, or dates."""
    return one.scale.unit == other.scale.unit


def align_columns(frames: Sequence[Frame], drop: Sequence[str]) -> list[Frame]:
    """Return two tables with the same columns, in the order of the first, and common types.

    Raises:
        InputError: a column is only in one of them.
    """
    sides = ("first", "second")
    problems = [
        f"column {name!r} is only in the {sides[k]} table; leave it out with --drop {name}, or "
        "add it to the other"
        for k in range(2)
        for name in frames[k].names
        if name not in frames[1 - k].names and name not in drop
    ]
    every = [*frames[0].names, *frames[1].names]
    problems += [
        f"--drop {n}: unknown column{did_you_mean(n, every)}" for n in drop if n not in every
    ]
    if problems:
        raise InputError(*problems)
    names = [name for name in frames[0].names if name not in drop]
    texts = [_profiles(f, names)[0] for f in frames]
    mixed = [n for n in names if (n in texts[0]) != (n in texts[1])]
    made: list[Frame] = []
    for frame, own in zip(frames, texts, strict=True):
        columns = {n: InferredColumn(Form("category", "object")) for n in names}
        for name in mixed:
            columns[name] = _bridged(frame, name, own.get(name))
        made.append(Typed(frame, columns))
    return made


def _bridged(frame: Frame, name: str, cells: Counter[str] | None) -> InferredColumn:
    """Return how to read a column that is text in one table and has a type in the other."""
    if cells is None:
        return InferredColumn(Form("category", "object"))
    try:
        form = TextColumn(frame, name, cells, Reading(lenient=True)).infer().form
    except InputError:
        form = Form("category", "object")
    return InferredColumn(replace(form, dtype=form.scale.dtype) if form.ordered else form)
