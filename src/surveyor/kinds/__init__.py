"""Kinds of data: a folder each, and in it a record of everything that is the kind's own."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from PIL.Image import Image
from torch import Tensor

from surveyor.catalog import Part
from surveyor.data import Codec, Data, Files, Options
from surveyor.data.coordinates import Coordinates, unnamed
from surveyor.data.filters import Filter
from surveyor.diagnostics.preflight import Check
from surveyor.measures import Figures, Measure, Seen
from surveyor.measures.ruler import RowRuler, Ruler
from surveyor.measures.verdict import verdict
from surveyor.panels import Beside, Panel, Section, marginals


def _nothing(data: Data) -> None:
    """Try nothing."""


def _nobody(data: Data) -> None:
    """Name no column."""


@dataclass(frozen=True)
class Kind:
    """What generic rooms ask of a kind of data.

    ``files`` read and write it, ``codec`` brings it to the critic's space and back. ``checks`` look
    at data before training. ``measures`` make the evaluation, ``verdict`` its sentence, in which
    ``against`` names the run's own held-out data or others; ``between`` says what W1 is between,
    and ``ruler`` measures it during training.
    ``panels`` make the report, ``preview`` a picture that is kept in the run folder; ``filters``
    are what all samples must pass. ``few`` rows are what all that follows training is rehearsed on,
    beside what ``written`` tries; ``guilty`` names the column that fails. Of two data sets
    ``coordinates`` are the columns that a person would name, and ``beside`` draws both.
    ``answers`` is the record that holds where samples answer points of another codec, which
    ``given`` reads; ``tasks`` make such pairs.
    """

    name: str
    files: Files
    codec: type[Codec]
    measures: tuple[Measure, ...]
    checks: tuple[Check, ...] = ()
    panels: tuple[Panel, ...] = ()
    verdict: Callable[[Figures, str], str] = verdict
    against: tuple[str, str] = ("held-out real data", "the data given")
    between: str = "held-out points and as many generated ones"
    ruler: type[Ruler] = RowRuler
    filters: tuple[Filter, ...] = ()
    few: int = 24
    written: Callable[[Data], None] = _nothing
    guilty: Callable[[Data], str | None] = _nobody
    preview: Callable[[Seen], tuple[str, Image]] | None = None
    coordinates: Callable[[Any, tuple[Any, Any]], Coordinates] = unnamed
    beside: Callable[[Beside], Iterator[Section]] = marginals
    answers: Kind | None = None
    read_condition: Callable[[Codec, Any, Options], Tensor] | None = None
    tasks: Mapping[str, type[Part]] = field(default_factory=dict)


_ADDED: dict[str, Kind] = {}


def add(kind: Kind) -> Kind:
    """Make a kind of one's own known, beside those of this folder."""
    _ADDED[kind.name] = kind
    return kind


@cache
def _here() -> dict[str, Kind]:
    found = {}
    for info in pkgutil.iter_modules(__path__):
        if info.ispkg:
            kind: Kind = importlib.import_module(f"{__name__}.{info.name}").KIND
            found[kind.name] = kind
    return found


def kinds() -> dict[str, Kind]:
    """Return every kind of data by its name."""
    return _here() | _ADDED


def every_kind() -> list[Kind]:
    """Return every kind of data, those of answers beside their own."""
    return [k for kind in kinds().values() for k in (kind, kind.answers) if k is not None]


def tasks() -> dict[str, type[Part]]:
    """Return every task by its name."""
    return {name: task for kind in every_kind() for name, task in kind.tasks.items()}


def kind_of(codec: Codec) -> Kind:
    """Return the kind that a codec is of, its answers where it answers what is given."""
    own = kinds()[codec.kind]
    return own if codec.condition.drawable or own.answers is None else own.answers
