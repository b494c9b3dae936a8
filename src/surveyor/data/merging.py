"""Conditions fitted at several places, whose rows stay there, and merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from surveyor.data.conditions import Columns
from surveyor.data.fitting import FEW_LABELS
from surveyor.data.shared import merge_columns, translation


def merge_conditions(conditions: Sequence[Columns], rows: Sequence[int]) -> Columns:
    """Return the conditions of all places.

    A combination of several columns keeps its share if enough rows of some place have it; in all
    others the columns are drawn independently.
    """
    every = [c.columns for c in conditions]
    columns = tuple(merge_columns(own, rows, FEW_LABELS) for own in zip(*every, strict=True))
    if not columns:
        return Columns()
    if len(columns) == 1:
        alone = np.arange(columns[0].size, dtype=np.int32)[:, None]
        return Columns(columns, alone, columns[0].frequency, np.zeros(len(alone), np.int32))
    counts = defaultdict[tuple[int, ...], float](float)
    for condition, n in zip(conditions, rows, strict=True):
        known = condition.level == 0
        maps = [translation(a, b) for a, b in zip(condition.columns, columns, strict=True)]
        seen = [own[codes] for own, codes in zip(maps, condition.seen[known].T, strict=True)]
        for codes, share in zip(zip(*seen, strict=True), condition.share[known], strict=True):
            if all(code < c.size for code, c in zip(codes, columns, strict=True)):
                counts[tuple(map(int, codes))] += float(n * share)
    combinations = [*sorted(counts), (0,) * len(columns)]
    last = len(Columns(columns).groupings) - 1
    share = np.array([counts[codes] for codes in combinations[:-1]])
    share = np.append(share, max(sum(rows) - share.sum(), 0.0))
    level = np.append(np.zeros(len(share) - 1), last).astype(np.int32)
    return Columns(columns, np.array(combinations, np.int32), share / share.sum(), level)
