"""Training minutes converted to steps, by a trial on nets that are then discarded."""

from __future__ import annotations

import time
from dataclasses import replace

from surveyor.data import Source
from surveyor.data.resident import resident
from surveyor.training import Game, Plan, State, steps

FIRST = 1  # steps, in which libraries and graphs are set up
TRIAL = 20


def steps_in(game: Game, source: Source, plan: Plan, minutes: float) -> int:
    """Return the steps that fit into ``minutes``, with a tenth of the time left for measuring."""
    share = min(1.0, plan.warm / plan.steps)
    each = 0.0
    for part, warm in ((share, plan.steps), (1 - share, 0)):
        if part > 0:
            each += part * _seconds(game, source, replace(plan, warm=warm), 0.05 * 60 * minutes)
    return max(1, int(0.9 * 60 * minutes / each))


def _seconds(game: Game, source: Source, plan: Plan, most: float) -> float:
    """Return the seconds per step, over at most ``TRIAL`` steps after the first ones."""
    state = State.start(game, plan)
    records = steps(game, resident(source, game.device), plan, state)
    for _, _ in zip(range(FIRST), records, strict=False):
        state.settle()
    begun, first = time.monotonic(), state.step
    for _, _ in zip(range(TRIAL), records, strict=False):
        state.settle()
        if time.monotonic() - begun > most:
            break
    return (time.monotonic() - begun) / max(state.step - first, 1)
