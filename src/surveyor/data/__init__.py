"""Interfaces of a kind of data: its files, and the codec between rows and points."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from surveyor.batch import Batch, Draws
from surveyor.data.codec import Codec as Codec
from surveyor.data.codec import Rows as Rows
from surveyor.data.conditions import State as State
from surveyor.data.options import DEFAULT_OPTIONS as DEFAULT_OPTIONS
from surveyor.data.options import Options as Options
from surveyor.data.space import NodeSpace as NodeSpace
from surveyor.data.space import Space as Space
from surveyor.errors import InputError, did_you_mean

KEYS_AT_ONCE = 4096


class Files(ABC):
    """How data of a kind are read, indexed and written.

    ``suffixes`` are those of readable files, the default first; samples can be written to files of
    these suffixes and of ``outputs``.
    """

    suffixes: ClassVar[tuple[str, ...]]
    outputs: ClassVar[tuple[str, ...]] = ()
    animations: ClassVar[tuple[str, ...]] = ()
    """Suffixes of animations of samples, the default first."""
    tabular: ClassVar[bool] = False
    """Whether samples are rows that can be printed."""

    @property
    def default_suffix(self) -> str:
        """Return the suffix of a file of samples unless one is given."""
        return self.suffixes[0]

    def suffix_for(self, codec: Codec) -> str:
        """Return the suffix of a run's samples unless one is given; none for a folder."""
        return self.default_suffix

    @abstractmethod
    def recognises(self, source: Any) -> bool:
        """Say whether ``source`` (a path or an object in memory) is of this kind."""

    def declines(self, options: Options) -> bool:
        """Say whether the options ask for a reading that only another kind has."""
        return False

    @abstractmethod
    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Any:
        """Read and check; the result has a length, and ``take`` indexes it."""

    @abstractmethod
    def defaults(self, raw: Any, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return default options for these data, given those that the user has set (``given``)."""

    @abstractmethod
    def take(self, raw: Any, index: np.ndarray) -> Any:
        """Return the chosen rows, in memory."""

    def one_row(self, source: Any) -> Any:
        """Return a single row in memory as data of one row, anything else unchanged."""
        return source

    def reopen(self, source: Any, codec: Codec, options: Options = DEFAULT_OPTIONS) -> Any:
        """Read other data the way a fitted codec expects them."""
        return self.read(source, options)

    def open_alike(self, sources: Mapping[str, Any], drop: Sequence[str]) -> dict[str, Any]:
        """Return data sets without the columns in ``drop``, to be read or reopened.

        ``sources`` are by the name that messages call them.

        Raises:
            InputError: every column that only some of them have.
        """
        return dict(sources)

    def split(self, source: Any, column: str) -> dict[str, Any]:
        """Return data sets by the value of a column, of the rows that have it.

        Raises:
            InputError: there is no such column, or it has too many values.
        """
        raise InputError("--by: only for tables; leave it out")

    def columns(self, raw: Any) -> Sequence[str]:
        """Return the names of the columns that rows can be labelled by."""
        return ()

    def beside(self, raw: Any, made: pd.DataFrame) -> pd.DataFrame:
        """Return rows ``made`` of a table among its columns that were not read."""
        return made

    def keys(self, raw: Any, codec: Codec) -> np.ndarray:
        """Return one number per row, (n,), equal for equal rows."""
        rows, found = codec.rows(raw), []
        for start in range(0, len(raw), KEYS_AT_ONCE):
            index = np.arange(start, min(len(raw), start + KEYS_AT_ONCE))
            points = codec.batch(rows, index).joint().numpy()
            digests = (hashlib.blake2b(row.tobytes(), digest_size=8).digest() for row in points)
            found.append(np.frombuffer(b"".join(digests), np.uint64))
        return np.concatenate(found)

    def read_comparable(self, sources: Sequence[Any], options: Options) -> list[Any]:
        """Read several data sets in the same way, so that they can be compared."""
        return [self.read(source, options) for source in sources]

    def describe(self, raw: Any) -> list[tuple[str, str, str, str]]:
        """Return how every column is read: its name, its type, an example, and a remark."""
        return []

    def select(self, raw: Any, index: np.ndarray) -> Any:
        """Return the chosen rows (``index`` ascending), in memory, as ``fit`` takes them."""
        return self.take(raw, index)

    @abstractmethod
    def concatenate(self, a: Any, b: Any) -> Any:
        """Return the rows of two data sets in memory, one after the other.

        Raises:
            InputError: their columns or shapes differ; each difference is named.
        """

    @abstractmethod
    def fit(self, raw: Any, options: Options) -> Codec:
        """Fit a codec to rows in memory."""

    @abstractmethod
    def write(self, samples: Any, path: Path) -> None:
        """Write samples in user units to ``path``, whose suffix determines the format."""

    def write_parts(self, parts: Iterable[Any], path: Path) -> None:
        """Write samples that come in parts to one file.

        Raises:
            InputError: samples of this kind are written as a whole.
        """
        raise InputError(f"-o {path}: only tables are written in parts")

    def write_folder(self, samples: Any, path: Path, names: Sequence[str] = ()) -> None:
        """Write each sample to a file of its own, named by ``names`` if there are any.

        Raises:
            InputError: samples of this kind cannot be written one per file.
        """
        raise InputError(f"-o {path}: no suffix; known: {' '.join(self.suffixes)}")

    def animate(self, samples: Any, path: Path) -> None:
        """Write samples as the frames of an animation.

        Raises:
            InputError: samples of this kind cannot be animated.
        """
        raise InputError(f"-o {path}: only pictures can be animated")

    def of_several_sizes(self, source: str, options: Options) -> list[np.ndarray] | None:
        """Return the pictures of a folder one by one if their sizes differ, otherwise None."""
        return None

    def names_in(self, source: str) -> Sequence[str]:
        """Return the names of the files in a folder, without suffixes."""
        return ()


@dataclass(frozen=True)
class Source:
    """Rows to draw from; with ``balance`` every group is drawn equally often."""

    codec: Codec
    rows: Rows
    index: np.ndarray
    balance: bool = False

    def __len__(self) -> int:
        return len(self.index)

    def draw(self, n: int, draws: Draws) -> Batch:
        """Return ``n`` rows with replacement: uniformly, or a group first and then a row of it."""
        if not self.balance:
            return self.codec.batch(self.rows, self.index[draws.index(n, len(self)).cpu().numpy()])
        starts, sizes, order = self.groups
        group = draws.index(n, len(sizes)).cpu().numpy()
        place = (draws.uniform(n).cpu().numpy() * sizes[group]).astype(np.int64)
        return self.codec.batch(self.rows, order[starts[group] + place])

    @cached_property
    def groups(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return where each group starts in the rows ordered by group, its size, and that order."""
        codes = self.rows["group"][self.index]
        order = self.index[np.argsort(codes, kind="stable")]
        _, starts, sizes = np.unique(np.sort(codes), return_index=True, return_counts=True)
        return starts, sizes, order

    def first(self, n: int, skip: int = 0) -> Batch:
        """Return rows ``skip`` to ``skip + n`` in the source's own (shuffled) order."""
        return self.codec.batch(self.rows, self.index[skip : skip + n])

    def codes(self, n: int, skip: int = 0) -> np.ndarray:
        """Return the condition codes of the same rows."""
        codes: np.ndarray = self.rows["cond"][self.index[skip : skip + n]]
        return codes


@dataclass(frozen=True)
class Data:
    """Data ready for training, with their codec.

    ``validation`` rows choose the best step and decide when to stop; ``holdout`` rows are for the
    figures that a user is shown, and play no part in any choice. ``parts`` are the data of several
    places that these are together, by name; of a part ``share`` is the one it has in training.
    """

    files: Files
    codec: Codec
    train: Source
    validation: Source
    holdout: Source
    raw: Any
    parts: Mapping[str, Data] = field(default_factory=dict)
    share: float = 1.0

    def held_out(self, n: int) -> Any:
        """Return at most ``n`` held-out rows in user units."""
        return self.files.take(self.raw, np.sort(self.holdout.index[:n]))

    def training(self, n: int) -> Any:
        """Return at most ``n`` training rows in user units."""
        return self.files.take(self.raw, np.sort(self.train.index[:n]))


def delta_of(options: Options, rows: int) -> float | None:
    """Return delta, by default 0.1 over the number of training rows; None without an epsilon.

    Raises:
        InputError: a delta so large that whole rows could be published.
    """
    if options.epsilon is None:
        return None
    delta = 0.1 / rows if options.delta is None else options.delta
    if delta > 1 / rows:
        raise InputError(
            f"--privacy: delta={delta:g} would allow publishing whole rows of the {rows:,} in "
            "training; "
            f"give far less than {1 / rows:.2g}, or leave it out for {0.1 / rows:.2g}"
        )
    return delta


def check_columns(names: Sequence[str], known: Sequence[str], flag: str) -> list[str]:
    """Return a problem for each of ``names`` that is not a ``known`` column."""
    return [
        f"{flag} {name}: unknown column{did_you_mean(name, known)}"
        for name in names
        if name not in known
    ]
