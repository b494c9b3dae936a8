"""A label or number beside every vector, predicted from the vector."""

from __future__ import annotations

import numpy as np

from surveyor.batch import Batch, Draws
from surveyor.measures import Seen
from surveyor.measures.usefulness import ROWS, Examples, Task, Usefulness


def condition_task(seen: Seen, target: str) -> Task:
    """Return the examples of all vectors; the target is their condition."""
    (column,) = seen.codec.condition.columns
    held, train = seen.data.holdout, seen.data.train
    n, m = min(ROWS, len(train)), min(ROWS, len(held))

    def examples(batch: Batch, codes: np.ndarray) -> Examples:
        values = next(iter(seen.codec.decode(batch, codes, Draws(0)).values()))
        code = codes[:, 0]
        known = code < column.size - column.missing
        answer = column.positions[np.minimum(code, column.size - 1)] if column.ordered else code
        return Examples(np.asarray(values, float), np.where(known, answer, np.nan))

    made = seen.fake(n)
    return Task(
        examples(made, seen.codes(n)),
        examples(train.first(len(made)), train.codes(len(made))),
        examples(held.first(m), held.codes(m)),
        not column.ordered,
    )


def predicting(target: str) -> Usefulness:
    """Return the measure of predicting the condition."""
    return Usefulness(target, condition_task)
