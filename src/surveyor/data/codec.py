"""What a codec of any kind of data does: rows to points, and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data.columns import Column
from surveyor.data.conditions import Condition, State
from surveyor.data.holes import Filler
from surveyor.data.space import Space
from surveyor.data.where import Selection
from surveyor.errors import InputError
from surveyor.privacy import CodecAccount
from surveyor.transport import Metric

Rows = dict[str, np.ndarray]


class Codec(ABC):
    """The fitted map between user units and the critic's space; saved without the data.

    ``account`` is the privacy spent on the fit, None without differential privacy.
    """

    continuous: ClassVar[bool] = True
    """Whether points between two points stand for data as well."""
    account: CodecAccount | None = None
    computed: tuple[str, ...] = ()
    """The conditions that are computed of samples, and need not be what was asked for."""

    kind: ClassVar[str]
    unit_name: ClassVar[str]
    condition: Condition
    group: Column | None = None

    @property
    @abstractmethod
    def space(self) -> Space:
        """Return the shapes and the unit."""

    @abstractmethod
    def rows(self, raw: Any) -> Rows:
        """Check user data and encode them compactly, one entry per row."""

    @abstractmethod
    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return the chosen rows as points x, (n, \\*shape)."""

    @abstractmethod
    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Turn a generator's raw output into points; differentiable."""

    def embed(self, drawn: Tensor) -> Tensor:
        """Return the samples of a generator with a likelihood as points."""
        return drawn

    def inconsistency(self, x: Tensor) -> Tensor:
        """Return how many values of each point contradict those they follow from, (n,)."""
        return x.new_zeros(len(x))

    @property
    def shares(self) -> list[Tensor]:
        """Return the frequency of each code in training rows, a tensor per block of the space."""
        return []

    @abstractmethod
    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Any:
        """Return points and their condition ``codes`` in user units."""

    @abstractmethod
    def state(self) -> State:
        """Return a JSON-ready dictionary and arrays that ``restore`` reads back."""

    @classmethod
    @abstractmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Codec:
        """Rebuild the codec that ``state`` described."""

    def without(self, names: Sequence[str]) -> Codec:
        """Return a codec that leaves columns out of every measurement.

        Raises:
            InputError: the data are not a table.
        """
        if names:
            raise InputError("--drop: only for tables")
        return self

    def clip_to_range(self, rows: Rows) -> tuple[Rows, np.ndarray]:
        """Return rows brought into the range of the training rows, and how far each was outside."""
        return rows, np.zeros(len(next(iter(rows.values()))))

    @property
    def selectable(self) -> tuple[Column, ...]:
        """Return the columns by whose values samples can be selected, conditions first."""
        return self.condition.columns

    @property
    def selectable_names(self) -> tuple[str, ...]:
        """Return the names of the ``selectable`` columns."""
        return tuple(c.name for c in self.selectable)

    @property
    def unlearnt(self) -> Mapping[str, str]:
        """Return the columns of samples by which none can be selected, each with the reason."""
        return {}

    @property
    def repeats(self) -> bool:
        """Return whether samples may repeat, so that they can be drawn in parts."""
        return True

    @property
    def kept_rules(self) -> tuple[str, ...]:
        """Return the rules of the data that samples keep by construction, in words."""
        return ()

    @property
    def rejected_rules(self) -> tuple[str, ...]:
        """Return the rules kept by rejection, in words: samples that break one are thrown away."""
        return ()

    def broken(self, made: Any) -> Mapping[str, np.ndarray]:
        """Return which samples break each rule kept by rejection, (n,) each by the rule's text."""
        return {}

    def contradicted(self, found: Mapping[str, Selection]) -> tuple[str, ...]:
        """Return the rules kept by rejection that no sample with the values ``found`` can obey."""
        return ()

    def selecting(self, found: Mapping[str, Selection]) -> tuple[Codec, Mapping[str, Selection]]:
        """Return a codec whose samples have the values selected where it can, and what to test."""
        return self, found

    @property
    def filler(self) -> Filler:
        """Return what fills holes in rows.

        Raises:
            InputError: points of this kind have no holes.
        """
        raise InputError("impute and predict: only for tables")

    def reassembled(self, made: Any, first: int = 0) -> Any:
        """Return samples with columns joined again that were split for the generator.

        The first of them is the ``first`` of all samples, counted from 0.
        """
        return made

    def keys(self, rows: Any) -> np.ndarray:
        """Return one number per row, equal for equal rows.

        Raises:
            InputError: rows of this kind cannot be compared.
        """
        raise InputError("--apart-from: only for tables")

    def decode_blocks(self, made: np.ndarray, codes: np.ndarray, draws: Draws) -> Any:
        """Return rows whose blocks have the codes ``made`` (n, blocks), in user units.

        Raises:
            TypeError: points of this kind have no blocks of codes.
        """
        raise TypeError(f"points of the kind {self.kind} have no blocks of codes")

    def as_text(self, made: Any) -> Any:
        """Return samples with the spelling that a text file has."""
        return made

    @property
    def metric(self) -> Metric:
        """Return the ground metric of W1 between ``metric_points``."""
        return "euclidean"

    def metric_points(self, batch: Batch) -> Tensor:
        """Return points (n, d) between which ``metric`` is the ground metric of W1.

        They are those of the critic, with the condition, unless a kind measures elsewhere.
        """
        return batch.joint()

    def features(self, rows: Rows, index: np.ndarray) -> np.ndarray:
        """Return the chosen rows as numbers (n, d) that trees can tell apart, few if possible."""
        return self.points(rows, index).flatten(1).numpy()

    def round_trip(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return generated points after decoding and encoding again: rounded as data are."""
        return batch

    def unknown_columns(self, rows: Rows) -> list[str]:
        """Return the columns of which no row has a value that the training rows have."""
        return []

    def group_codes(self, batch: Batch, codes: np.ndarray, draws: Draws) -> np.ndarray | None:
        """Return the group code of each generated row, (n,); None without groups."""
        return None

    def batch(self, rows: Rows, index: np.ndarray) -> Batch:
        """Return the chosen rows as a batch with condition and group."""
        group = torch.from_numpy(rows["group"][index].astype(np.int64)) if "group" in rows else None
        return Batch(self.points(rows, index), self.condition.of(rows, index), None, group)
