"""Tables at several places: one reading of their columns, and one codec without their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from surveyor.data import Codec, Options
from surveyor.data.conditions import Columns
from surveyor.data.joining import Joining
from surveyor.data.merging import merge_conditions
from surveyor.data.shared import merge_columns
from surveyor.data.values import Form
from surveyor.errors import InputError
from surveyor.kinds.table.codec import TableCodec
from surveyor.kinds.table.defaults import FEDERATED_STEPS, PRIVATE, PRIVATE_PARTS, defaults
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.infer import Typed, apply_forms

Told = Mapping[str, Form | None]
"""How a place reads each column; None where it has no value."""


class Tables(Joining):
    """Tables with the same columns."""

    def told(self, raw: Frame) -> Told:
        """Return the form of every column.

        Raises:
            InputError: columns of keys or formulas.
        """
        problems = [
            f"column {own.name!r}: a key, of which only its own table can make new ones; leave it "
            f"out with --drop {own.name}{own.as_number}"
            for own in raw.surrogates
        ]
        problems += [
            f"column {name!r}: formulas, which are not merged; leave it out with --drop {name}"
            for name in raw.formulas
        ]
        if problems:
            raise InputError(*problems)
        filled = {name for chunk in raw.chunks() for name in raw.names if chunk[name].notna().any()}
        plain = {n: replace(f, categories=()) for n, f in raw.forms.items()}  # rare ones among them
        return {name: form if name in filled else None for name, form in plain.items()}

    def agreed(self, told: Mapping[str, Told]) -> dict[str, Form]:
        """Return the form in which all places read each column."""
        (first, forms), *others = told.items()
        problems = [
            f"{place}: lacks the column {name!r} of {first}; add it, or leave it out of all with "
            f"--drop {name}"
            for place, own in others
            for name in forms
            if name not in own
        ]
        problems += [
            f"{place}: has a column {name!r} that {first} lacks; leave it out with --drop {name}"
            for place, own in others
            for name in own
            if name not in forms
        ]
        found: dict[str, Form] = {}
        for name in forms:
            own = {place: read[name] for place, read in told.items() if read.get(name) is not None}
            try:
                found[name] = _common(name, cast(Mapping[str, Form], own))
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*problems)
        return found

    def defaults(self, raws: Sequence[Frame], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return defaults of few steps with large batches: every step is a message to a client."""
        rows, columns = sum(map(len, raws)), len(raws[0].names)
        generator = str(given.get("generator") or "autoregressive").partition(":")[0]
        found = defaults(rows, columns, generator == "autoregressive")
        batch = min(2000, max(32, rows // PRIVATE_PARTS))
        few = {**PRIVATE, "steps": FEDERATED_STEPS} if "warm_start" in found else {}
        return {**found, **few, "batch": batch, "calibrate": "no"}

    def reread(self, raw: Frame, agreed: Mapping[str, Any], options: Options) -> Typed:
        """Return the table read in the agreed forms."""
        return apply_forms(raw.plain if isinstance(raw, Typed) else raw, agreed, options)

    def merged(self, codecs: Sequence[Codec], rows: Sequence[int]) -> TableCodec:
        """Return the codec of all rows.

        Raises:
            InputError: every column is constant.
        """
        first = cast(TableCodec, codecs[0])
        own = [{c.name: c for c in cast(TableCodec, codec).columns} for codec in codecs]
        columns = tuple(merge_columns([mine[c.name] for mine in own], rows) for c in first.columns)
        if all(column.size == 1 for column in columns):
            raise InputError("every column is constant; there is nothing to learn")
        conditions = [cast(Columns, codec.condition) for codec in codecs]
        return TableCodec(columns, first.order, merge_conditions(conditions, rows))


def _common(name: str, forms: Mapping[str, Form]) -> Form:
    """Return the form that reads a column at all places, which have ``forms``.

    Raises:
        InputError: the types differ; named for every place that differs from the first.
    """
    if not forms:
        return Form("category", "object")
    (first, form), *others = forms.items()
    problems = []
    for place, other in others:
        if other.type.family != form.type.family:
            problems.append(
                f"{place}: column {name!r} is read as {other.type.singular}, but as "
                f"{form.type.singular} in {first}; correct it, or read it as text at all places "
                f"with --type {name}=category"
            )
            continue
        if other.ordered and other.kind != form.kind:  # whole numbers among others
            form = other if form.scale.discrete else form
        if form.ordered and other.spelling != form.spelling:
            form = replace(form, spelling=form.scale.default_spelling or form.spelling)
    if problems:
        raise InputError(*problems)
    absent = dict.fromkeys(word for own in forms.values() for word in own.absent)
    return replace(form, absent=tuple(absent))
