"""Scores of rows: how much each resembles the run's training data."""

from __future__ import annotations

import typing
from typing import Any, Literal

import numpy as np
import torch

from surveyor.arguments import choice
from surveyor.errors import InputError
from surveyor.generators import UNSEEN, Likelihood
from surveyor.run.folder import Run
from surveyor.run.reading import read_for

By = Literal["auto", "likelihood", "critic"]
AT_ONCE = 4096
OUTSIDE = 50.0  # more than real rows differ, in nats and in a critic's units


@torch.no_grad()
def scored(run: Run, data: Any, by: By = "auto") -> np.ndarray:
    """Return a score for every row of ``data``, (n,), low for rows unlike the training data.

    A row with numbers outside the range of the training rows has the score of the nearest row
    inside, less ``OUTSIDE`` and its distance from there in standard deviations.
    """
    by = choice("--by", by, typing.get_args(By))  # type: ignore[assignment]
    generator, codec = run.game.generator, run.codec
    if by == "likelihood" and not isinstance(generator, Likelihood):
        raise InputError("--by likelihood: this run's generator has no likelihood; use --by critic")
    rows, away = codec.clip_to_range(codec.rows(read_for(run, data)))
    total = len(next(iter(rows.values())))
    device = next(run.game.critic.parameters()).device
    scores = []
    for start in range(0, total, AT_ONCE):
        batch = codec.batch(rows, np.arange(start, min(total, start + AT_ONCE))).to(device)
        if by == "critic" or not isinstance(generator, Likelihood):
            scores.append(run.game.mean_score(batch).cpu())
            continue
        likely = run.game.log_likelihood(batch) + UNSEEN * codec.inconsistency(batch.x)
        scores.append(likely.cpu())
    found: np.ndarray = torch.cat(scores).numpy()
    found -= np.where(away > 0, OUTSIDE + away, 0.0).astype(found.dtype)
    return found
