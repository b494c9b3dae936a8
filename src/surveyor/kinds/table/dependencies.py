"""Functional dependencies between columns: found in the data and enforced, not learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from surveyor.data.columns import Column
from surveyor.data.where import Selection

MOST_COLUMNS = 200
MOST_CELLS = 4_000_000  # the largest product of the two columns' numbers of codes
EVIDENCE = 50.0  # nats of evidence against chance


@dataclass(frozen=True, eq=False)
class Derived:
    """A column whose code is ``table[code]``, with the code of column ``parent``."""

    parent: int
    table: np.ndarray


@dataclass(frozen=True, eq=False)
class Pairs:
    """The codes of columns ``first`` < ``second`` that occur together, ``seen`` (m, 2)."""

    first: int
    second: int
    seen: np.ndarray

    def text(self, columns: Sequence[Column]) -> str:
        """Return what is kept, in words."""
        return f"{columns[self.first].name} and {columns[self.second].name} as seen together"

    def holds(self, codes: np.ndarray) -> np.ndarray:
        """Return which rows of codes (n, columns) have a pair that was seen, (n,)."""
        width = int(max(self.seen[:, 1].max(), codes[:, self.second].max(initial=0))) + 1
        own = codes[:, self.first].astype(np.int64) * width + codes[:, self.second]
        return np.isin(own, self.seen[:, 0].astype(np.int64) * width + self.seen[:, 1])

    def matrix(self, sizes: Sequence[int]) -> Tensor:
        """Return 1 for codes that occur together and 0 for others, (size of first, of second)."""
        made = torch.zeros(sizes[self.first], sizes[self.second])
        made[self.seen[:, 0], self.seen[:, 1]] = 1.0
        return made


def find_pairs(
    columns: Sequence[Column], codes: np.ndarray, names: Sequence[tuple[str, ...]]
) -> tuple[Pairs, ...]:
    """Return which ``codes`` (n, columns) occur together in the two columns of each of ``names``.

    Columns without a code of their own for every value are left out.
    """
    place = {c.name: k for k, c in enumerate(columns) if len(c.cells) == c.exact and c.size > 1}
    found = {}
    for one, other in names:
        if one not in place or other not in place:
            continue
        j, k = sorted((place[one], place[other]))
        if columns[j].size * columns[k].size <= MOST_CELLS:
            found[j, k] = Pairs(j, k, np.unique(codes[:, [j, k]], axis=0).astype(np.int32))
    return tuple(found.values())


def find_derived(
    columns: Sequence[Column], codes: np.ndarray
) -> tuple[tuple[Column, ...], tuple[Derived, ...]]:
    """Return the columns with the derived ones last, and how these follow from others.

    ``codes`` (n, columns) are those of the training rows.
    """
    found = find_dependencies(columns, codes)
    free = [k for k in range(len(columns)) if k not in found]
    derived = tuple(
        Derived(free.index(j), code_map(codes, j, k, columns[j].size)) for k, j in found.items()
    )
    return tuple(columns[k] for k in (*free, *found)), derived


def find_dependencies(columns: Sequence[Column], codes: np.ndarray) -> dict[int, int]:
    """Return {k: j}: the codes (n, columns) of column k are a function of those of column j.

    No j is itself derived, and every code of both columns stands for one exact value. A dependency
    counts only if independent columns would show it with probability below exp(-50): with p the
    share of k's most frequent code, m distinct codes in j and n rows, it is at most p^(n - m).
    """
    if len(columns) > MOST_COLUMNS:
        return {}
    exact = [k for k, c in enumerate(columns) if len(c.cells) == c.exact and c.size > 1]
    first = codes[:2000]
    found: dict[int, int] = {}
    for k in sorted(exact, key=lambda k: columns[k].size):
        for j in exact:
            if j == k or j in found or columns[j].size < columns[k].size:
                continue
            if columns[j].size * columns[k].size > MOST_CELLS or k in found.values():
                continue
            if _follows(first, j, k, columns) and _follows(codes, j, k, columns):
                rows = len(codes) - len(np.unique(codes[:, j]))
                if -rows * np.log(min(columns[k].frequency.max(), 1 - 1e-12)) > EVIDENCE:
                    found[k] = j
                    break
    return found


def code_map(codes: np.ndarray, j: int, k: int, size: int) -> np.ndarray:
    """Return the code of column k for each of the ``size`` codes of column j, (size,)."""
    table: np.ndarray = np.zeros(size, dtype=np.int64)
    table[codes[:, j]] = codes[:, k]
    return table


def _follows(codes: np.ndarray, j: int, k: int, columns: Sequence[Column]) -> bool:
    table = code_map(codes, j, k, columns[j].size)
    return bool((table[codes[:, j]] == codes[:, k]).all())


def derivation(derived: Sequence[Derived], sizes: Sequence[int]) -> Tensor:
    """Return the matrix from the blocks of free columns to the derived ones, the last."""
    free = len(sizes) - len(derived)
    matrix = torch.zeros(sum(sizes[:free]), sum(sizes[free:]))
    starts, column = np.cumsum([0, *sizes]), 0
    for own, size in zip(derived, sizes[free:], strict=True):
        rows = starts[own.parent] + np.arange(len(own.table))
        matrix[rows, column + own.table] = 1.0
        column += size
    return matrix


def allowed_codes(
    columns: Sequence[Column],
    derived: Sequence[Derived],
    replaced: Sequence[Column],
    found: Mapping[str, Selection],
) -> dict[int, np.ndarray]:
    """Return the codes (size,) selected of each free column, true where selected.

    ``replaced`` columns, of which something else is learnt, and conditions are left out.
    """
    free, learnt = len(columns) - len(derived), {c.name for c in replaced}
    made: dict[int, np.ndarray] = {}
    for k, column in enumerate(columns):
        if column.name not in found or column.name in learnt:
            continue
        own = np.zeros(column.size, dtype=bool)
        own[found[column.name].codes] = True
        if k >= free:
            parent = derived[k - free]
            k, own = parent.parent, own[parent.table]
        made[k] = made.get(k, np.ones(len(own), dtype=bool)) & own
    return made


def seen_together(pairs: Sequence[Pairs], codes: np.ndarray) -> np.ndarray:
    """Return which rows of codes (n, columns) have only pairs that were seen, (n,)."""
    held = np.ones(len(codes), dtype=bool)
    for pair in pairs:
        held &= pair.holds(codes)
    return held
