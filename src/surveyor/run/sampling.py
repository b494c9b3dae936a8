"""Samples of a run in user units: what is asked of them holds in every one."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import torch

from surveyor.batch import Draws
from surveyor.data.charges import are_neutral
from surveyor.data.formula import folded
from surveyor.data.table import TableCodec
from surveyor.data.where import Wanted, read_where
from surveyor.errors import InputError
from surveyor.evaluation import generated
from surveyor.nets import Sampler
from surveyor.run.folder import Run

SAMPLE = 3  # the stream of randomness of samples
AT_ONCE = 8192  # samples made together, by one thread
TRIES, MOST = 50, 2_000_000  # rounds of rejection, and samples made in all of them
PILOT, BALANCE = 4000, 2**20  # rows that tell how often formulas are neutral; their stream's rank
SPARE = 1.2  # made for each sample still wanted, at the rate at which they were met so far


def draw_samples(run: Run, n: int, where: Mapping[str, Any], seed: int) -> Any:
    """Return ``n`` samples: a DataFrame, or arrays by name.

    Formulas stand as text, as many of them neutral in charge as in training.

    The generator is told the run's conditions; whatever else is asked is met by rejection.

    Raises:
        InputError: n below 1, unknown columns, values never seen, or too rare to be met.
    """
    problems = [] if n >= 1 else [f"-n {n}: give at least 1"]
    if not 0 <= seed < 2**63:
        problems.append(f"--seed {seed}: give a number from 0 to 2^63")
    if problems:
        raise InputError(*problems)
    found = _asked(run, where)
    told = {c.name for c in run.codec.conditions.columns}
    checked = {name: w for name, w in found.items() if name not in told or w.ranged}
    given = {name: w for name, w in found.items() if name in told}
    keep = _balance(run, given, seed)
    formulas = run.codec.formulas if isinstance(run.codec, TableCodec) else {}
    if not checked and not keep:
        return _answered(run, _made(run, n, given, seed, 0), found)
    kept: list[Any] = []
    met = made_in_all = 0
    for attempt in range(TRIES):
        share = met / made_in_all if met else 0.5 if made_in_all == 0 else 1 / made_in_all
        size = int(min(max(2000, SPARE * (n - met) / share), 100_000, MOST - made_in_all))
        made = _made(run, size, given, seed, attempt)
        agree = np.ones(size, dtype=bool)
        for name, w in checked.items():
            agree &= w.holds(pd.Series(made[name]))
        u = Draws(seed, attempt, SAMPLE, BALANCE).uniform(size).numpy()
        for name, odds in keep.items():
            agree &= u < np.where(are_neutral(made, name, formulas), *odds)
        kept.append(_rows(made, agree))
        met, made_in_all = met + int(agree.sum()), made_in_all + size
        if met >= n:
            return _answered(run, _rows(_joined(kept), np.arange(n)), found)
        if made_in_all >= MOST:
            break
    asked = ", ".join(f"{name}={where[name]}" for name in checked)
    raise InputError(
        f"--where {asked}: only {met} such rows among {made_in_all:,} made; "
        "train with these columns as --condition, or ask for fewer"
    )


def _balance(run: Run, given: Mapping[str, Wanted], seed: int) -> dict[str, tuple[float, float]]:
    """Return the odds of keeping a neutral and another row, for every column of formulas.

    Charges are a matter of exact sums, which a generator meets less often than the data do. With
    p the share of neutral training rows and q that of generated ones, found on a pilot, neutral
    rows are kept with odds p / q, the others with (1 - p) / (1 - q), both over the larger.
    """
    codec = run.codec
    if not isinstance(codec, TableCodec) or not codec.neutral or run.config.calibrate == "no":
        return {}
    pilot = _made(run, PILOT, given, seed, TRIES)
    found = {}
    for name, p in codec.neutral.items():
        q = float(are_neutral(pilot, name, codec.formulas).mean())
        if 0 < q < 1:
            odds = p / q, (1 - p) / (1 - q)
            found[name] = (odds[0] / max(odds), odds[1] / max(odds))
    return found


def _asked(run: Run, where: Mapping[str, Any]) -> dict[str, Wanted]:
    conditions = run.codec.conditions.columns
    if isinstance(run.codec, TableCodec):
        return read_where(where, (*conditions, *run.codec.columns), "no such column")
    none = "" if conditions else "; the run has no conditions (train with --condition)"
    return read_where(where, conditions, f"not a condition of this run{none}")


def _made(run: Run, n: int, given: Mapping[str, Wanted], seed: int, attempt: int) -> Any:
    codec, game = run.codec, run.game
    codes = codec.conditions.draw(n, Draws(seed, attempt, SAMPLE), given)
    drawer = game.generator.drawer() if isinstance(game.generator, Sampler) else None

    def part(number: int) -> Any:
        torch.set_num_threads(1)  # of this thread's own products
        own = codes[number * AT_ONCE : (number + 1) * AT_ONCE]
        draws, cond = Draws(seed, attempt, SAMPLE, number + 1), codec.conditions.embed(own)
        if drawer is not None and isinstance(codec, TableCodec):
            numbers = drawer(draws.uniform(len(own), len(codec.free)), cond)
            return codec.decoded(numbers.numpy(), own, draws)
        batch = generated(game, game.generator, cond, len(own), draws)
        return codec.decode(batch, own, draws)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _joined(list(pool.map(part, range(math.ceil(n / AT_ONCE)))))


def _answered(run: Run, made: Any, found: Mapping[str, Wanted]) -> Any:
    """Put the numbers that were asked for in place of others of their cells; fold formulas."""
    for name, w in found.items():
        if w.value is not None and w.column.ordered:
            values = w.answer(pd.Series(made[name]))
            made[name] = values.array if isinstance(made, pd.DataFrame) else values.to_numpy()
    return folded(made, run.codec.formulas) if isinstance(run.codec, TableCodec) else made


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _rows(made: Any, index: np.ndarray) -> Any:
    if isinstance(made, pd.DataFrame):
        return made[index] if index.dtype == bool else made.iloc[index].reset_index(drop=True)
    return {name: values[index] for name, values in made.items()}
