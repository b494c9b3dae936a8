"""The columns that a generator learns of a table, some of them in place of those of the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from surveyor.data.columns import Column
from surveyor.data.fits import Fits
from surveyor.data.values import Form
from surveyor.data.where import Selection
from surveyor.kinds.table.constructions import Choice, Mask, choose
from surveyor.kinds.table.dependencies import Derived, Pairs, find_derived, find_pairs
from surveyor.kinds.table.rejected import Rejecting, as_numbers, to_reject, without_rows
from surveyor.kinds.table.rules import Found, Rule, View
from surveyor.kinds.table.rules.follows import Follows, Lookup
from surveyor.kinds.table.rules.missing_together import masks

Encoded = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Learning:
    """What a codec learns of a table; its fields of the same names say more."""

    columns: tuple[Column, ...]
    derived: tuple[Derived, ...] = ()
    pairs: tuple[Pairs, ...] = ()
    replaced: tuple[Column, ...] = ()
    kept: Choice = field(default_factory=Choice)
    rejected: tuple[Rejecting, ...] = ()


def learn(
    fitted: Sequence[Column],
    frame: pd.DataFrame,
    fits: Fits,
    rules: Sequence[Found] = (),
    declared: Sequence[Rule] = (),
    conditions: Sequence[Column] = (),
) -> Learning:
    """Return what to learn of training rows ``frame``, given ``fitted`` columns and their rules.

    If the fits are guarded it is the columns themselves. Rules that speak of ``conditions`` are
    kept by rejection.
    """
    view = View([*fitted, *(as_numbers(c) or c for c in conditions)], frame)
    if fits.guarded:
        declared = [without_rows(rule, view.columns) for rule in declared]
        return Learning(tuple(fitted), rejected=to_reject((), declared, (), view))
    made, given = Learning(tuple(fitted)), {c.name for c in conditions}
    own = [one for one in rules if not given & set(one.rule.names)]
    free = [rule for rule in declared if not given & set(rule.names)]
    if own or free:
        made = _kept(fitted, frame, choose_constructions(fitted, frame, own, free), fits)
    rejected = to_reject(rules, declared, made.kept.texts, view)
    encoded = encode_learnt(made.columns, {c.name: c for c in fitted}, made.kept, frame)
    codes = {c.name: own for c, (own, _) in zip(made.columns, encoded, strict=True)}
    columns, derived = find_derived(made.columns, np.stack(list(codes.values()), axis=1))
    drawn = columns[: len(columns) - len(derived)]
    replaced = {c.name for c in made.replaced}
    near = [r.rule.names for r in rules if isinstance(r.rule, Follows)]
    # Parts never seen together have no value to look up.
    near += [step.parts for step in made.kept.steps if isinstance(step, Lookup)]
    near = [names for names in near if len(names) == 2 and not replaced & set(names)]
    ordered = np.stack([codes[c.name] for c in drawn], axis=1)
    pairs = find_pairs(drawn, ordered, near)
    return replace(made, columns=columns, derived=derived, pairs=pairs, rejected=rejected)


def choose_constructions(
    columns: Sequence[Column],
    frame: pd.DataFrame,
    rules: Sequence[Found],
    declared: Sequence[Rule] = (),
) -> Choice:
    """Return what is kept by construction of rules that hold in every row of ``frame``.

    Those ``declared`` come first.
    """
    view = View(columns, frame)
    ranked = sorted(rules, key=lambda found: (found.rule.rank, found.rule.size))
    every = [*declared, *(one.rule for one in ranked)]
    steps = choose([rule.constructions(view) for rule in every], view)
    computed = Choice(steps).computed
    return Choice(steps, masks(view, [c.name for c in columns if c.name not in computed]))


def _kept(fitted: Sequence[Column], frame: pd.DataFrame, kept: Choice, fits: Fits) -> Learning:
    """Return the columns to learn where some rules are kept by construction."""
    if not (kept.steps or kept.masks):
        return Learning(tuple(fitted))
    view = View(fitted, frame)
    learnt, masks = kept.learnt(view), _masks(kept)
    columns, replaced, fills = list[Column](), list[Column](), dict[str, int]()
    for column in fitted:
        name = column.name
        if name not in learnt and name not in masks:
            columns.append(column)
            continue
        replaced.append(column)
        own, form = learnt.get(name, frame[name]), column.form
        if own is None:
            continue
        if name in learnt:
            words = own.dtype == object
            form = Form("category", "object") if words else Form("number", "float64")
        gone = _gone(view, masks.get(name, ()))
        new = fits.column(name, own[~gone].reset_index(drop=True), form)
        if name in masks:
            fills[name] = int(new.frequency[: new.size - new.missing].argmax())
            frequency = new.frequency * (1 - gone.mean())
            frequency[fills[name]] += gone.mean()
            new = replace(new, frequency=frequency)
        columns.append(new)
    filled = tuple(replace(mask, fill=fills[mask.targets[0]]) for mask in kept.masks)
    return Learning(tuple(columns), (), (), tuple(replaced), Choice(kept.steps, filled))


def encode_learnt(
    columns: Sequence[Column],
    own: Mapping[str, Column],
    kept: Choice,
    frame: pd.DataFrame,
    ignored: Sequence[str] = (),
) -> list[Encoded]:
    """Return the codes (n,) of rows in every column to learn, and the numbers of ordered ones.

    ``own`` are the columns of the table; the code of ``ignored`` ones is one that no row has.
    """
    view = View([c for n, c in own.items() if n not in ignored], frame)
    kept = kept.without(ignored)
    learnt, masks, found = kept.learnt(view), _masks(kept), list[Encoded]()
    for column in columns:
        if column.name in ignored:
            found.append((np.full(len(frame), column.size), np.empty(0)))
            continue
        own_values = learnt.get(column.name)
        codes, numbers = column.encoded(frame[column.name] if own_values is None else own_values)
        for mask in masks.get(column.name, ()):
            codes = np.where(view.missing(mask.parts[0]), mask.fill, codes)
        found.append((codes, numbers))
    return found


def snapped(
    found: Mapping[str, Selection], own: Mapping[str, Column], kept: Choice
) -> tuple[Mapping[str, Selection], Mapping[str, Selection]]:
    """Return the single numbers selected of learnt columns, and of computed ones, to be tested."""
    computed = {target for step in kept.steps for target in step.targets}
    single = {n: w for n, w in found.items() if w.column.ordered and w.value is not None}
    learnt = {n: w for n, w in single.items() if n in own and n not in computed}
    return learnt, {n: w.alone() for n, w in single.items() if n in computed}


def _masks(kept: Choice) -> dict[str, list[Mask]]:
    found: dict[str, list[Mask]] = {}
    for mask in kept.masks:
        found.setdefault(mask.targets[0], []).append(mask)
    return found


def _gone(view: View, masks: Sequence[Mask]) -> np.ndarray:
    gone = np.zeros(len(view), dtype=bool)
    for mask in masks:
        gone |= view.missing(mask.parts[0])
    return gone
