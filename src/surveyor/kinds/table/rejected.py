"""Rules kept by rejection, where no column can be computed so that they hold.

They are those of conditions, which are given, and those that clash with others or with privacy.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.data.values import numeric
from surveyor.data.where import Selection
from surveyor.errors import InputError
from surveyor.kinds.table.rules import Found, Rule, View, find_rules, within_decimals
from surveyor.kinds.table.rules.bound import Bound
from surveyor.kinds.table.rules.linear import Linear
from surveyor.kinds.table.rules.order import Order

MOST, LONGEST = 1000, 64  # rules, and columns of one, in a run folder

Rejecting = Linear | Bound


class _Saved(msgspec.Struct, forbid_unknown_fields=True):
    """A rule in a run folder: ``target`` ``sign`` constant + weights times columns."""

    target: str
    sign: str
    columns: list[str]
    weights: list[float]
    constant: float
    within: float


def as_numbers(column: Column) -> Column | None:
    """Return a column of numbers or dates; one of labels if they are whole numbers, else None.

    Whole numbers of few different values are labels where they are a condition.
    """
    if column.ordered:
        return column
    form = replace(column.form, kind="integer")
    try:
        found = numeric(pd.Series(column.natives, dtype=object), form, column.name)
    except InputError:
        return None
    return Column(column.name, form, column.missing, np.empty(0), cells=found[:, None])


def find_bounds(
    columns: Sequence[Column], conditions: Sequence[Column], rows: pd.DataFrame
) -> Iterator[Found]:
    """Yield the orders found of columns and ``conditions`` of numbers."""
    if conditions:
        names = {c.name for c in conditions}
        for found in find_rules([*columns, *conditions], rows, among=[Order]):
            if names & set(found.rule.names):
                yield found


def to_reject(
    found: Sequence[Found], declared: Sequence[Rule], kept: Sequence[str], view: View
) -> tuple[Rejecting, ...]:
    """Return the rules that are not ``kept`` by construction: those declared, and orders found.

    Orders hold in every row of ``view``. An equation that is found is kept by construction or not
    at all: nearly every row of a generator that has not learnt it would be thrown away.
    """
    whole = {part for text in kept for part in (text, *text.split("; "))}
    rules = [rule for rule in declared if isinstance(rule, Rejecting)]
    for rule in (one.rule for one in found):
        if isinstance(rule, Order) and rule.check(view).counts[0] == 0:
            line = Linear(rule.low, (rule.high,), (1.0,), 0.0, 0.0)
            rules.append(Bound(line, above=False, strict=False))
    return tuple(rule for rule in rules if rule.text not in whole)


def without_rows(rule: Rule, columns: Mapping[str, Column]) -> Rule:
    """Return a rule in which nothing depends on rows beyond what private ``columns`` say."""
    if not isinstance(rule, Linear):
        return rule
    own = [columns[name] for name in rule.names]
    steps = [c.grain / 2 if c.grain else within_decimals(c.cells.ravel()) for c in own]
    sizes = [step / c.form.scale.unit[0] for step, c in zip(steps, own, strict=True)]
    return replace(rule, within=1.01 * max(sizes))


def broken_rules(
    rules: Sequence[Rejecting], columns: Sequence[Column], rows: pd.DataFrame
) -> dict[str, np.ndarray]:
    """Return which rows break each rule, (n,) each by the rule's text."""
    named = {name for rule in rules for name in rule.names}
    numbers = [as_numbers(column) for column in columns if column.name in named]
    view, found = View([c for c in numbers if c is not None], rows), dict[str, np.ndarray]()
    with np.errstate(all="ignore"):
        for rule in rules:
            checked = rule.check(view)
            found[rule.text] = checked.broken & checked.applies
    return found


def contradicted(
    rules: Sequence[Rejecting],
    columns: Sequence[Column],
    computed: Collection[str],
    found: Mapping[str, Selection],
) -> tuple[str, ...]:
    """Return the rules that no row with the values ``found`` can obey.

    A column of which nothing is selected stays in its range, unless it is ``computed``.
    """
    own, texts = {c.name: c for c in map(as_numbers, columns) if c is not None}, list[str]()
    for rule in rules:
        if not set(rule.names) & set(found):
            continue
        line = rule.line if isinstance(rule, Bound) else rule
        weights = {
            line.target: 1.0,
            **{n: -w for n, w in zip(line.columns, line.weights, strict=True)},
        }
        low = high = -line.constant
        for name, weight in weights.items():
            ends = _ends(own[name], name in computed, found.get(name))
            sides = sorted(weight * end / own[name].form.scale.unit[0] for end in ends)
            low, high = low + sides[0], high + sides[1]
        if isinstance(rule, Linear):
            broken = low > rule.within or high < -rule.within
        elif rule.above:
            broken = high <= 0 if rule.strict else high < 0
        else:
            broken = low >= 0 if rule.strict else low > 0
        texts += [rule.text] * broken
    return tuple(texts)


def _ends(column: Column, computed: bool, selected: Selection | None) -> tuple[float, float]:
    """Return the least and the largest number of a column; infinite where it may be missing."""
    free = -math.inf, math.inf
    if not len(column.cells) or (selected is None and (computed or column.missing)):
        return free
    if selected is None:
        return column.range
    if selected.is_range:
        return selected.low, selected.high
    if selected.value is not None and selected.column.ordered:
        number = float(column.numbers(column.repeated(selected.value, 1))[0])
        return free if math.isnan(number) else (number, number)
    known = selected.codes < len(column.cells)
    cells = column.cells[selected.codes[known]]
    return (float(cells.min()), float(cells.max())) if known.all() else free


def rules_state(rules: Sequence[Rejecting]) -> list[dict[str, Any]]:
    """Return JSON-ready values that ``rules_restore`` reads back."""
    made = []
    for rule in rules:
        line = rule.line if isinstance(rule, Bound) else rule
        sign = "="
        if isinstance(rule, Bound):
            sign = (">" if rule.above else "<") + "=" * (not rule.strict)
        made.append(
            {
                "target": line.target,
                "sign": sign,
                "columns": list(line.columns),
                "weights": list(line.weights),
                "constant": line.constant,
                "within": line.within,
            }
        )
    return made


def rules_restore(metas: Any, columns: Sequence[Column]) -> tuple[Rejecting, ...]:
    """Return the rules that ``rules_state`` described, of ``columns`` of numbers and dates.

    Raises:
        ValueError: anything else.
    """
    saved = msgspec.convert(metas, list[_Saved])
    if len(saved) > MOST:
        raise ValueError(f"{len(saved)} rules")
    numbers = [c.name for c in columns if as_numbers(c) is not None] if saved else []
    return tuple(_restored(one, numbers) for one in saved)


def _restored(saved: _Saved, known: Collection[str]) -> Rejecting:
    names, sizes = [saved.target, *saved.columns], [*saved.weights, saved.constant, saved.within]
    sound = (
        2 <= len(names) <= LONGEST
        and len(set(names)) == len(names) == len(saved.weights) + 1
        and set(names) <= set(known)
        and all(map(math.isfinite, sizes))
        and saved.within >= 0
        and saved.sign in ("=", "<", "<=", ">", ">=")
    )
    if not sound:
        raise ValueError(f"a rule of {', '.join(names[:3])} that cannot be checked")
    line = Linear(
        saved.target, tuple(saved.columns), tuple(saved.weights), saved.constant, saved.within
    )
    if saved.sign == "=":
        return line
    return Bound(line, saved.sign[0] == ">", len(saved.sign) == 1)
