"""Rules that a user declares, such as ``end >= start + 3`` or ``gross = net + tax``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from surveyor.data import Options
from surveyor.data.columns import Column
from surveyor.data.values import Form
from surveyor.errors import InputError, did_you_mean
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.rejected import as_numbers, find_bounds
from surveyor.kinds.table.rules import Found, Rule, View, find_rules, tolerance
from surveyor.kinds.table.rules.bound import Bound
from surveyor.kinds.table.rules.linear import Linear

SIGN = re.compile(r"<=|>=|==|=|<|>")
NUMBER = re.compile(r"\d+(\.\d*)?([eE][-+]?\d+)?|\.\d+([eE][-+]?\d+)?")
SHOWN = 3  # rows that break a declared rule


def parse_rule(text: str, names: Sequence[str]) -> Rule:
    """Return the rule of a text: two sums of columns and numbers, and one of = < <= > >=.

    Names with spaces or signs may stand in double quotes. Dates are counted in days.

    Raises:
        InputError: it does not parse, with the place; or a column is unknown.
    """
    signs = [m for m in SIGN.finditer(_blanked(text, names))]
    if len(signs) != 1:
        raise InputError(
            f"--rule {text!r}: {len(signs) or 'no'} of = < <= > >=; write one, as in 'end >= start'"
        )
    sign = signs[0]
    weights: dict[str, float] = {}
    constant = 0.0
    sides = ((0, sign.start(), 1.0), (sign.end(), len(text), -1.0))
    first = ""
    for start, stop, side in sides:
        terms = _terms(text, start, stop, names)
        if len(terms) == 1 and abs(terms[0][0]) == 1 and terms[0][1] and not first:
            first = terms[0][1]
        for weight, name in terms:
            if name:
                weights[name] = weights.get(name, 0.0) + side * weight
            else:
                constant += side * weight
    weights = {name: w for name, w in weights.items() if w}
    if len(weights) < 2:
        raise InputError(f"--rule {text!r}: give at least two columns, on both sides together")
    target = (
        first
        if first in weights
        else next((n for n, w in weights.items() if abs(w) == 1), next(iter(weights)))
    )
    own = weights.pop(target)
    line = Linear(
        target, tuple(weights), tuple(-w / own for w in weights.values()), -constant / own, 0.0
    )
    if sign[0] in ("=", "=="):
        return line
    return Bound(line, (sign[0][0] == ">") == (own > 0), len(sign[0]) == 1)


def declared_rules(texts: Sequence[str], frame: Frame) -> tuple[Rule, ...]:
    """Return the rules that a user declares of a table, each true of every row.

    Raises:
        InputError: every rule that does not parse, speaks of text, or is broken by rows; with the
            number of these and the first.
    """
    rules, problems = list[Rule](), list[str]()
    for text in texts:
        try:
            rule = parse_rule(text, frame.names)
        except InputError as error:
            problems += error.problems
            continue
        words = [n for n in rule.names if not frame.forms[n].ordered]
        problems += [
            f"--rule {text!r}: {name!r} is read as {frame.forms[name].type.singular}; rules are of "
            f"numbers and dates (--type {name}=number or date, if it is one)"
            for name in words
        ]
        if not words and _mixes(rule, frame):
            problems.append(
                f"--rule {text!r}: mixes dates and numbers; a date is another date and some days, "
                "as in 'end >= start + 3'"
            )
        elif not words:
            rules.append(rule)
    rules = [_within(rule, frame) for rule in rules]
    if not problems:
        problems = _broken(rules, frame)
    if problems:
        raise InputError(*problems)
    return tuple(rules)


def rules_of(
    raw: Frame,
    rows: pd.DataFrame,
    columns: Sequence[Column],
    conditions: Sequence[Column],
    options: Options,
) -> tuple[Sequence[Found], Sequence[Rule]]:
    """Return the rules to keep of training rows: those found, and those declared.

    For a codec that is guarded none is looked for.

    Raises:
        InputError: a rule to leave out is none that was found.
    """
    declared = declared_rules(options.rule, raw)
    if options.guarded:
        return (), declared
    known = {frozenset(rule.names) for rule in declared}
    found: list[Found] = []
    if options.rules == "found":
        given = [as_numbers(c) for c in conditions if raw.forms[c.name].ordered]
        bounds = find_bounds(columns, [c for c in given if c is not None], rows)
        found = [*find_rules(columns, rows), *bounds]
    texts = [one.rule.text for one in found]
    problems = [
        f"--except-rule {text!r}: no such rule is kept{did_you_mean(text, texts)}"
        for text in options.except_rule
        if text not in texts
    ]
    if problems:
        raise InputError(*problems)
    left = [one for one in found if one.rule.text not in options.except_rule]
    return [one for one in left if frozenset(one.rule.names) not in known], declared


def _mixes(rule: Rule, frame: Frame) -> bool:
    """Return whether dates do not cancel: a sum of two dates, or a date that equals a number."""
    line = rule.line if isinstance(rule, Bound) else rule
    assert isinstance(line, Linear)
    weights = dict(zip(line.names, (-1.0, *line.weights), strict=True))
    dates = [w for n, w in weights.items() if frame.forms[n].scale.unit[0] != 1]
    return bool(dates) and abs(sum(dates)) > 1e-9


def _within(rule: Rule, frame: Frame) -> Rule:
    """Return an equation with the tolerance of the target's decimals."""
    if not isinstance(rule, Linear):
        return rule
    view = View(plain_columns(frame.forms), next(iter(frame.chunks())))
    return replace(rule, within=1.01 * max(tolerance(view, name) for name in rule.names))


def plain_columns(forms: Mapping[str, Form]) -> list[Column]:
    """Return columns that read numbers, and nothing else."""
    return [Column(n, f, False, np.empty(0)) for n, f in forms.items() if f.ordered]


def _broken(rules: Sequence[Rule], frame: Frame) -> list[str]:
    columns, start = plain_columns(frame.forms), 0
    counts, examples = [0] * len(rules), [list[str]() for _ in rules]
    for chunk in frame.chunks():
        view = View(columns, chunk)
        for k, rule in enumerate(rules):
            checked = rule.check(view)
            rows = np.flatnonzero(checked.broken & checked.applies)
            counts[k] += len(rows)
            for row in rows[: SHOWN - len(examples[k])]:
                values = ", ".join(f"{n}={chunk[n].iloc[row]}" for n in rule.names)
                examples[k].append(f"{frame.locate(start + int(row))}: {values}")
        start += len(chunk)
    return [
        f"--rule {rule.text!r}: {count:,} row{'s' * (count != 1)} break{'s' * (count == 1)} it "
        f"({'; '.join(shown)}); correct them, or leave the rule out"
        for rule, count, shown in zip(rules, counts, examples, strict=True)
        if count
    ]


def _blanked(text: str, names: Sequence[str]) -> str:
    """Return text in which the names of columns are blank, so that signs in them do not count."""
    for name in sorted(names, key=len, reverse=True):
        for word in (f'"{name}"', name):
            if word and SIGN.search(word):
                text = text.replace(word, " " * len(word))
    return re.sub(r'"[^"]*"', lambda m: " " * len(m[0]), text)


def _terms(text: str, start: int, stop: int, names: Sequence[str]) -> list[tuple[float, str]]:
    """Return weights and columns of a sum, "" for a plain number."""
    found, at = list[tuple[float, str]](), start
    while True:
        weight, name = 1.0, None
        at = _skip(text, at, stop)
        if text[at:stop][:1] in ("+", "-"):
            weight = -1.0 if text[at] == "-" else 1.0
            at = _skip(text, at + 1, stop)
        elif found:
            raise _unread(text, at, stop, names, "a sign")
        if (column := _name(text, at, stop, names)) is not None:
            name, at = column
        elif number := NUMBER.match(text, at, stop):
            weight, at = weight * float(number[0]), _skip(text, number.end(), stop)
            name = ""
            if text[at:stop][:1] == "*":
                at = _skip(text, at + 1, stop)
            if (column := _name(text, at, stop, names)) is not None:
                name, at = column
        if name is None:
            raise _unread(text, at, stop, names, "a column or a number")
        at = _skip(text, at, stop)
        if name and text[at:stop][:1] == "*":
            if (number := NUMBER.match(text, _skip(text, at + 1, stop), stop)) is None:
                raise _unread(text, at + 1, stop, names, "a number")
            weight, at = weight * float(number[0]), _skip(text, number.end(), stop)
        found.append((weight, name))
        if at >= stop:
            return found


def _name(text: str, at: int, stop: int, names: Sequence[str]) -> tuple[str, int] | None:
    """Return the longest column name at a place, and where it ends."""
    for name in sorted(names, key=len, reverse=True):
        if text.startswith(f'"{name}"', at, stop):
            return name, at + len(name) + 2
        end = at + len(name)
        whole = not (name[-1:].isalnum() and text[end:stop][:1].isalnum())
        if text.startswith(name, at, stop) and whole:
            return name, end
    return None


def _skip(text: str, at: int, stop: int) -> int:
    while at < stop and text[at].isspace():
        at += 1
    return at


def _unread(text: str, at: int, stop: int, names: Sequence[str], what: str) -> InputError:
    word = (re.match(r"[^\s+*<>=-]*", text[at:stop]) or [""])[0]
    hint = did_you_mean(word, names) if word else ""
    return InputError(f"--rule {text!r}: {what} expected at character {at + 1}{hint}")
