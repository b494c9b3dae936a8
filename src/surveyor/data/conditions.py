"""Conditions: what a user fixes, and a generator and its critic are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data.columns import Column, fit_label
from surveyor.data.where import Wanted
from surveyor.errors import tell


@dataclass(frozen=True, eq=False)
class Conditions:
    """Condition columns, and how often each combination of their codes occurs in training.

    ``seen`` (m, k) holds the distinct combinations, ``share`` (m,) their frequencies.
    """

    columns: tuple[Column, ...] = ()
    seen: np.ndarray = field(default_factory=lambda: np.zeros((1, 0), dtype=np.int32))
    share: np.ndarray = field(default_factory=lambda: np.ones(1))

    @property
    def width(self) -> int:
        """Return the width of an embedded condition: one entry a category, one a number."""
        return sum(1 + c.missing if c.ordered else c.size for c in self.columns)

    def embed(self, codes: np.ndarray) -> Tensor | None:
        """Return codes (n, k) as (n, width), or None without conditions.

        A category is one-hot over sqrt 2, so that two values lie at distance 1; an ordered column
        is its position in standard deviations, beside an entry that says whether it is missing.
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

    def draw(self, n: int, draws: Draws, where: Mapping[str, Wanted] | None = None) -> np.ndarray:
        """Return ``n`` combinations (n, k) as frequent as in training, among those of ``where``.

        Combinations never seen are answered, with a warning: the other columns as in all the data.
        """
        names = [c.name for c in self.columns]
        asked = {names.index(name): wanted for name, wanted in (where or {}).items()}
        agree = np.ones(len(self.seen), dtype=bool)
        for k, wanted in asked.items():
            agree &= np.isin(self.seen[:, k], wanted.codes)
        pool, share, unseen = self.seen, self.share, not agree.any()
        if unseen:
            told = ", ".join(f"{name}={w.said}" for name, w in (where or {}).items())
            tell(f"{told}: never seen together in training; these samples are a guess")
        else:
            pool, share = pool[agree], share[agree]
        codes: np.ndarray = pool[_chosen(share, draws.uniform(n).numpy())].copy()
        for k, wanted in asked.items() if unseen else ():
            odds = wanted.column.frequency[wanted.codes]
            codes[:, k] = wanted.codes[_chosen(odds, draws.uniform(n).numpy())]
        return codes

    def flipped(self, cond: Tensor, share: float, draws: Draws) -> Tensor:
        """Return conditions (n, width) of which a ``share`` of each column's labels is another.

        The other label is uniform among those that are not the row's. Numbers stay.
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
            if column.ordered:
                text = f"{column.cells[min(int(code), len(column.cells) - 1)].mean():.4g}"
            else:
                text = [*column.labels, *["missing"] * column.missing, "unseen"][int(code)]
            shown.append(f"{column.name}={text}")
        return ", ".join(shown)

    def state(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Return what ``restore`` needs."""
        meta, arrays = columns_state(self.columns, "condition")
        return {"columns": meta}, arrays | {"seen": self.seen, "share": self.share}

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Conditions:
        """Rebuild conditions."""
        columns = columns_restore(meta["columns"], arrays, "condition")
        return cls(columns, arrays["seen"], arrays["share"])


def _chosen(odds: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Return the index where the distribution of ``odds`` passes each ``u`` in [0, 1)."""
    at: np.ndarray = np.searchsorted(np.cumsum(odds) / odds.sum(), u, "right")
    return at.clip(0, len(odds) - 1)


def fit_conditions(values: Mapping[str, Any], names: Sequence[str]) -> Conditions:
    """Fit condition columns to training values by name."""
    if not names:
        return Conditions()
    columns = tuple(fit_label(name, pd.Series(values[name])) for name in names)
    codes = np.stack([c.encode(pd.Series(values[c.name])) for c in columns], axis=1)
    seen, counts = np.unique(codes, axis=0, return_counts=True)
    return Conditions(columns, seen.astype(np.int32), counts / counts.sum())


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
    """Undo ``columns_state``."""
    return tuple(
        Column.restore(meta, {f: arrays[f"{prefix}.{k}.{f}"] for f in ("frequency", "cells")})
        for k, meta in enumerate(metas)
    )
