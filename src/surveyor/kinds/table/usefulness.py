"""A column of a table predicted from the others."""

from __future__ import annotations

from typing import cast

from surveyor.kinds.table.codec import TableCodec
from surveyor.measures import Seen
from surveyor.measures.columns import features, targets
from surveyor.measures.usefulness import ROWS, Examples, Task, Usefulness


def column_task(seen: Seen, target: str) -> Task | None:
    """Return the examples of all rows; None if the table has no other column."""
    columns = cast(TableCodec, seen.codec).measured
    own = next(c for c in columns if c.name == target)
    others = tuple(c for c in columns if c.name != target)
    if not others:
        return None
    made = seen.labelled(min(ROWS, len(seen.data.train)))
    sides = made, seen.data.held_out(ROWS), seen.data.training(len(made))
    answers = [targets(own, side[target]) for side in sides]
    first, second, third = map(Examples, features(others, *sides), answers)
    return Task(first, third, second, not own.ordered)


def predicting(target: str) -> Usefulness:
    """Return the measure of predicting a column."""
    return Usefulness(target, column_task)
