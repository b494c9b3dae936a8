"""All streams of random numbers; every use of a seed has its own."""

from __future__ import annotations

from enum import IntEnum

import numpy as np


class Stream(IntEnum):
    """What random numbers are for; streams of one (seed, rank, step) are independent."""

    CRITIC = 0  # critic steps
    GENERATOR = 1  # generator steps, also of a warm start
    PLAIN = 2  # outside runs: trials, examples
    LOOK = 3  # measurements that adaptive noise follows
    RULER = 4  # W1 during training
    CALIBRATION = 5
    MARGINALS = 6  # the error of marginals before and after calibration
    SPLIT = 7  # the choice of held-out rows
    SAMPLE = 8
    ANSWER = 9
    WALK = 10
    HELD_OUT = 11  # W1 of the evaluation
    TABLE = 12  # rows for comparing columns
    PARTS = 13  # rows of each condition and group
    MEMORISING = 14
    PICTURES = 15
    USEFULNESS = 16  # training pictures of a classifier
    PATCHES = 17
    REPORT = 18  # samples shown in a report
    HALVES = 19  # the split of data that a run was not trained on
    DECODE = 20  # values within cells, for measures
    GIVEN = 21  # samples given values of any columns
    CLIENTS = 22  # rows drawn for each client of a federated run


def generator(seed: int, stream: Stream) -> np.random.Generator:
    """Return a NumPy generator for one stream of a seed."""
    return np.random.default_rng(np.random.SeedSequence([seed, stream]))
