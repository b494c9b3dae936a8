"""Pairs: what is given is a condition, what is wanted a point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import USUAL, Codec, Options, Rows, Space, State
from surveyor.data.arrays import Arrays, every_array
from surveyor.data.conditions import Conditions
from surveyor.errors import InputError
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pictures import read_picture, suffixes
from surveyor.kinds.vectors.codec import VectorCodec
from surveyor.kinds.vectors.files import Vectors

BEYOND = 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """What is given, pictures or vectors, and the pictures wanted, n of each."""

    given: Arrays
    wanted: Arrays

    def __len__(self) -> int:
        return len(self.wanted)

    def take(self, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(self.given.take(index), self.wanted.take(index))


@dataclass(frozen=True, eq=False)
class PairCodec(Codec):
    """Two codecs; what is given is the condition, (n, channels, height, width) or (n, k)."""

    given: ImageCodec | VectorCodec
    wanted: ImageCodec
    scale: int | None = None
    conditions: Conditions = field(default_factory=Conditions)

    kind = "pairs"
    answers = True
    unit_name = "pixel values from 0 to 1, over all pixels"

    @property
    def main(self) -> str:
        """Return the name of the wanted pictures."""
        return self.wanted.main

    @property
    def space(self) -> Space:
        """Return the shapes and the unit."""
        told = self.given.space
        if isinstance(self.given, VectorCodec):
            return replace(self.wanted.space, cond=told.width)
        return replace(self.wanted.space, given=told.shape)

    def rows(self, raw: Any) -> Rows:
        """Check pairs and keep them as they are."""
        if not isinstance(raw, Pairs):
            raise InputError("the run answers what it is given: give pairs, as it was trained on")
        own = self.given.rows(raw.given), self.wanted.rows(raw.wanted)
        return {"given": own[0]["x"], "x": own[1]["x"], "cond": own[1]["cond"]}

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return the wanted pictures."""
        return self.wanted.points(rows, index)

    def batch(self, rows: Rows, index: np.ndarray) -> Batch:
        """Return wanted pictures under the given ones."""
        return Batch(self.points(rows, index), self.given.points({"x": rows["given"]}, index))

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return raw within [-1, 1], and a tenth of what lies beyond.

        An answer starts from the picture given, whose white is at the edge: tanh would pass hardly
        any gradient there, and without a bound the game drives values out of range.
        """
        inside = raw.clamp(-1, 1)
        return inside + BEYOND * (raw - inside)

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return the wanted pictures, by name."""
        return self.wanted.decode(batch, codes, draws)

    def delivered(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return answers as a user gets them: within range, and rounded like the data."""
        return self.wanted.delivered(batch, codes, draws)

    def asked(self, source: Any, name: str | None = None, options: Options = USUAL) -> Tensor:
        """Return pictures or vectors to be answered as conditions; pictures may have any size.

        ``options`` say how pictures are read: their ``size`` and ``white``.

        Raises:
            InputError: other data, or pictures of another range or mode than those trained on.
        """
        source = _of_archive(source, (name, self.given.main))
        if isinstance(self.given, VectorCodec):
            vectors = Vectors().read(source)
            return self.given.points(self.given.rows(vectors), np.arange(len(vectors)))
        arrays = _pictures(source, options)
        if self.given.channels == 3 and arrays.main.ndim == 3:
            main = np.repeat(arrays.main[..., None], 3, axis=3)
            arrays = Arrays(main, {}, arrays.main_name)
        any_size = replace(self.given, size=arrays.main.shape[1:])
        if any_size.channels != self.given.channels:
            raise InputError(
                "pictures in colour where the run was trained on grey ones; convert them to grey"
            )
        return any_size.points(any_size.rows(arrays), np.arange(len(arrays)))

    def state(self) -> State:
        """Return what ``restore`` needs."""
        metas: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, codec in (("given", self.given), ("wanted", self.wanted)):
            metas[name], own = codec.state()
            arrays |= {f"{name}.{k}": v for k, v in own.items()}
        return {"scale": self.scale, "of": self.given.kind, **metas}, arrays

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PairCodec:
        """Rebuild the codec."""
        own = [
            {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}
            for name in ("given", "wanted")
        ]
        kind = VectorCodec if meta["of"] == VectorCodec.kind else ImageCodec
        given = kind.restore(meta["given"], own[0])
        return cls(given, ImageCodec.restore(meta["wanted"], own[1]), meta["scale"])


def _of_archive(source: Any, names: Sequence[str | None]) -> Any:
    """Return the first array of ``names`` that a mapping or an ``.npz`` holds, else the source."""
    archive = isinstance(source, (str, Path)) and str(source).lower().endswith(".npz")
    if isinstance(source, (str, Path)) and not Path(source).exists():
        raise InputError(f"{source}: no such file")
    if archive or isinstance(source, Mapping):
        _, arrays = every_array(source)
        return next((arrays[name] for name in names if name in arrays), source)
    return source


def _pictures(source: Any, options: Options) -> Arrays:
    """Return pictures to be answered, of one file or many."""
    if isinstance(source, (str, Path)) and Path(source).suffix.lower() in suffixes():
        return read_picture(Path(source), options.white)
    try:
        return Images().read(source, options)
    except InputError as error:
        several = "; bring all to one"
        remedy = "; answer those of a size at a time, or all into a folder with -o FOLDER"
        raise InputError(
            *(p.partition(several)[0] + remedy if several in p else p for p in error.problems)
        ) from error
