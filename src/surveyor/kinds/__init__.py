"""Kinds of data: one folder each, with a record of everything specific to the kind."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from PIL.Image import Image
from torch import Tensor

from surveyor.catalog import Part
from surveyor.data import Codec, Data, Files, Options
from surveyor.data.computed import Computed
from surveyor.data.coordinates import Coordinates, unnamed
from surveyor.data.filters import Filter
from surveyor.data.joining import Joining
from surveyor.data.summary import Summary
from surveyor.diagnostics.preflight import Check
from surveyor.measures import Figures, Measure, SeenRun
from surveyor.measures.ruler import RowRuler, Ruler
from surveyor.measures.verdict import verdict
from surveyor.panels import Panel, Section, TwoSets, marginals
from surveyor.two_sample import Samples
from surveyor.two_sample.statistics import Statistics

Points = tuple[np.ndarray, np.ndarray]


def _write_nothing(data: Data) -> None:
    """Skip the rehearsal of writing."""


def _no_column(data: Data) -> None:
    """Blame no column."""


@dataclass(frozen=True)
class Kind:
    """Everything that the rest of the library needs to know of a kind of data.

    ``files`` reads and writes the data, ``codec`` maps them to the critic's space and back, and
    ``checks`` run before training. ``measures`` yield the evaluation, and ``verdict`` sums it up
    in a sentence; ``reference_names`` are the names in that sentence of the run's own held-out data
    and of any other data. ``labels`` are the measures' own figures in words; ``usefulness`` returns
    the measure of how well a column can be predicted, unless ``measures`` do that for a condition.
    ``w1_between`` says which two samples W1 compares, and ``ruler`` measures it during training.
    ``panels`` make up the report, ``preview`` draws a picture for the run folder, and every sample
    must pass the ``filters``. Samples can also be chosen by what is ``computed`` from them.

    Before training, everything that follows it is rehearsed on ``rehearsal_rows`` rows, and
    ``rehearse_writing`` writes samples; ``failing_column`` finds the column to blame. For a
    comparison of two data sets, ``coordinates`` are their columns with names,
    ``samples`` all their rows for two-sample tests (by default coordinates of some rows), and
    ``comparison_panels`` draw both sets. ``summarise`` returns what a reference holds of a data
    set, and ``recount`` the same of another one; both are None if the kind has no references.
    ``joining`` joins codecs fitted at several places; None if the kind cannot be trained so.

    ``answers`` is the record used instead if samples answer points of another codec, such as a
    picture to translate; ``read_condition`` reads those points, and ``tasks`` make the pairs.
    """

    name: str
    files: Files
    codec: type[Codec]
    measures: tuple[Measure, ...]
    checks: tuple[Check, ...] = ()
    panels: tuple[Panel, ...] = ()
    verdict: Callable[[Figures, str], str] = verdict
    reference_names: tuple[str, str] = ("held-out real data", "the data given")
    w1_between: str = "held-out points and as many generated ones"
    ruler: type[Ruler] = RowRuler
    filters: tuple[Filter, ...] = ()
    computed: Mapping[str, Computed] = field(default_factory=dict)
    rehearsal_rows: int = 24
    rehearse_writing: Callable[[Data], None] = _write_nothing
    failing_column: Callable[[Data], str | None] = _no_column
    usefulness: Callable[[str], Measure] | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    preview: Callable[[SeenRun], tuple[str, Image]] | None = None
    coordinates: Callable[[Any, tuple[Any, Any]], Coordinates] = unnamed
    samples: Callable[[Any, tuple[Any, Any], Points], Samples] | None = None
    comparison_panels: Callable[[TwoSets], Iterator[Section]] = marginals
    summarise: Callable[[Any, int], Summary] | None = None
    recount: Callable[..., tuple[Statistics, Statistics]] | None = None
    joining: Joining | None = None
    answers: Kind | None = None
    read_condition: Callable[[Codec, Any, Options], Tensor] | None = None
    tasks: Mapping[str, type[Part]] = field(default_factory=dict)


_ADDED: dict[str, Kind] = {}


def add(kind: Kind) -> Kind:
    """Register a kind in addition to those of this folder."""
    _ADDED[kind.name] = kind
    return kind


@cache
def _built_in() -> dict[str, Kind]:
    found = {}
    for info in pkgutil.iter_modules(__path__):
        if info.ispkg:
            kind: Kind = importlib.import_module(f"{__name__}.{info.name}").KIND
            found[kind.name] = kind
    return found


def kinds() -> dict[str, Kind]:
    """Return every kind of data by its name."""
    return _built_in() | _ADDED


def every_kind() -> list[Kind]:
    """Return every kind of data; a kind with answers is followed by the record of its answers."""
    return [k for kind in kinds().values() for k in (kind, kind.answers) if k is not None]


def tasks() -> dict[str, type[Part]]:
    """Return every task by its name."""
    return {name: task for kind in every_kind() for name, task in kind.tasks.items()}


def kind_of(codec: Codec) -> Kind:
    """Return the kind of a codec; its ``answers`` if the condition is a point of another codec."""
    own = kinds()[codec.kind]
    return own if codec.condition.drawable or own.answers is None else own.answers
