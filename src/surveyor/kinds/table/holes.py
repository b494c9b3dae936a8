"""Holes of a table, and their filling: what rows leave open, and rows with nothing left open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data import check_columns
from surveyor.data.columns import QUANTILES, Column
from surveyor.data.holes import Filler, Holes
from surveyor.data.where import Selection
from surveyor.errors import InputError, notify
from surveyor.kinds.table.constructions import Choice, Made
from surveyor.kinds.table.dependencies import allowed_codes, seen_together
from surveyor.kinds.table.formula import restore_formulas
from surveyor.kinds.table.learnt import encode_learnt
from surveyor.kinds.table.rules import View
from surveyor.kinds.table.rules.linear import Sum

if TYPE_CHECKING:
    from surveyor.kinds.table.codec import TableCodec


@dataclass(frozen=True, eq=False)
class TableFiller(Filler):
    """Holes in the columns of a table."""

    codec: TableCodec

    def selected(self, found: Mapping[str, Selection]) -> Mapping[int, np.ndarray]:
        """Return the codes selected of free columns; those of a derived one select its parent's."""
        own = self.codec
        return allowed_codes(own.columns, own.derived, own.replaced, found)

    def possible(self, codes: np.ndarray) -> np.ndarray:
        """Return which rows have only pairs that occur together in training rows."""
        return seen_together(self.codec.pairs, codes)

    def open(self, frame: pd.DataFrame, target: str | None = None) -> Holes:
        """Return rows with their holes; numbers out of range count as the nearest in range.

        A missing part of a sum follows from the sum where all else is there. With a ``target``,
        other missing values are holes only where training rows have none.
        """
        codec = self.codec
        absent = [n for n in codec.selectable_names if n not in frame and n != target]
        if absent:
            names = ", ".join(map(repr, absent))
            raise InputError(f"the rows have no column {names}; add it, empty where unknown")
        conditions = codec.condition.encode(frame, len(frame))  # type: ignore[arg-type]
        _refuse_open_conditions(codec, conditions)
        if target is None:
            for column in codec.condition.columns:
                if gap := int(frame[column.name].isna().sum()):
                    what = "a condition of the run, not filled"
                    notify(f"column {column.name!r}: {gap:,} values missing; {what}")
            frame = deduced(codec, frame)
            gone = {n: frame[n].isna().to_numpy() for n in codec.own}
        else:
            column = codec.own[target]
            frame = frame.assign(**{target: column.decode(np.zeros(len(frame), int), Draws(0))})
            whole = [n for n, c in codec.own.items() if n != target and not c.missing]
            gone = {n: frame[n].isna().to_numpy() for n in whole}
            gone[target] = np.ones(len(frame), dtype=bool)
        codes, open_, unknown = self._read(frame, gone)
        return Holes(
            frame,
            codes[:, : len(codec.free)],
            open_[:, : len(codec.free)],
            self._allowed(codes, open_, gone),
            conditions,
            unknown,
        )

    def _read(
        self, frame: pd.DataFrame, gone: Mapping[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, int]]:
        """Return codes (n, columns), which are open, and the number of unknown values."""
        codec = self.codec
        encoded = encode_learnt(codec.columns, codec.own, codec.kept, frame)
        replaced = {c.name for c in codec.replaced}
        parts = {t: s.parts for s in codec.kept.steps for t in s.targets if t in replaced}
        codes = np.empty((len(frame), len(codec.columns)), dtype=np.int64)
        open_ = np.zeros(codes.shape, dtype=bool)
        unknown: dict[str, int] = {}
        for k, (column, (own, numbers)) in enumerate(zip(codec.columns, encoded, strict=True)):
            codes[:, k] = _nearest(column, own, numbers)
            for name in (column.name, *parts.get(column.name, ())):
                open_[:, k] |= gone.get(name, False)
            strange = (codes[:, k] >= column.size) & ~open_[:, k]
            open_[:, k] |= strange
            if strange.any():
                unknown[column.name] = int(strange.sum())
        return codes, open_, unknown

    def _allowed(
        self, codes: np.ndarray, open_: np.ndarray, gone: Mapping[str, np.ndarray]
    ) -> dict[int, np.ndarray]:
        codec = self.codec
        allowed: dict[int, np.ndarray] = {}
        for k, column in enumerate(codec.columns[: len(codec.free)]):
            known = ~open_[:, k]
            own = np.ones((len(codes), column.size), dtype=bool)
            if column.missing and column.size > 1 and column.name in gone:
                own[:, -1] = False
            own[known] = False
            own[known, codes[known, k]] = True
            allowed[k] = own
        for j, derived in enumerate(codec.derived, len(codec.free)):
            known = open_[:, derived.parent] & ~open_[:, j]
            fits = derived.table[None, :] == codes[known, j][:, None]
            allowed[derived.parent][known] &= fits | ~fits.any(1, keepdims=True)
        return allowed

    def filled(self, holes: Holes, codes: np.ndarray, draws: Draws, typical: bool) -> pd.DataFrame:
        """Return the rows with their holes filled; what rules compute is computed."""
        codec, frame = self.codec, holes.rows
        every = [*codes.T]
        every += [d.table[every[d.parent]] for d in codec.derived]
        drawn = {
            c.name: _middle(c, n) if typical else c.draw(n, draws)
            for c, n in zip(codec.columns, every, strict=True)
        }
        there = {n: ~frame[n].isna().to_numpy() for n in codec.own}
        numbers = {n: _values(c, frame[n]) for n, c in codec.own.items()}
        for name in set(drawn) - {c.name for c in codec.replaced}:
            known = there[name] & np.isfinite(numbers[name])
            drawn[name] = np.where(known, numbers[name], drawn[name])
        rows = Made(codec.own, drawn)
        Choice(codec.kept.steps).restore(rows)
        made: dict[str, Any] = dict(frame.items())
        for name, column in codec.own.items():
            if there[name].all():
                continue
            if column.ordered:
                values = np.where(there[name], numbers[name], rows.values[name])
                made[name] = column.write(values, draws).array
                continue
            new = column.write(rows.values[name], draws)
            both = zip(frame[name], new, there[name], strict=True)
            joined = pd.Series(
                [own if known else other for own, other, known in both], dtype=object
            )
            made[name] = joined.astype(new.dtype).array
        return restore_formulas(pd.DataFrame(made), codec.formulas)

    def broken(self, holes: Holes, made: pd.DataFrame) -> np.ndarray:
        """Return which filled rows break a rule kept by rejection in what was filled, (n,)."""
        found, gone = np.zeros(len(made), dtype=bool), holes.rows.isna()
        names = {rule.text: list(rule.names) for rule in self.codec.rejected}
        for text, broken in self.codec.broken(made).items():
            found |= broken & gone[names[text]].any(axis=1).to_numpy()
        return found

    def block_of(self, target: str) -> int:
        """Return the block of the column, or of the one it follows from."""
        codec = self.codec
        if problems := check_columns([target], list(codec.own), "--target"):
            raise InputError(*problems)
        if target in {c.name for c in codec.replaced}:
            rules = "; ".join(s.text for s in codec.kept.steps if target in s.targets)
            raise InputError(
                f"--target {target}: computed from other columns by a rule ({rules}); train with "
                "--rules no to predict it"
            )
        if wide := "; ".join(rule.text for rule in codec.rejected if target in rule.names):
            notify(f"--target {target}: the prediction does not take the rule {wide} into account")
        k = [c.name for c in codec.columns].index(target)
        free = len(codec.free)
        return k if k < free else codec.derived[k - free].parent

    def told(self, target: str, odds: np.ndarray, tails: Sequence[float]) -> pd.DataFrame:
        """Return labels with probabilities; or quantiles and the mean of numbers."""
        codec = self.codec
        column = codec.own[target]
        derived = {codec.columns[k + len(codec.free)].name: d for k, d in enumerate(codec.derived)}
        if target in derived:
            table = derived[target].table
            odds = np.stack([odds[:, table == c].sum(1) for c in range(column.size)], axis=1)
        known = column.size - column.missing
        if not column.ordered:
            best = odds[:, :known].argmax(1)
            made = {target: column.write(best, Draws(0)).array}
            made |= {f"p({name})": odds[:, c] for c, name in enumerate(column.labels)}
            return pd.DataFrame(made)
        share = odds[:, :known] / np.maximum(odds[:, :known].sum(1, keepdims=True), 1e-300)
        values = column.cells.ravel()
        order = np.argsort(values, kind="stable")
        below = np.repeat(share / QUANTILES, QUANTILES, axis=1)[:, order].cumsum(1)
        at = {t: values[order][np.argmax(below >= t * below[:, -1:], axis=1)] for t in tails}
        shown = {f"{t:.0%}": column.write(v, Draws(0)).array for t, v in at.items()}
        return pd.DataFrame(
            {
                target: shown.pop("50%"),
                f"{target}: mean": share @ column.cells.mean(1),
                **{f"{target}: {t}": v for t, v in shown.items()},
            }
        )

    @property
    def positions(self) -> Sequence[np.ndarray | None]:
        """Return the positions of the free columns' codes, None for labels."""
        free = self.codec.columns[: len(self.codec.free)]
        return [c.positions if c.ordered else None for c in free]


def deduced(codec: TableCodec, frame: pd.DataFrame) -> pd.DataFrame:
    """Return rows with missing parts of exact sums computed from the sums."""
    for step in codec.kept.steps:
        if not (isinstance(step, Sum) and step.exact):
            continue
        for name in step.parts:
            column = codec.own[name]
            numbers = column.numbers(frame[name])
            values = step.solved_for(name, View(list(codec.own.values()), frame))
            gap = np.isnan(numbers) & np.isfinite(values)
            if gap.any():
                whole = column.write(np.where(gap, values, numbers), Draws(0))
                frame = frame.assign(**{name: whole.array})
    return frame


def _values(column: Column, values: pd.Series) -> np.ndarray:
    """Return numbers, or codes of labels, NaN for those unknown."""
    if column.ordered:
        return column.numbers(values)
    codes = column.encode(values).astype(float)
    return np.where(codes < column.size, codes, np.nan)


def _middle(column: Column, codes: np.ndarray) -> np.ndarray:
    """Return the median number of each code's cell, or codes of labels."""
    if not column.ordered:
        return codes
    middle = np.append(column.cells[:, QUANTILES // 2], [np.nan] * column.missing)
    return np.asarray(middle[codes])


def _nearest(column: Column, codes: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """Return codes with numbers out of range in the nearest cell."""
    if not column.ordered or not len(column.cells):
        return codes
    outside = (codes >= column.size) & np.isfinite(numbers)
    if not outside.any():
        return codes
    low, high = column.range
    ends = column.encode(pd.Series([low, high]))
    return np.where(outside, np.where(numbers < low, ends[0], ends[1]), codes)


def _refuse_open_conditions(codec: TableCodec, conditions: np.ndarray) -> None:
    problems = []
    for column, codes in zip(codec.condition.columns, conditions.T, strict=True):
        wrong = np.flatnonzero(codes >= column.size)
        if len(wrong):
            problems.append(
                f"column {column.name!r}: a condition of the run, missing or unknown in "
                f"{len(wrong):,} row{'s' * (len(wrong) > 1)} (row {wrong[0]} first); correct them"
            )
    if problems:
        raise InputError(*problems)
