"""A table summarised without its rows, and other rows counted in the same way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from surveyor.data import Options
from surveyor.data.grains import between as between
from surveyor.data.summary import Summary
from surveyor.data.values import Form, numeric
from surveyor.errors import notify
from surveyor.kinds.table.chosen import same_columns
from surveyor.kinds.table.formula import Expanded
from surveyor.kinds.table.frames import Frame, InMemory, read_frame
from surveyor.kinds.table.infer import Typed, apply_forms
from surveyor.two_sample import some
from surveyor.two_sample.pairs import MOST_ROWS
from surveyor.two_sample.statistics import (
    BINS,
    LEAST,
    MOST_LABELS,
    Counts,
    Moments,
    Statistics,
    moments,
)


def summarise(raw: Frame, seed: int) -> Summary:
    """Return the forms of a table's columns, and its statistics.

    A bin has at least ``LEAST`` rows, and so does a value that is named. Edges lie between numbers.
    """
    whole = raw.plain if isinstance(raw, Expanded) else raw
    text = Form("category", "object")
    forms = {n: text if n in raw.formulas else f for n, f in whole.forms.items()}
    forms = {n: replace(f, categories=()) for n, f in forms.items()}  # rare ones are among them
    part = whole.take(some(len(whole), MOST_ROWS, seed))
    edges = {n: edges_of(numeric(part[n], f, n)) for n, f in forms.items() if f.ordered}
    labels: dict[str, Counter[str]] = {n: Counter() for n in forms if n not in edges}
    on_edges = {n: np.zeros(len(edge), np.int64) for n, edge in edges.items()}
    found = {n: Counts(n, True, np.zeros(len(e) + 2, np.int64), e) for n, e in edges.items()}
    for chunk in whole.chunks():
        for name, counter in labels.items():
            counter.update(_labels(chunk[name], forms[name]))
        for name, own in found.items():
            values = numeric(chunk[name], forms[name], name)
            found[name] = _added(own, own.codes(values))
            on_edges[name] += _equal(own.edges, values)
    columns = tuple(
        merged(found[n], on_edges[n]) if n in found else named(n, labels[n], len(whole))
        for n in forms
    )
    known = Statistics(columns, moments(columns, _codes(columns, part, forms)))
    every = whole.plain.names if isinstance(whole, Typed) else whole.names
    return Summary(forms, known, tuple(n for n in every if n not in forms))


def recount(
    source: Any, known: Summary, names: tuple[str, str], options: Options, seed: int
) -> tuple[Statistics, Statistics]:
    """Return the statistics of a summary and those of another table, both without dropped columns.

    ``names`` are what to call the two.

    Raises:
        InputError: columns differ, or cannot be read in their forms.
    """
    header = InMemory(pd.DataFrame(columns=list(known.forms)), names[0])
    frame = read_frame(source)
    drop = [*options.drop, *(n for n in known.left_out if n in frame.names)]
    both = same_columns({names[0]: header, names[1]: frame}, drop)
    first = known.statistics.without(options.drop)
    table = apply_forms(both[names[1]], known.forms, replace(options, drop=()))
    columns = tuple(replace(c, counts=np.zeros_like(c.counts)) for c in first.columns)
    for chunk in table.chunks():
        codes = _codes(columns, chunk, known.forms)
        columns = tuple(_added(c, codes[:, k]) for k, c in enumerate(columns))
    for column in columns:
        if column.labels and column.counts[-1] and not column.counts[1:-1].any():
            notify(
                f"{names[1]}: no value of column {column.name!r} is one of the reference; check "
                "that both write its values alike"
            )
    if not len(table):
        return first, Statistics(columns, Moments(0, *2 * [np.zeros((0, 0))]))
    part = table.take(some(len(table), MOST_ROWS, seed))
    own = moments(first.columns, _codes(first.columns, part, known.forms))
    return first, Statistics(columns, own)


def edges_of(values: np.ndarray) -> np.ndarray:
    """Return ascending edges that part numbers (n,) into bins of at most about n / ``BINS``.

    A number that more rows have is a bin by itself. Each edge is a round number between two of the
    ``values``, and equal to none.
    """
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    if len(distinct) < 2:
        return np.empty(0)
    ends = np.cumsum(counts)
    cuts = np.searchsorted(ends, ends[-1] * np.arange(1, BINS) / BINS)
    frequent = np.flatnonzero(counts >= ends[-1] / BINS)
    after = np.union1d(np.union1d(cuts, frequent), frequent - 1)
    after = after[(after >= 0) & (after < len(distinct) - 1)]
    made = [between(float(distinct[k]), float(distinct[k + 1])) for k in after]
    return np.array([edge for edge in made if edge is not None])


def merged(column: Counts, on_edges: np.ndarray) -> Counts:
    """Return counts with bins of at least ``LEAST`` rows, and no edge that few rows are equal to.

    ``on_edges`` (k,) is how many rows are equal to each edge.
    """
    bins = column.counts[1:]
    kept: list[float] = []
    counts: list[int] = []
    pending = 0
    for edge, rows, equal in zip(column.edges, bins[:-1], on_edges, strict=True):
        pending += int(rows)
        if pending >= LEAST and not 0 < equal < LEAST:
            kept, counts, pending = [*kept, float(edge)], [*counts, pending], 0
    pending += int(bins[-1])
    while kept and pending < LEAST:
        pending, kept = pending + counts.pop(), kept[:-1]
    made = np.array([column.counts[0], *counts, pending], np.int64)
    return replace(column, counts=made, edges=np.array(kept))


def named(name: str, labels: Mapping[str, int], rows: int) -> Counts:
    """Return counts of a column of categories with each label that enough rows have."""
    often = sorted(labels.items(), key=lambda own: (-own[1], own[0]))
    least = LEAST
    if len(often) > MOST_LABELS:
        least = max(least, often[MOST_LABELS][1] + 1)
    kept = [(label, count) for label, count in often if count >= least]
    counts = [rows - sum(labels.values()), *(count for _, count in kept)]
    rest = rows - sum(counts)
    made = np.array([*counts, rest], np.int64)
    return Counts(name, False, made, np.empty(0), tuple(label for label, _ in kept), least)


def _codes(
    columns: tuple[Counts, ...], rows: pd.DataFrame, forms: Mapping[str, Form]
) -> np.ndarray:
    """Return the place of each row (n, columns) in each column's counts."""
    made = np.empty((len(rows), len(columns)), np.int32)
    for k, column in enumerate(columns):
        form, values = forms[column.name], rows[column.name]
        if column.ordered:
            made[:, k] = column.codes(numeric(values, form, column.name))
            continue
        places = {label: 1 + at for at, label in enumerate(column.labels)}
        codes, unique = pd.factorize(values)
        known = [places.get(form.type.label(v), 1 + len(places)) for v in unique]
        made[:, k] = np.array([*known, 0])[codes]
    return made


def _labels(values: pd.Series, form: Form) -> dict[str, int]:
    codes, unique = pd.factorize(values)
    found: Counter[str] = Counter()
    for value, count in zip(
        unique, np.bincount(codes[codes >= 0], minlength=len(unique)), strict=True
    ):
        found[form.type.label(value)] += int(count)
    return found


def _added(column: Counts, codes: np.ndarray) -> Counts:
    more = np.bincount(codes, minlength=len(column.counts))
    return replace(column, counts=column.counts + more)


def _equal(edges: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return how many ``values`` are equal to each edge."""
    if not len(edges):
        return np.zeros(0, np.int64)
    at = np.searchsorted(edges, values).clip(0, len(edges) - 1)
    return np.bincount(at[edges[at] == values], minlength=len(edges))
