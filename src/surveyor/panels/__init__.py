"""Panels: the sections of a report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import nn

import surveyor.panels.drawing as draw
from surveyor.data import Codec
from surveyor.data.coordinates import Coordinates
from surveyor.measures import Evaluation, SeenRun
from surveyor.training import Measurement

__all__ = ["Cell", "Panel", "Picture", "Section", "Shown", "Table", "Text", "TwoSets", "marginals"]

Cell = str | float | None


@dataclass(frozen=True)
class Text:
    """A paragraph; a ``note`` is small print."""

    text: str
    note: bool = False
    form: str = "text"


@dataclass(frozen=True)
class Picture:
    """An image as a data URI, its alternative text ``instead``, and a caption.

    With ``pixels`` it is not smoothed; with ``beside`` it shares the line of the picture before.
    """

    source: str
    instead: str
    caption: str = ""
    pixels: bool = False
    beside: bool = False
    form: str = "picture"


@dataclass(frozen=True)
class Table:
    """Rows under a head; numbers are right-aligned, None is a dash.

    The last ``amounts`` columns are right-aligned too: numbers with a unit, as text.
    """

    head: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    amounts: int = 0
    form: str = "table"

    @cached_property
    def numeric(self) -> tuple[bool, ...]:
        """Return which columns contain only numbers."""
        texts = [[isinstance(cell, str) for cell in row] for row in self.rows]
        return (
            tuple(not any(column) for column in zip(*texts, strict=True))
            if texts
            else ((False,) * len(self.head))
        )

    @cached_property
    def right_aligned(self) -> tuple[bool, ...]:
        """Return which columns are right-aligned."""
        first = len(self.head) - self.amounts
        return tuple(k >= first or numeric for k, numeric in enumerate(self.numeric))


@dataclass(frozen=True)
class Section:
    """A heading and its content."""

    title: str
    blocks: tuple[Text | Picture | Table, ...]


@dataclass(frozen=True, eq=False)
class Shown:
    """The input of panels: a run's samples and data, its evaluation and its history.

    ``warm`` is the last step of the warm start; ``label_noise`` the share of wrong labels.
    """

    seen: SeenRun
    evaluation: Evaluation
    history: Sequence[Measurement] = ()
    warm: int = 0
    label_noise: float = 0.0

    @property
    def critic_trained(self) -> bool:
        """Return whether steps followed the warm start, in which no critic takes part."""
        return self.evaluation.steps > self.warm


@dataclass(frozen=True, eq=False)
class TwoSets:
    """Two data sets to compare, as read and as tables of named columns.

    ``critic``, if any, has high scores on the first set, in the user's unit. ``names`` are what
    captions call the two.
    """

    codec: Codec
    raw: tuple[Any, Any]
    coordinates: Coordinates
    critic: nn.Module | None = None
    names: tuple[str, str] = ("the first set", "the second set")


def marginals(sets: TwoSets) -> Iterator[Section]:
    """Yield the marginals of both sets if they have named columns."""
    own = sets.coordinates
    if own.columns:
        picture, left = draw.marginals(own.columns, *own.frames)
        more = f" The table has {left} more columns." if left else ""
        note = Text(f"Grey: {sets.names[0]}. Orange: {sets.names[1]}.{more}", note=True)
        yield Section("Both sets by column", (Picture(picture, "marginal distributions"), note))


class Panel(ABC):
    """A part of the report."""

    @abstractmethod
    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield its sections, if there is anything to show."""
