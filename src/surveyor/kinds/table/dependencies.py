"""Functional dependencies between columns: found in the data and enforced, not learnt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from surveyor.data.columns import Column

MOST_COLUMNS = 200
MOST_CELLS = 4_000_000  # the largest product of the two columns' numbers of codes
EVIDENCE = 50.0  # nats of evidence against chance


@dataclass(frozen=True, eq=False)
class Derived:
    """A column whose code is ``table[code]``, with the code of column ``parent``."""

    parent: int
    table: np.ndarray


def find_derived(
    columns: Sequence[Column], raw: pd.DataFrame
) -> tuple[tuple[Column, ...], tuple[Derived, ...]]:
    """Return the columns with the derived ones last, and how these follow from others."""
    codes = np.stack([c.encode(raw[c.name]) for c in columns], axis=1)
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
