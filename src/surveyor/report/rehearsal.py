"""A rehearsal on a few rows, before the first step, of everything done after training."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from surveyor.data import Data
from surveyor.errors import InputError
from surveyor.kinds import kind_of
from surveyor.kinds.assess import assess
from surveyor.measures import SeenRun
from surveyor.report.build import page_of
from surveyor.run import Run, Session

ROWS, FEWEST = 24, 4  # of a table; for exact transport
MOST_CODES = 2000  # the most rows that cover every code of every column


def rehearse(session: Session) -> None:
    """Decode, write, evaluate and report on a few rows, with copies of the untrained nets.

    Raises:
        InputError: one of these fails; the message says which, and for a table which column.
    """
    few = _few(session.data)
    game = replace(session.game, critic=copy.deepcopy(session.game.critic))
    generator, config, codec = copy.deepcopy(session.game.generator), session.config, few.codec
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # notices about so few rows are irrelevant
        with _trying("writing samples", few):
            kind_of(codec).rehearse_writing(few)
        with _trying("the evaluation", few):
            evaluation = assess(SeenRun(game, generator, few, config.seed, FEWEST))
        game = replace(game, generator=generator)
        with _trying("the report", few):
            run = Run(session.path, config, "", kind_of(codec), codec, game, (), evaluation)
            page_of(run, few)


def _few(data: Data) -> Data:
    n = kind_of(data.codec).rehearsal_rows
    parts = {p: getattr(data, p) for p in ("train", "validation", "holdout")}
    return replace(data, **{p: replace(s, index=s.index[:n]) for p, s in parts.items()})


@contextmanager
def _trying(what: str, data: Data) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        cause = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        column = kind_of(data.codec).failing_column(data)
        named = "" if column is None else f"column {column!r}: "
        remedy = "report this as a bug" if column is None else f"leave it out with --drop {column}"
        raise InputError(
            f"{named}{what} fails in a rehearsal on a few rows ({cause}), so nothing was trained; "
            f"{remedy}"
        ) from error
