"""Rows of a table as a codec stores them: codes, and the numbers out of range."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from surveyor.data import Rows, check_columns
from surveyor.data.scratch import empty
from surveyor.errors import InputError
from surveyor.kinds.table.frames import Frame
from surveyor.kinds.table.learnt import encode_learnt
from surveyor.kinds.table.out_of_range import find_out_of_range, sorted_by_row

if TYPE_CHECKING:
    from surveyor.kinds.table.codec import TableCodec


def stored_rows(codec: TableCodec, raw: Frame) -> Rows:
    """Return rows, read in chunks, as small integers, one per column.

    Raises:
        InputError: columns of the codec are missing.
    """
    needed = sorted(set(codec.selectable_names) - set(codec.ignored))
    problems = check_columns(needed, raw.names, "column")
    if problems:
        raise InputError(*problems)
    n = len(raw)
    rows: Rows = {
        "codes": empty((n, len(codec.columns)), np.int16),
        "cond": empty((n, len(codec.condition.columns)), np.int16),
    }
    if codec.group is not None and codec.group.name in raw.names:
        rows["group"] = empty((n,), np.int16)
    start, beyond = 0, []
    for chunk in raw.chunks():
        part = slice(start, start + len(chunk))
        encoded = encode_learnt(codec.columns, codec.own, codec.kept, chunk, codec.ignored)
        for k, (codes, numbers) in enumerate(encoded):
            rows["codes"][part, k] = codes
            if len(numbers):
                beyond.append(find_out_of_range(codec.columns, k, codes, numbers, start))
        rows["cond"][part] = codec.condition.encode(chunk, len(chunk))  # type: ignore[arg-type]
        if codec.group is not None and "group" in rows:
            rows["group"][part] = codec.group.encode(chunk[codec.group.name])
        start += len(chunk)
    rows["beyond"] = sorted_by_row(beyond)
    return rows
