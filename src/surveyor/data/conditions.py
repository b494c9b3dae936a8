"""Conditions: what generator and critic are conditioned on, and how a user selects it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data.columns import Column
from surveyor.data.fits import PLAIN, Fits
from surveyor.data.values import Form
from surveyor.data.where import Selection
from surveyor.errors import notify

State = tuple[dict[str, Any], dict[str, np.ndarray]]


class Condition(ABC):
    """What generator and critic are conditioned on.

    ``Columns`` of values, possibly none; or a ``Point`` of another codec, such as a picture.
    Columns have integer codes (n, k), by which a condition is drawn, selected and described. A
    condition that is not ``drawable`` has no codes (k is 0) and comes from given rows only.
    """

    columns: tuple[Column, ...] = ()
    drawable: ClassVar[bool] = True

    @property
    @abstractmethod
    def width(self) -> int:
        """Return the length of an embedded condition; 0 for a picture, and without columns."""

    @property
    def picture(self) -> tuple[int, ...]:
        """Return the shape of an embedded condition that is a picture."""
        return ()

    @abstractmethod
    def of(self, rows: Mapping[str, np.ndarray], index: np.ndarray) -> Tensor | None:
        """Return the embedded conditions of the chosen rows, (n, ...); None where there is none."""

    def embed(self, codes: np.ndarray) -> Tensor | None:
        """Return codes (n, k) embedded, (n, width); None without columns."""
        return None

    def draw(
        self, n: int, draws: Draws, where: Mapping[str, Selection] | None = None
    ) -> np.ndarray:
        """Return the codes (n, k) of ``n`` conditions that ``where`` allows."""
        return np.zeros((n, 0), dtype=np.int32)

    def decode(self, codes: np.ndarray, draws: Draws) -> dict[str, pd.Series]:
        """Return each column in its own units."""
        return {}

    def names(self, codes: Sequence[int]) -> str:
        """Return one combination of codes as text."""
        return ""

    @abstractmethod
    def state(self) -> State:
        """Return what ``restore`` needs."""


@dataclass(frozen=True, eq=False)
class Columns(Condition):
    """Condition columns, possibly none, and the frequencies of their combinations in training.

    ``seen`` (m, k) holds combinations of codes, ``share`` (m,) their frequencies. With several
    columns no combination is stored that has fewer rows than ``ROWS_KEPT``: its codes are merged by
    ever coarser ``groupings``, ``level`` (m,) of them, until there are enough rows, and each column
    is then drawn within its group, independently of the others.
    """

    columns: tuple[Column, ...] = ()
    seen: np.ndarray = field(default_factory=lambda: np.zeros((1, 0), dtype=np.int32))
    share: np.ndarray = field(default_factory=lambda: np.ones(1))
    level: np.ndarray = field(default_factory=lambda: np.zeros(1, dtype=np.int32))

    @cached_property
    def groupings(self) -> tuple[tuple[np.ndarray, ...], ...]:
        """Return the group of each code of every column, (size,) each, ever coarser."""
        return _groupings(self.columns)

    @property
    def width(self) -> int:
        """Return the width of an embedded condition: one entry a category, one a number."""
        return sum(1 + c.missing if c.ordered else c.size for c in self.columns)

    def of(self, rows: Mapping[str, np.ndarray], index: np.ndarray) -> Tensor | None:
        """Return the embedded conditions of the chosen rows, (n, width)."""
        return self.embed(rows["cond"][index])

    def embed(self, codes: np.ndarray) -> Tensor | None:
        """Return codes (n, k) as (n, width), or None without conditions.

        A category is one-hot over sqrt 2, so that two values lie at distance 1; an ordered column
        is its position in standard deviations, with one more entry if values can be missing.
        """
        if not self.columns:
            return None
        parts = []
        for column, code in zip(self.columns, codes.T, strict=True):
            table = np.eye(column.size) / np.sqrt(2)
            if column.ordered:
                # Of the one-hot entries only the last is kept, that of a missing value.
                table = np.column_stack(
                    [column.positions, table[:, column.size - column.missing :]]
                )
            padded = np.vstack([table, np.zeros((1, table.shape[1]))]).astype(np.float32)
            parts.append(padded[code])
        return torch.from_numpy(np.concatenate(parts, axis=1))

    def draw(
        self, n: int, draws: Draws, where: Mapping[str, Selection] | None = None
    ) -> np.ndarray:
        """Return ``n`` combinations (n, k), as frequent as in training, that ``where`` allows.

        For combinations with too few rows the columns are drawn independently, with a notice.
        """
        selected = {w.column.name: w for w in (where or {}).values()}
        odds = []
        for column in self.columns:
            mask = np.ones(column.size)
            if column.name in selected:
                mask = np.isin(np.arange(column.size), selected[column.name].codes).astype(float)
            odds.append(mask * column.frequency)
        seen, level, share = self.seen, self.level, self._share(odds)
        if not share[level < max(len(self.groupings) - 1, 1)].any():
            chosen = ", ".join(f"{name}={w.text}" for name, w in (where or {}).items())
            if chosen:
                notify(f"{chosen}: rarely seen together in training; these samples are a guess")
            if not share.any():
                seen, share = np.zeros((1, len(self.columns)), dtype=np.int32), np.ones(1)
                level = np.array([len(self.groupings) - 1])
        at = _chosen(share, draws.uniform(n).cpu().numpy())
        groups = seen[at]
        codes: np.ndarray = groups.copy()
        for k, own in enumerate(odds):
            for step in range(1, len(self.groupings)):
                grouping, rows = self.groupings[step][k], level[at] == step
                for group in np.unique(groups[rows, k]):
                    these = np.flatnonzero(rows & (groups[:, k] == group))
                    inside = np.flatnonzero(grouping == group)
                    u = draws.uniform(len(these)).cpu().numpy()
                    codes[these, k] = inside[_chosen(own[inside], u)]
        return codes

    def _share(self, odds: Sequence[np.ndarray]) -> np.ndarray:
        """Return each combination's frequency times the share of it that ``odds`` allow."""
        share = self.share.copy()
        for step, grouping in enumerate(self.groupings):
            rows = self.level == step
            for k, (column, group) in enumerate(zip(self.columns, grouping, strict=True)):
                left = np.bincount(group, odds[k]) / (np.bincount(group, column.frequency) + 1e-300)
                share[rows] *= left[self.seen[rows, k]]
        return share

    def flip_labels(self, cond: Tensor, share: float, draws: Draws) -> Tensor:
        """Return conditions (n, width) with a ``share`` of each column's labels replaced.

        The new label is uniform among those that are not the row's. Numbers are unchanged.
        """
        parts, start = [], 0
        for column in self.columns:
            width = 1 + column.missing if column.ordered else column.size
            block = cond[:, start : start + width]
            start += width
            if not column.ordered and column.size > 1:
                flip = draws.uniform(len(cond)) < share
                step = 1 + draws.index(len(cond), column.size - 1).to(cond.device)
                other = (block.argmax(1) + step) % column.size
                hot = torch.zeros_like(block).scatter_(1, other.unsqueeze(1), 2**-0.5)
                block = torch.where(flip.unsqueeze(1), hot, block)
            parts.append(block)
        return torch.cat(parts, dim=1)

    def decode(self, codes: np.ndarray, draws: Draws) -> dict[str, pd.Series]:
        """Return each condition column in its own units."""
        return {c.name: c.decode(codes[:, k], draws) for k, c in enumerate(self.columns)}

    def encode(self, values: Mapping[str, Any], n: int) -> np.ndarray:
        """Return the codes (n, k) of user values by column name."""
        codes = np.empty((n, len(self.columns)), dtype=np.int32)
        for k, column in enumerate(self.columns):
            codes[:, k] = column.encode(pd.Series(values[column.name]))
        return codes

    def names(self, codes: Sequence[int]) -> str:
        """Return one combination in words, ``digit=3``."""
        shown = []
        for column, code in zip(self.columns, codes, strict=True):
            own = (
                list(map(column.format_value, column.cells.mean(1)))
                if column.ordered
                else column.labels
            )
            text = [*own, *["missing"] * column.missing, "unseen"][int(code)]
            shown.append(f"{column.name}={text}")
        return ", ".join(shown)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        meta, arrays = columns_state(self.columns, "condition")
        return {"columns": meta}, arrays | {
            "seen": self.seen,
            "share": self.share,
            "level": self.level,
        }

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Columns:
        """Rebuild conditions."""
        columns = columns_restore(meta["columns"], arrays, "condition")
        seen, share, level = (arrays[name] for name in ("seen", "share", "level"))
        if seen.shape != (len(share), len(columns)) or level.shape != share.shape:
            raise ValueError(f"combinations {seen.shape} of {len(columns)} conditions")
        return cls(columns, seen, share, level)


def _chosen(odds: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return the index where the distribution of ``odds`` passes each ``u`` in [0, 1)."""
    at: np.ndarray = np.searchsorted(np.cumsum(odds) / odds.sum(), u, "right")
    return at.clip(0, len(odds) - 1)


COARSE = 8  # groups of an ordered column's codes


def _groupings(columns: Sequence[Column]) -> tuple[tuple[np.ndarray, ...], ...]:
    """Return ever coarser groupings: codes, eighths of ordered columns, fewer and fewer columns."""
    codes = tuple(np.arange(c.size) for c in columns)
    if len(columns) < 2:
        return (codes,)
    found = [codes]
    if any(c.ordered for c in columns):
        found.append(tuple(_eighths(c) if c.ordered else np.arange(c.size) for c in columns))
    for left in (*range(len(columns) - 1, 1, -1), 0):
        none = tuple(np.zeros(c.size, dtype=np.int64) for c in columns[left:])
        found.append((*found[-1][:left], *none))
    return tuple(found)


def _eighths(column: Column) -> np.ndarray:
    """Return the group of every code; a missing value is one of its own."""
    ranks = COARSE * np.nan_to_num(column.ranks)
    groups: np.ndarray = ranks.clip(0, COARSE - 1).astype(np.int64)
    groups[len(column.cells) :] = COARSE
    return groups


def fit_conditions(
    values: Mapping[str, Any],
    names: Sequence[str],
    fits: Fits = PLAIN,
    forms: Mapping[str, Form] | None = None,
) -> Columns:
    """Fit condition columns to training values by name."""
    if not names:
        return Columns()
    forms = forms or {}
    columns = tuple(fits.label(n, pd.Series(values[n]), forms.get(n)) for n in names)
    if len(columns) == 1:
        alone = np.arange(columns[0].size, dtype=np.int32)[:, None]
        return Columns(columns, alone, columns[0].frequency, np.zeros(len(alone), np.int32))
    codes = np.stack([c.encode(pd.Series(values[c.name])) for c in columns], axis=1)
    left = codes[(codes < [c.size for c in columns]).all(axis=1)]
    seen, level, rows = [], [], []
    groupings = _groupings(columns)
    for step, grouping in enumerate(groupings[:-1]):
        grouped = np.stack([g[own] for g, own in zip(grouping, left.T, strict=True)], axis=1)
        found, place, counts = np.unique(grouped, axis=0, return_inverse=True, return_counts=True)
        kept, sizes = fits.frequent(counts)
        seen.append(found[kept])
        rows.append(sizes)
        level.append(np.full(len(kept), step))
        left = left[~np.isin(place.reshape(-1), kept)]
    rest = max(len(codes) - sum(sizes.sum() for sizes in rows), 0.0)
    seen.append(np.zeros((1, len(columns))))
    rows.append(np.array([rest]))
    level.append(np.array([len(groupings) - 1]))
    share = np.concatenate(rows)
    return Columns(
        columns,
        np.concatenate(seen).astype(np.int32),
        share / share.sum(),
        np.concatenate(level).astype(np.int32),
    )


def columns_state(
    columns: Sequence[Column], prefix: str
) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """Return the states of several columns, arrays named ``prefix.NUMBER.field``."""
    metas: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    for k, column in enumerate(columns):
        meta, own = column.state()
        metas.append(meta)
        arrays |= {f"{prefix}.{k}.{name}": array for name, array in own.items()}
    return metas, arrays


def columns_restore(
    metas: Sequence[dict[str, Any]], arrays: Mapping[str, np.ndarray], prefix: str
) -> tuple[Column, ...]:
    """Return the columns that ``columns_state`` described."""
    return tuple(
        Column.restore(meta, {f: arrays[f"{prefix}.{k}.{f}"] for f in ("frequency", "cells")})
        for k, meta in enumerate(metas)
    )
