"""Calibration: after training, match the frequency of every column's codes to the training rows.

The marginals of an autoregressive generator drift by the mean error of each column's net over the
preceding columns. Shifting the log odds, column by column, corrects that.
"""

from __future__ import annotations

from typing import TypedDict

import torch

from surveyor.batch import Draws
from surveyor.data import Codec, Source
from surveyor.generators import TabularLikelihood
from surveyor.streams import Stream
from surveyor.training.game import Game

ROWS = 32_768

# The mean error of the columns' marginals, without calibration and with it.
Calibration = TypedDict("Calibration", {"without": float, "with": float})


def calibrate(game: Game, codec: Codec, seed: int) -> None:
    """Calibrate the game's generator to the frequencies that ``codec`` holds."""
    assert isinstance(game.generator, TabularLikelihood)
    device = next(game.critic.parameters()).device
    draws = Draws(seed, 0, Stream.CALIBRATION)
    cond = codec.condition.embed(codec.condition.draw(ROWS, draws))
    shares = [share.to(device) for share in codec.shares]
    game.generator.calibrate(shares, ROWS, None if cond is None else cond.to(device), draws)


@torch.no_grad()
def marginal_gap(game: Game, rows: Source, seed: int, n: int = 16_384) -> float:
    """Return the total variation between generated codes and those of ``rows``, mean of columns."""
    codec, space = rows.codec, rows.codec.space
    device = next(game.critic.parameters()).device
    draws, made = Draws(seed, 0, Stream.MARGINALS), torch.zeros(space.width)
    seen, real = min(n, len(rows)), torch.zeros(space.width)
    for _ in range(0, n, 2048):
        cond = codec.condition.embed(codec.condition.draw(2048, draws))
        own = None if cond is None else cond.to(device)
        made += game.generate(2048, own, draws.on(device)).x.cpu().sum(0) / n
    for start in range(0, seen, 2048):
        real += rows.first(min(2048, seen - start), skip=start).x.sum(0) / seen
    codes = sum(space.blocks)
    return float((made - real)[:codes].abs().sum() * 2**0.5 / 2 / len(space.blocks))
