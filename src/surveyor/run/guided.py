"""Samples with rare values, drawn from the likelihood given them instead of by rejection."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch

from surveyor.batch import Draws
from surveyor.data.where import Selection
from surveyor.errors import InputError
from surveyor.generators import TabularLikelihood, Walker
from surveyor.generators.given import particles
from surveyor.run.folder import Run
from surveyor.streams import Stream

RARE = 0.05  # share of samples below which rejection gives way
FEWEST, EACH = 20_000, 4  # particles, and particles per sample
MOST_CODES = 2**25  # numbers in memory
IMPOSSIBLE = -46.0  # log 1e-20, less likely than any combination worth a sample


def walker_of(generator: TabularLikelihood) -> Walker:
    """Return a generator's distribution column by column, on the CPU."""
    return copy.deepcopy(generator).to("cpu").walker()


def allowed_codes(run: Run, found: Mapping[str, Selection]) -> Mapping[int, np.ndarray]:
    """Return the codes (codes,) allowed in each column that the generator draws.

    It is empty if the generator has no likelihood, or nothing selected is drawn as such.
    """
    known = isinstance(run.game.generator, TabularLikelihood)
    return run.codec.filler.selected(found) if known else {}


def guided(
    run: Run,
    n: int,
    inputs: Mapping[str, Selection],
    allowed: Mapping[int, np.ndarray],
    seed: int,
    attempt: int,
) -> Any:
    """Return at most ``n`` samples, all with allowed codes.

    Raises:
        InputError: there is no such row, as far as the run has learnt.
    """
    codec, generator = run.codec, run.game.generator
    assert isinstance(generator, TabularLikelihood)
    blocks = len(codec.space.blocks)
    count = max(n, min(max(EACH * n, FEWEST), MOST_CODES // blocks))
    draws = Draws(seed, attempt, Stream.GIVEN)
    conditions = codec.condition.draw(count, draws, inputs)
    cond = codec.condition.embed(conditions)
    own = {k: torch.from_numpy(codes).view(1, -1) for k, codes in allowed.items()}
    made = particles(walker_of(generator), 1, count, own, None if cond is None else cond, draws)
    codes = made.codes[0].numpy()
    possible = codec.filler.possible(codes)
    if float(made.log_p) < IMPOSSIBLE or not possible.any():
        raise InputError("no such rows: the values asked for never go together")
    order = torch.randperm(count, generator=draws.generator).numpy()
    chosen = order[possible[order]][:n]
    given = conditions[made.origin[0].numpy()[chosen]]
    return codec.decode_blocks(codes[chosen], given, draws)
