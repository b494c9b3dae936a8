"""Holes in rows of a user, filled from what a run has learnt, and columns predicted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from surveyor.batch import Draws
from surveyor.data.holes import Holes
from surveyor.errors import InputError, notify
from surveyor.generators import TabularLikelihood, Walker
from surveyor.generators.given import full_conditional, gibbs, particles
from surveyor.run.folder import Run
from surveyor.run.guided import walker_of
from surveyor.run.reading import read_for
from surveyor.streams import Stream

EACH = 64  # particles per row
AT_ONCE = 1024  # rows
SWEEPS = 2  # of Gibbs sampling, after which draws are taken
AGAIN, AGAIN_FROM = 20, 2**40  # draws of filled rows that break rules, and their number
TAILS = (0.05, 0.5, 0.95)
Show = Callable[[int, int], None]


def silent(done: int, of: int) -> None:
    """Show nothing."""


def imputed(
    run: Run, data: Any, draws: int = 0, seed: int = 0, show: Show = silent
) -> pd.DataFrame:
    """Return rows of ``data`` with missing values filled in, and all others as they are.

    A hole gets its most probable label or the median of its number; with ``draws`` of at least 1,
    that many whole tables are drawn (multiple imputation; Rubin 1987), one below the other, with a
    first column ``draw``. Filled rows that break a rule kept by rejection are drawn again.

    Raises:
        InputError: the run's generator has no likelihood, or a condition of the run is missing.
    """
    walker = _walker(run, "impute")
    raw = read_for(run, data)
    frame = run.kind.files.take(raw, np.arange(len(raw)))
    holes = run.codec.filler.open(frame)
    _tell(holes)
    made, done, all_ = [], 0, int(holes.free.any(1).sum()) * max(1, draws)
    for draw in range(max(1, draws)):
        codes = holes.codes.copy()
        for k, (index, part) in enumerate(_open(holes)):
            codes[index] = _codes(run, walker, part, Draws(seed, k, Stream.GIVEN, draw), not draws)
            done += len(index)
            show(done, all_)
        random = Draws(seed, 0, Stream.GIVEN, draw)
        whole: pd.DataFrame = run.codec.filler.filled(holes, codes, random, not draws)
        whole = _obeying(run, walker, holes, whole, Draws(seed, AGAIN_FROM, Stream.GIVEN, draw))
        whole = run.kind.files.beside(raw, whole)
        made.append(whole if not draws else whole.assign(draw=draw + 1))
    if not draws:
        return made[0]
    table = pd.concat(made, ignore_index=True)
    return table[["draw", *(n for n in table.columns if n != "draw")]]


def predicted(run: Run, data: Any, target: str, seed: int = 0, show: Show = silent) -> pd.DataFrame:
    """Return what the run says of column ``target`` in each row, given the row's other columns.

    Of labels these are the most probable one and the probability of each; of numbers the median,
    the mean, and the quantiles .05 and .95. They are exact where the rest of the row is there;
    other holes are averaged over.

    Raises:
        InputError: unknown target, one that follows from other columns by a rule, or no likelihood.
    """
    walker = _walker(run, "predict")
    raw = read_for(run, data)
    frame = run.kind.files.take(raw, np.arange(len(raw)))
    block = run.codec.filler.block_of(target)
    holes = run.codec.filler.open(frame, target)
    _tell(holes)
    size = walker.sizes[block]
    odds = np.zeros((len(frame), size))
    known = np.flatnonzero(~holes.free[:, block])  # of a target that follows from another column
    odds[known, holes.codes[known, block]] = 1.0
    for k, (index, part) in enumerate(_open(holes)):
        random = Draws(seed, k, Stream.GIVEN)
        several = (part.free.sum(1) > 1).any()
        cond = _cond(run, part.conditions)
        if several:
            found, cond = _particles(run, walker, part, random)
            found = found[:, : EACH // 8]
        else:
            found = torch.from_numpy(part.codes).unsqueeze(1)
        wide = None if cond is None else cond.repeat_interleave(found.shape[1], dim=0)
        flat = found.reshape(-1, found.shape[2])
        flat[:, block] = flat[:, block].clamp(max=size - 1)
        log_p = full_conditional(walker, block, flat, wide)
        allowed = torch.from_numpy(part.allowed[block]).repeat_interleave(found.shape[1], dim=0)
        p = log_p.masked_fill(~allowed, -1e30).softmax(1).view(len(index), -1, size).mean(1)
        odds[index] = p.numpy()
        show(int(index[-1]) + 1, len(frame))
    said: pd.DataFrame = run.codec.filler.told(target, odds, TAILS)
    return said


def _codes(run: Run, walker: Walker, part: Holes, random: Draws, typical: bool) -> np.ndarray:
    """Return codes (n, blocks) of rows with their holes filled."""
    found, cond = _particles(run, walker, part, random)
    if typical:
        return _typical(run, found.numpy(), part)
    own = {j: torch.from_numpy(a) for j, a in part.allowed.items()}
    last = found[:, 0]
    for _ in range(SWEEPS):
        last = gibbs(walker, last, own, cond, random)
    made: np.ndarray = last.numpy()
    return made


def _obeying(
    run: Run, walker: Walker, holes: Holes, whole: pd.DataFrame, random: Draws
) -> pd.DataFrame:
    """Return filled rows, with those that break a rule kept by rejection drawn again."""
    filler = run.codec.filler
    rows = np.flatnonzero(filler.broken(holes, whole))
    for _ in range(AGAIN):
        if not len(rows):
            break
        left: list[np.ndarray] = []
        for start in range(0, len(rows), AT_ONCE):
            index = rows[start : start + AT_ONCE]
            part = holes.take(index)
            made = filler.filled(part, _codes(run, walker, part, random, False), random, False)
            broken = filler.broken(part, made)
            good = made.set_axis(whole.index[index])[~broken]
            joined = pd.concat([whole.drop(index=good.index), good]).sort_index()
            whole = joined.astype(whole.dtypes.to_dict())
            left.append(index[broken])
        rows = np.concatenate(left)
    if len(rows):
        rules = "; ".join(run.codec.rejected_rules)
        notify(f"{len(rows):,} of {len(whole):,} rows break a rule however filled: {rules}")
    return whole


def _walker(run: Run, what: str) -> Walker:
    generator = run.game.generator
    if not isinstance(generator, TabularLikelihood):
        raise InputError(
            f"{what}: needs a generator with a likelihood of rows; train a table with --generator "
            "autoregressive"
        )
    return walker_of(generator)


def _tell(holes: Holes) -> None:
    for name, n in holes.unknown.items():
        values = f"{n:,} value{'s' * (n != 1)}"
        notify(f"column {name!r}: {values} not seen in training; kept, and not drawn upon")


def _open(holes: Holes) -> Iterator[tuple[np.ndarray, Holes]]:
    rows = np.flatnonzero(holes.free.any(1))
    for start in range(0, len(rows), AT_ONCE):
        index = rows[start : start + AT_ONCE]
        yield index, holes.take(index)


def _cond(run: Run, codes: np.ndarray) -> Tensor | None:
    return run.codec.condition.embed(codes)


def _particles(run: Run, walker: Walker, part: Holes, draws: Draws) -> tuple[Tensor, Tensor | None]:
    cond = _cond(run, part.conditions)
    wide = None if cond is None else cond.repeat_interleave(EACH, dim=0)
    allowed = {k: torch.from_numpy(own) for k, own in part.allowed.items()}
    return particles(walker, len(part.codes), EACH, allowed, wide, draws).codes, cond


def _typical(run: Run, codes: np.ndarray, part: Holes) -> np.ndarray:
    """Return codes (n, blocks): the most frequent of the particles, or their median."""
    made = part.codes.copy()
    for k, positions in enumerate(run.codec.filler.positions):
        free = part.free[:, k]
        if not free.any():
            continue
        own = codes[free, :, k]
        if positions is None:
            size = int(own.max()) + 1
            counts = np.zeros((len(own), size), dtype=int)
            np.add.at(counts, (np.arange(len(own))[:, None], own), 1)
            made[free, k] = counts.argmax(1)
        else:
            at = np.argsort(positions[own], axis=1)[:, own.shape[1] // 2]
            made[free, k] = own[np.arange(len(own)), at]
    return made
