"""Small pictures made larger."""

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
    """Pictures enlarged ``scale`` times per side; the inputs are the targets reduced."""

    scale: int = 4
    defaults: ClassVar[Mapping[str, Any]] = {"generator": "upscale"}
    size_applies: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 2 <= self.scale <= 16:
            raise ValueError("scale must lie between 2 and 16")

    def read(self, source: Any, options: Options) -> Pairs:
        """Read the targets, and reduce them to inputs."""
        target = Images().read(source, options)
        return Pairs(reduced(target, self.scale), target)

    def fit(self, raw: Pairs, target: ImageCodec) -> Codec:
        """Return the codec of the targets at the size of the inputs: both share one range."""
        return replace(target, size=raw.given.main.shape[1:], main="given")
