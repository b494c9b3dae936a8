"""Small pictures enlarged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from surveyor.data import Codec, Options
from surveyor.kinds.images.answers.scaling import reduced
from surveyor.kinds.images.answers.tasks import Task
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs


@dataclass(frozen=True)
class SuperResolution(Task):
    """Pictures with ``scale`` times the pixels a side of those given, which are reduced ones."""

    scale: int = 4
    defaults: ClassVar[Mapping[str, Any]] = {"generator": "upscale"}
    sized: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 2 <= self.scale <= 16:
            raise ValueError("scale must lie between 2 and 16")

    def read(self, source: Any, options: Options) -> Pairs:
        """Read pictures, and reduce them."""
        wanted = Images().read(source, options)
        return Pairs(reduced(wanted, self.scale), wanted)

    def fit(self, raw: Pairs, wanted: ImageCodec) -> Codec:
        """Return the codec of the pictures wanted at the size given: one range of values."""
        return replace(wanted, size=raw.given.main.shape[1:], main="given")
