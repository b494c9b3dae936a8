"""Every stream of random numbers there is, so that no two uses of a seed share one."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """Who draws. Numbers of equal (seed, rank, step) are independent between streams."""

    CRITIC = 0  # a critic's step
    GENERATOR = 1  # a generator's step, also of a warm start
    PLAIN = 2  # of no run: trials, examples
    LOOK = 3  # what an adapting noise looks at
    RULER = 4  # W1 during training
    CALIBRATION = 5
    MARGINALS = 6  # what calibration is judged by
    SPLIT = 7  # which rows are held out
    SAMPLE = 8
    ANSWER = 9
    WALK = 10
    HELD_OUT = 11  # W1 of the evaluation
    TABLE = 12  # rows whose columns are compared
    PARTS = 13  # rows of each condition and group
    MEMORISING = 14
    PICTURES = 15
    USEFULNESS = 16  # pictures that a classifier learns from
    PATCHES = 17
    REPORT = 18  # what a report shows
    HALVES = 19  # of data that a run was not trained on
    DECODE = 20  # values within cells, of what measures look at


def generator(seed: int, stream: Stream) -> np.random.Generator:
    """Return NumPy's generator of a seed's stream, for what is decided on the processor."""
    return np.random.default_rng(np.random.SeedSequence([seed, stream]))
