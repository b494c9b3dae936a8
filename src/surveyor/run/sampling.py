"""Samples of a run in user units: what is asked of them holds in every one."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
import torch

from surveyor.batch import Draws
from surveyor.data import Codec, check_columns
from surveyor.data.bounds import refuse_beyond_memory
from surveyor.data.charges import are_neutral
from surveyor.data.formula import as_ratios, folded, parts
from surveyor.data.table import TableCodec
from surveyor.data.where import Wanted, read_where
from surveyor.errors import InputError, tell
from surveyor.generators import TabularLikelihood
from surveyor.measures import generated
from surveyor.run.folder import Run
from surveyor.run.reading import read_for
from surveyor.streams import Stream

AT_ONCE = 8192  # samples made together, by one thread
TRIES, MOST = 50, 2_000_000  # rounds of rejection, and samples made in all of them
PILOT, BALANCE = 4000, 2**20  # rows that tell how often formulas are neutral; their stream's rank
REPEATED = 2  # samples made for each one wanted before formulas are made twice after all
UNASKED, FEW = 2**24, 2**21  # numbers below which memory is not asked for; made to see their size
COPIES = 3  # of samples in memory: parts, the whole, and what is written
SPARE = 1.2  # made for each sample still wanted, at the rate at which they were met so far


def draw_samples(
    run: Run,
    n: int,
    where: Mapping[str, Any],
    seed: int,
    apart_from: Any = None,
    truncate: float = 1.0,
    begin: int = 0,
) -> Any:
    """Return ``n`` samples: a DataFrame, or arrays by name.

    Formulas stand as text, as many of them neutral in charge as in training, and none twice where
    training had none twice. The generator is told the run's conditions; whatever else is asked is
    met by rejection. No row of a table equals one of ``apart_from``. The latent's Gaussians are
    narrower by ``truncate``. Rounds of draws are numbered from ``begin``.

    Raises:
        InputError: n below 1, unknown columns, values never seen, or too rare to be met.
    """
    _check(run, n, seed, truncate)
    latent = replace(run.game.latent, spread=truncate * run.game.latent.spread)
    run = replace(run, game=replace(run.game, latent=latent))
    found = _asked(run, where)
    told = {c.name for c in run.codec.conditions.columns}
    given = {name: w for name, w in found.items() if name in told}
    known = None if apart_from is None else _keys(run.codec, _opened(run, apart_from))
    tests = _Tests(
        run,
        {name: w for name, w in found.items() if name not in told or w.ranged},
        _balance(run, given, seed),
        known,
        _single(run),
    )
    _refuse_beyond_memory(run, n, seed, tests.none)
    if tests.none:
        return _folded(run, _told(_made(run, n, given, seed, begin), found))
    kept: list[Any] = []
    met = made_in_all = 0
    for attempt in range(begin, begin + TRIES):
        share = met / made_in_all if met else 0.5 if made_in_all == 0 else 1 / made_in_all
        size = int(min(max(2000, SPARE * (n - met) / share), 100_000, MOST - made_in_all))
        made = _made(run, size, given, seed, attempt)
        u = Draws(seed, attempt, Stream.SAMPLE, BALANCE).uniform(size).numpy()
        agree = tests.passed(made, u)
        made = _told(made, found)
        kept.append(_rows(made, agree & tests.apart(made)))
        first = tests.first(kept)
        met, made_in_all = int(first.sum()), made_in_all + size
        enough = len(first) >= REPEATED * n + size
        if met >= n or (met < len(first) and enough):
            if met < n:
                tell(f"only {met:,} different ones were made; the rest repeat")
            order = np.concatenate([np.flatnonzero(first), np.flatnonzero(~first)])
            return _folded(run, _rows(_joined(kept), order[:n]))
        if made_in_all >= MOST:
            break
    asked = ", ".join(f"{name}={where[name]}" for name in tests.checked)
    remedies = ["train with these columns as --condition"] if asked else []
    raise InputError(
        f"{f'--where {asked}' if asked else f'-n {n}'}: only {met} such rows among "
        f"{made_in_all:,} made; {', or '.join([*remedies, 'ask for fewer'])}"
    )


def _check(run: Run, n: int, seed: int, truncate: float) -> None:
    problems = [] if n >= 1 else [f"-n {n}: give at least 1"]
    if run.codec.answers:
        problems.append("the run answers pictures: give them with --answer PICTURES")
    if not 0 <= seed < 2**63:
        problems.append(f"--seed {seed}: give a number from 0 to 2^63")
    if not 0 < truncate <= 1:
        problems.append(f"--truncate {truncate:g}: give a number above 0, at most 1")
    if truncate != 1 and isinstance(run.codec, TableCodec):
        problems.append(
            "--truncate: for pictures and vectors; rows of a table are drawn as they are"
        )
    if problems:
        raise InputError(*problems)


def _refuse_beyond_memory(run: Run, n: int, seed: int, plain: bool) -> None:
    """Raise InputError where ``n`` samples cannot be: a few are made, and their size is counted."""
    if not plain and n > MOST:
        raise InputError(
            f"-n {n:,}: of what is asked for at most {MOST:,} are made; ask for fewer at a time"
        )
    least = n * run.codec.space.width
    if least <= UNASKED:
        return
    few = max(1, FEW // run.codec.space.width)
    made = _made(run, few, {}, seed, TRIES + 1)
    each = math.ceil(_bytes(made) / few)
    refuse_beyond_memory(
        COPIES * n * each,
        f"-n {n:,}: {COPIES} x {n:,} samples of {each:,} bytes, while they are put together, take",
        "ask for fewer at a time, with another --seed each",
    )


def _bytes(made: Any) -> int:
    if isinstance(made, pd.DataFrame):
        return int(made.memory_usage(index=False, deep=True).sum())
    return sum(values.nbytes for values in made.values())


@dataclass(frozen=True, eq=False)
class _Tests:
    """What samples must pass: columns asked for, charges, known rows, formulas made before."""

    run: Run
    checked: Mapping[str, Wanted]
    keep: Mapping[str, tuple[float, float]]
    known: np.ndarray | None
    single: tuple[str, ...]

    @property
    def none(self) -> bool:
        return not (self.checked or self.keep or self.single) and self.known is None

    def passed(self, made: Any, u: np.ndarray) -> np.ndarray:
        agree = np.ones(len(u), dtype=bool)
        for name, w in self.checked.items():
            agree &= w.holds(pd.Series(made[name]))
        for name, odds in self.keep.items():
            agree &= u < np.where(are_neutral(made, name, _formulas(self.run)), *odds)
        return agree

    def apart(self, made: Any) -> np.ndarray:
        if self.known is None:
            return np.ones(_count(made), dtype=bool)
        apart: np.ndarray = ~np.isin(_keys(self.run.codec, made), self.known)
        return apart

    def first(self, kept: list[Any]) -> np.ndarray:
        """Return which rows hold no formula that an earlier row holds."""
        agree = np.ones(sum(map(_count, kept)), dtype=bool)
        for name in self.single:
            own = pd.Series(as_ratios(_joined(kept), name, _formulas(self.run)), dtype=object)
            agree &= ~(own.duplicated() & own.notna()).to_numpy()
        return agree


def _formulas(run: Run) -> Mapping[str, int]:
    return run.codec.formulas if isinstance(run.codec, TableCodec) else {}


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


def _single(run: Run) -> tuple[str, ...]:
    """Return the columns of formulas of which no two training rows shared one."""
    codec = run.codec
    asked = isinstance(codec, TableCodec) and run.config.calibrate == "yes"
    return codec.single if asked and isinstance(codec, TableCodec) else ()


def _opened(run: Run, source: Any) -> pd.DataFrame:
    """Return the rows of ``source`` as the run's codec reads them.

    Raises:
        InputError: the run is not of a table, or the rows lack its columns.
    """
    codec = run.codec
    if not isinstance(codec, TableCodec):
        raise InputError("--apart-from: only for tables")
    raw = read_for(run, source)
    names = [c.name for c in (*codec.columns, *codec.conditions.columns)]
    problems = check_columns(sorted(names), raw.names, "--apart-from: column")
    if problems:
        raise InputError(*problems)
    return pd.DataFrame(raw.take(np.arange(len(raw))))


def _keys(codec: Codec, rows: pd.DataFrame) -> np.ndarray:
    """Return a number a row, equal for equal rows."""
    assert isinstance(codec, TableCodec)
    values: dict[str, Any] = {}
    taken = {part for f, places in codec.formulas.items() for part in parts(f, places)}
    for column in (*codec.columns, *codec.conditions.columns):
        if column.name not in taken:
            own = rows[column.name]
            read = column.numbers(own) if column.ordered else column.encode(own)
            values[column.name] = np.asarray(read, dtype=float)
    plain = folded(rows, codec.formulas)
    values |= {f: plain[f].fillna("").astype(str).to_numpy() for f in codec.formulas}
    return pd.util.hash_pandas_object(pd.DataFrame(values), index=False).to_numpy()


def _asked(run: Run, where: Mapping[str, Any]) -> dict[str, Wanted]:
    conditions = run.codec.conditions.columns
    if isinstance(run.codec, TableCodec):
        return read_where(where, (*conditions, *run.codec.columns), "no such column")
    none = "" if conditions else "; the run has no conditions (train with --condition)"
    return read_where(where, conditions, f"not a condition of this run{none}")


def _made(run: Run, n: int, given: Mapping[str, Wanted], seed: int, attempt: int) -> Any:
    codec, game = run.codec, run.game
    codes = codec.conditions.draw(n, Draws(seed, attempt, Stream.SAMPLE), given)
    drawer = game.generator.drawer() if isinstance(game.generator, TabularLikelihood) else None
    device = next(game.critic.parameters()).device

    def part(number: int) -> Any:
        torch.set_num_threads(1)  # of this thread's own products
        own = codes[number * AT_ONCE : (number + 1) * AT_ONCE]
        draws, cond = Draws(seed, attempt, Stream.SAMPLE, number + 1), codec.conditions.embed(own)
        if drawer is not None and isinstance(codec, TableCodec):
            told = None if cond is None else cond.to(device)
            numbers = drawer(draws.uniform(len(own), len(codec.free)).to(device), told)
            return codec.decoded(numbers.cpu().numpy(), own, draws)
        batch = generated(game, game.generator, cond, len(own), draws)
        return codec.decode(batch, own, draws)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _joined(list(pool.map(part, range(math.ceil(n / AT_ONCE)))))


def _told(made: Any, found: Mapping[str, Wanted]) -> Any:
    """Put the numbers that were asked for in place of others of their cells."""
    for name, w in found.items():
        if w.value is not None and w.column.ordered:
            values = w.answer(pd.Series(made[name]))
            made[name] = values.array if isinstance(made, pd.DataFrame) else values.to_numpy()
    return made


def _folded(run: Run, made: Any) -> Any:
    return folded(made, run.codec.formulas) if isinstance(run.codec, TableCodec) else made


def _joined(parts: list[Any]) -> Any:
    if isinstance(parts[0], pd.DataFrame):
        return pd.concat(parts, ignore_index=True)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _count(made: Any) -> int:
    return len(made) if isinstance(made, pd.DataFrame) else len(next(iter(made.values())))


def _rows(made: Any, index: np.ndarray) -> Any:
    if isinstance(made, pd.DataFrame):
        return made[index] if index.dtype == bool else made.iloc[index].reset_index(drop=True)
    return {name: values[index] for name, values in made.items()}
