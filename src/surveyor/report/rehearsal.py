"""What is done after training, tried on a few rows before the first step."""

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
from surveyor.measures import Seen
from surveyor.report.build import page_of
from surveyor.run import Run, Session

ROWS, FEWEST = 24, 4  # of a table; of what exact transport takes
MOST_CODES = 2000  # rows in which every code of every column occurs, where there are no more


def rehearse(session: Session) -> None:
    """Decode, write, evaluate and report on a few rows, with copies of the untrained nets.

    Raises:
        InputError: one of it fails; the message tells which, and of a table which column.
    """
    few = _few(session.data)
    game = replace(session.game, critic=copy.deepcopy(session.game.critic))
    generator, config, codec = copy.deepcopy(session.game.generator), session.config, few.codec
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is told of few rows is of no concern
        with _trying("writing samples", few):
            kind_of(codec).written(few)
        with _trying("the evaluation", few):
            told = assess(Seen(game, generator, few, config.seed, FEWEST))
        kept = replace(game, generator=generator)
        with _trying("the report", few):
            page_of(Run(session.path, config, "", kind_of(codec), codec, kept, (), told), few)


def _few(data: Data) -> Data:
    n = kind_of(data.codec).few
    parts = {p: getattr(data, p) for p in ("train", "validation", "holdout")}
    return replace(data, **{p: replace(s, index=s.index[:n]) for p, s in parts.items()})


@contextmanager
def _trying(what: str, data: Data) -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        told = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
        column = kind_of(data.codec).guilty(data)
        named = "" if column is None else f"column {column!r}: "
        remedy = "report this as a bug" if column is None else f"leave it out with --drop {column}"
        raise InputError(
            f"{named}{what}, tried on a few rows, fails ({told}), so nothing was trained; {remedy}"
        ) from error
