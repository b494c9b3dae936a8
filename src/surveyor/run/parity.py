"""Demographic parity: samples in which an outcome is equally frequent in every group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from surveyor.batch import Draws
from surveyor.data import check_columns
from surveyor.data.columns import Column
from surveyor.errors import InputError
from surveyor.run.folder import Run
from surveyor.run.sampling import TRIES, draw_samples
from surveyor.run.tally import Tally
from surveyor.streams import Stream

PILOT = 20_000
APART = TRIES + 1  # a round of draws that no delivered row comes from
FEWEST = 20  # the fewest pilot rows of an outcome within a group
SPARE = 1.1


def gap(outcome: np.ndarray, group: np.ndarray) -> float:
    """Return the largest difference between two groups in the share of any outcome."""
    table = pd.crosstab(group, outcome, normalize="index").to_numpy()
    return float((table.max(0) - table.min(0)).max())


def with_parity(
    run: Run,
    n: int,
    outcome: str,
    group: str,
    where: Mapping[str, Any],
    seed: int,
    apart_from: Any = None,
) -> pd.DataFrame:
    """Return ``n`` rows with P(outcome | group) = P(outcome), and otherwise as generated.

    A row of outcome y in group g is kept with probability proportional to P(y) / P(y | g), both
    estimated on a separate pilot sample. The distribution of rows given (g, y) and the frequencies
    of groups do not change.

    Raises:
        InputError: a column does not exist or is numeric, or an outcome is too rare in a group.
    """
    columns = _columns(run, outcome, group)
    pilot = draw_samples(run, PILOT, where, seed, begin=APART, tally=Tally())
    y, g = (c.encode(pilot[c.name]) for c in columns)
    joint = np.zeros((columns[1].size, columns[0].size))
    np.add.at(joint, (g, y), 1.0)
    joint = joint[:, joint.sum(0) > 0]
    groups = np.flatnonzero(joint.sum(1) > 0)
    if (joint[groups] < FEWEST).any():
        raise InputError(
            f"--parity {outcome}:{group}: a group has an outcome in fewer than {FEWEST} of "
            f"{PILOT:,} rows; merge its values, or choose other columns"
        )
    known = np.unique(y)
    odds = np.zeros((columns[1].size, columns[0].size))
    within = joint[groups] / joint[groups].sum(1, keepdims=True)
    odds[np.ix_(groups, known)] = joint.sum(0) / joint.sum() / within
    keep = odds / odds.max()
    size = int(SPARE * n / keep[g, y].mean()) + 1000
    while True:
        tally = Tally()
        rows = draw_samples(run, size, where, seed, apart_from, tally=tally)
        y, g = (c.encode(rows[c.name]) for c in columns)
        chosen = Draws(seed, size, Stream.SAMPLE).uniform(size).numpy() < keep[g, y]
        if chosen.sum() >= n:
            tally.tell()
            balanced: pd.DataFrame = rows[chosen].iloc[:n].reset_index(drop=True)
            return balanced
        size = int(1.5 * size)


def _columns(run: Run, outcome: str, group: str) -> list[Column]:
    if run.codec.continuous:
        raise InputError("--parity: only for tables; leave it out")
    by_name = {c.name: c for c in run.codec.selectable}
    problems = check_columns([outcome, group], list(by_name), "--parity")
    problems += [
        f"--parity {name}: a column of numbers or dates; give a column of categories"
        for name in (outcome, group)
        if name in by_name and by_name[name].ordered
    ]
    problems += [f"--parity {outcome}:{group}: give two columns"] if outcome == group else []
    if problems:
        raise InputError(*problems)
    return [by_name[outcome], by_name[group]]
