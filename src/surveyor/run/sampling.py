"""Samples of a run in user units, each of which meets the conditions asked for."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch

from surveyor.arguments import collecting
from surveyor.batch import Draws
from surveyor.data import Codec
from surveyor.data.bounds import refuse_beyond_memory
from surveyor.data.computed import Test
from surveyor.data.filters import PreparedFilter
from surveyor.data.where import Selection, read_where
from surveyor.errors import InputError, notify
from surveyor.generators import TabularLikelihood
from surveyor.measures import generated
from surveyor.run.folder import Run
from surveyor.run.guided import RARE, allowed_codes, guided
from surveyor.run.reading import read_for
from surveyor.run.tally import Tally
from surveyor.streams import Stream

AT_ONCE = 8192  # samples per batch, one thread each
TRIES, MOST = 50, 2_000_000  # rounds of rejection sampling, and samples drawn in all of them
HOPELESS = 200_000  # samples drawn of which not one obeys a rule, or too few have what is asked
PILOT, BALANCE = 4000, 2**20  # rows to estimate how often formulas are neutral; stream rank
REPEATED = 2  # samples drawn per sample wanted before repeated formulas are allowed
UNASKED, FEW = 2**24, 2**21  # numbers that need no memory check; numbers drawn to measure size
COPIES = 3  # of the samples in memory: the parts, the whole, and the output
PART, ROUNDS_A_PART = 250_000, 100  # samples at a time, and draws numbered for them
SPARE = 1.2  # samples drawn per sample still needed, at the acceptance rate so far


def draw_samples(
    run: Run,
    n: int,
    where: Mapping[str, Any],
    seed: int,
    apart_from: Any = None,
    truncate: float = 1.0,
    begin: int = 0,
    tally: Tally | None = None,
) -> Any:
    """Return ``n`` samples: a DataFrame, or arrays by name.

    Formulas are text; charge-neutral ones are as frequent as in training, and none repeats unless
    training has repeats. The run's conditions are inputs of the generator; conditions on other
    columns are met by rejection sampling. No row of a table equals one of ``apart_from``. The
    latent's Gaussians are narrowed by the factor ``truncate``. Rounds of draws are numbered from
    ``begin``; those of a part follow those of the parts before, and so do its keys. Rows that break
    a rule kept by rejection are thrown away; how many is told, or added to a ``tally``.

    Raises:
        InputError: n is below 1, a column is unknown, or a value is unseen or too rare.
    """
    own = Tally() if tally is None else tally
    made = _drawn(run, n, where, seed, apart_from, truncate, begin, own)
    if tally is None:
        own.tell()
    return made


def _drawn(
    run: Run,
    n: int,
    where: Mapping[str, Any],
    seed: int,
    apart_from: Any,
    truncate: float,
    begin: int,
    tally: Tally,
) -> Any:
    _check(run, n, seed, truncate)
    first = begin // ROUNDS_A_PART * PART
    run = replace(run, game=replace(run.game, latent=run.game.latent.narrowed(truncate)))
    asked, computed = _asked(run, where)
    if rules := run.codec.contradicted(asked):
        raise InputError(
            f"--where {_shown(where, where)}: no row has these values and obeys the rule "
            f"{'; '.join(rules)}; give other values, or train without the rule"
        )
    codec, found = run.codec.selecting(asked)
    run = replace(run, codec=codec)
    own = {c.name for c in run.codec.condition.columns}
    inputs = {name: w for name, w in found.items() if name in own}
    exact = {name: w for name, w in found.items() if name not in run.codec.computed}
    known = None if apart_from is None else _known(run, apart_from)
    checked = {name: w for name, w in found.items() if name not in own or w.is_range}
    tests = _Tests(run.codec, checked, _filters(run, inputs, seed), known, computed)
    _refuse_beyond_memory(run, n, seed, tests.none)
    if tests.none:
        return run.codec.reassembled(_with_exact(_made(run, n, inputs, seed, begin), exact), first)
    kept: list[Any] = []
    met = made_in_all = 0
    allowed, rare = allowed_codes(run, found), False
    for attempt in range(begin, begin + TRIES):
        share = met / made_in_all if met else 0.5 if made_in_all == 0 else 1 / made_in_all
        size = int(min(max(2000, SPARE * (n - met) / share), 100_000, MOST - made_in_all))
        if allowed and made_in_all and share < RARE and not rare:
            rare, kept, met, made_in_all = True, [], 0, 0
            size = max(2000, int(SPARE * n))
        make = partial(guided, allowed=allowed) if rare else _made
        made = make(run, min(size, 100_000), inputs, seed=seed, attempt=attempt)
        size = _count(made)
        u = Draws(seed, attempt, Stream.SAMPLE, BALANCE).uniform(size).numpy()
        agree = tests.passed(made, u)
        made = _with_exact(made, exact)
        fit = agree & tests.distinct(made)
        kept.append(_rows(made, tally.obeying(run.codec, made, fit)))
        new = tests.first(kept)
        met, made_in_all = int(new.sum()), made_in_all + size
        enough = len(new) >= REPEATED * n + size
        if met >= n or (met < len(new) and enough):
            if met < n:
                notify(f"only {met:,} samples are distinct; the rest are repeats")
            order = np.concatenate([np.flatnonzero(new), np.flatnonzero(~new)])
            return run.codec.reassembled(_rows(_joined(kept), order[:n]), first)
        unmet = met * MOST < n * made_in_all if computed else not met and bool(tally.broken)
        if made_in_all >= (HOPELESS if unmet else MOST):
            break
    wanted = _shown(where, where if tally.broken else (*tests.checked, *computed))
    remedies = ["train with these columns as --condition"] if tests.checked else []
    remedies += ["ask for what more samples have"] if computed else []
    lost = ""
    if tally.broken:
        lost = f", and {tally.lost} of the rows that fit otherwise broke {tally.rules}"
        remedies += ["train without the rule (one found: --except-rule)"]
    raise InputError(
        f"{f'--where {wanted}' if wanted else f'-n {n}'}: only {met} such rows among "
        f"{made_in_all:,} generated{lost}; {', or '.join([*remedies, 'ask for fewer'])}"
    )


def draw_parts(
    run: Run, n: int, where: Mapping[str, Any], seed: int, apart_from: Any = None
) -> Iterator[Any]:
    """Yield ``n`` samples in parts of at most ``PART``, of which the first is that of few samples.

    Raises:
        InputError: as ``draw_samples``.
    """
    tally = Tally()
    for k, start in enumerate(range(0, n, PART)):
        size, begin = min(PART, n - start), k * ROUNDS_A_PART
        yield draw_samples(run, size, where, seed, apart_from, begin=begin, tally=tally)
    tally.tell()


def _shown(where: Mapping[str, Any], names: Iterable[str]) -> str:
    return ", ".join(f"{name}={where[name]}" for name in names)


def _check(run: Run, n: int, seed: int, truncate: float) -> None:
    problems = [] if n >= 1 else [f"-n {n}: give at least 1"]
    if not run.codec.condition.drawable:
        problems.append("the run translates pictures; use surveyor translate")
    if not 0 <= seed < 2**63:
        problems.append(f"--seed {seed}: give a number from 0 to 2^63")
    if not 0 < truncate <= 1:
        problems.append(f"--truncate {truncate:g}: give a number above 0, at most 1")
    if truncate != 1 and not run.codec.continuous:
        problems.append("--truncate: only for pictures and vectors, not for tables; leave it out")
    if problems:
        raise InputError(*problems)


def _refuse_beyond_memory(run: Run, n: int, seed: int, plain: bool) -> None:
    """Raise InputError if ``n`` samples exceed memory, extrapolating from a few."""
    if not plain and n > MOST:
        raise InputError(
            f"-n {n:,}: with such conditions or rules at most {MOST:,}; ask for fewer at a time"
        )
    least = n * run.codec.space.width
    if least <= UNASKED:
        return
    few = max(1, FEW // run.codec.space.width)
    made = _made(run, few, {}, seed, TRIES + 1)
    each = math.ceil(_bytes(made) / few)
    refuse_beyond_memory(
        COPIES * n * each,
        f"-n {n:,}: {COPIES} copies of {n:,} samples of {each:,} bytes take",
        "ask for fewer at a time, each with another --seed",
    )


def _bytes(made: Any) -> int:
    if isinstance(made, pd.DataFrame):
        return int(made.memory_usage(index=False, deep=True).sum())
    return sum(values.nbytes for values in made.values())


@dataclass(frozen=True, eq=False)
class _Tests:
    """The tests that samples must pass: conditions, the kind's own filters, and known rows."""

    codec: Codec
    checked: Mapping[str, Selection]
    filters: Sequence[PreparedFilter]
    known: np.ndarray | None
    computed: Mapping[str, Test]

    @property
    def none(self) -> bool:
        own = self.checked or self.filters or self.codec.rejected_rules or self.computed
        return not own and self.known is None

    def passed(self, made: Any, u: np.ndarray) -> np.ndarray:
        agree = np.ones(len(u), dtype=bool)
        for name, w in self.checked.items():
            agree &= w.matches(pd.Series(made[name]))
        for own in self.filters:
            agree &= own.accepts(made, u)
        for test in self.computed.values():  # the slowest, of what is left
            left = np.flatnonzero(agree)
            agree[left] = test(_rows(made, left))
        return agree

    def distinct(self, made: Any) -> np.ndarray:
        if self.known is None:
            return np.ones(_count(made), dtype=bool)
        distinct: np.ndarray = ~np.isin(self.codec.keys(made), self.known)
        return distinct

    def first(self, kept: list[Any]) -> np.ndarray:
        """Return which rows do not repeat an earlier one."""
        agree = np.ones(sum(map(_count, kept)), dtype=bool)
        for own in self.filters:
            agree &= own.first(_joined(kept))
        return agree


def _filters(run: Run, inputs: Mapping[str, Selection], seed: int) -> list[PreparedFilter]:
    """Return the filters of the run's kind; none if samples are not calibrated."""
    if run.config.calibrate == "no":
        return []

    def pilot() -> Any:
        return _made(run, PILOT, inputs, seed, TRIES)

    ready = (own.prepare(run.codec, pilot) for own in run.kind.filters)
    return [found for found in ready if found is not None]


def _known(run: Run, source: Any) -> np.ndarray:
    raw = read_for(run, source)
    return run.codec.keys(run.kind.files.take(raw, np.arange(len(raw))))


def _asked(run: Run, where: Mapping[str, Any]) -> tuple[dict[str, Selection], dict[str, Test]]:
    """Return what is asked of columns, and the tests of what is computed and no column has."""
    if problems := [f"--where {n}: {why}" for n, why in run.codec.unlearnt.items() if n in where]:
        raise InputError(*problems)
    names, computed = run.codec.selectable_names, run.kind.computed
    own = {n: query for n, query in where.items() if n in computed and n not in names}
    rest = {n: query for n, query in where.items() if n not in own}
    found: dict[str, Selection] = {}
    tests: dict[str, Test] = {}
    with collecting(problems):
        found = read_where(rest, run.codec.selectable, _absent(run), tuple(computed))
    own |= {n: query for n, query in where.items() if n in run.codec.computed}
    for name, query in own.items():
        with collecting(problems):
            test = computed[name].read(name, query)
            if name not in found or not found[name].is_range:  # a range is tested by the column
                tests[name] = test
    if problems:
        raise InputError(*problems)
    return found, tests


def _absent(run: Run) -> str:
    """Return the problem with asking for a column that is not there, in words."""
    conditions = run.codec.condition.columns
    if len(run.codec.selectable) > len(conditions):
        return "unknown column"
    none = "" if conditions else "; the run has no conditions (train with --condition)"
    return f"not a condition of this run{none}"


def _made(run: Run, n: int, inputs: Mapping[str, Selection], seed: int, attempt: int) -> Any:
    codec, game = run.codec, run.game
    codes = codec.condition.draw(n, Draws(seed, attempt, Stream.SAMPLE), inputs)
    walker = game.generator.walker() if isinstance(game.generator, TabularLikelihood) else None
    device = next(game.critic.parameters()).device

    def part(number: int) -> Any:
        torch.set_num_threads(1)  # for this thread's own matrix products
        own = codes[number * AT_ONCE : (number + 1) * AT_ONCE]
        draws, cond = Draws(seed, attempt, Stream.SAMPLE, number + 1), codec.condition.embed(own)
        if walker is not None:
            cond = None if cond is None else cond.to(device)
            blocks = len(codec.space.blocks)
            numbers = walker.draw(draws.uniform(len(own), blocks).to(device), cond)
            return codec.decode_blocks(numbers.cpu().numpy(), own, draws)
        batch = generated(game, game.generator, cond, len(own), draws)
        return codec.decode(batch, own, draws)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return _joined(list(pool.map(part, range(math.ceil(n / AT_ONCE)))))


def _with_exact(made: Any, found: Mapping[str, Selection]) -> Any:
    """Replace numbers by the ones asked for in the same cell."""
    for name, w in found.items():
        if w.value is not None and w.column.ordered:
            values = w.exact(pd.Series(made[name]))
            made[name] = values.array if isinstance(made, pd.DataFrame) else values.to_numpy()
    return made


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
