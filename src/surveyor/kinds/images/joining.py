"""Pictures at several places: one size, one range of values, and the same labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np

from surveyor.data import Codec, Options
from surveyor.data.arrays import Arrays
from surveyor.data.conditions import Columns
from surveyor.data.joining import Joining
from surveyor.data.merging import merge_conditions
from surveyor.errors import InputError
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import DEFAULTS
from surveyor.kinds.images.pictures import WHITE_16_BITS
from surveyor.kinds.images.sheets import white_of


@dataclass(frozen=True)
class Told:
    """The shape of a place's pictures, their type and highest value, and the names of labels."""

    size: tuple[int, ...]
    dtype: str
    white: float
    labels: tuple[str, ...]


class SamePictures(Joining):
    """Pictures of one size and mode."""

    def told(self, raw: Arrays) -> dict[str, Told]:
        """Return what a codec of pictures needs to know of them."""
        white = float(raw.white or white_of(raw.main))
        own = Told(raw.main.shape[1:], str(raw.main.dtype), white, tuple(raw.columns))
        return {"pictures": own}

    def agreed(self, told: Mapping[str, Mapping[str, Any]]) -> dict[str, float]:
        """Return the highest value of all pictures."""
        every = {place: cast(Told, own["pictures"]) for place, own in told.items()}
        problems = [*_differences(every)]
        if problems:
            raise InputError(*problems)
        return {"white": max(own.white for own in every.values())}

    def defaults(self, raws: Sequence[Arrays], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults of pictures in one place."""
        depths = [raw.depth for raw in raws if raw.depth not in (None, WHITE_16_BITS)]
        return {**DEFAULTS, "white": max(depths)} if depths else DEFAULTS

    def reread(self, raw: Arrays, agreed: Mapping[str, Any], options: Options) -> Arrays:
        """Return the pictures with the highest value of all."""
        return replace(raw, white=agreed["white"])

    def merged(self, codecs: Sequence[Codec], rows: Sequence[int]) -> ImageCodec:
        """Return the codec of all pictures: that of any place, with the conditions of all."""
        first = cast(ImageCodec, codecs[0])
        conditions = [cast(Columns, codec.condition) for codec in codecs]
        return replace(first, condition=merge_conditions(conditions, rows))


def _differences(told: Mapping[str, Told]) -> Iterator[str]:
    """Yield in what places differ from the first."""
    (first, one), *others = told.items()
    for place, own in others:
        if own.size != one.size:
            yield (
                f"{place}: pictures of {_shape(own)}, but of {_shape(one)} in {first}; read all in "
                "one size with --size"
            )
        elif np.dtype(own.dtype) != np.dtype(one.dtype):
            yield (
                f"{place}: pictures of {own.dtype}, but of {one.dtype} in {first}; save all in one "
                "type"
            )
        if set(own.labels) != set(one.labels):
            yield (
                f"{place}: labels {_listed(own)}, but {_listed(one)} in {first}; give all the same"
            )


def _shape(own: Told) -> str:
    return " x ".join(map(str, own.size))


def _listed(own: Told) -> str:
    return ", ".join(sorted(own.labels)) or "none"
