"""A condition that is a point of another codec: a picture, a vector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from torch import Tensor

from surveyor.data import Codec, State
from surveyor.data.conditions import Condition
from surveyor.kinds import kinds


@dataclass(frozen=True, eq=False)
class Point(Condition):
    """What is given: of row i a point x_i of ``codec``, kept as ``given`` beside the row itself."""

    codec: Codec
    drawable: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Return the width of a vector; 0 for a picture."""
        return 0 if self.picture else self.codec.space.width

    @property
    def picture(self) -> tuple[int, ...]:
        """Return the shape of a picture; nothing for a vector."""
        shape = self.codec.space.shape
        return shape if len(shape) == 3 else ()

    def rows(self, raw: Any) -> np.ndarray:
        """Check what is given and store it compactly."""
        return self.codec.rows(raw)["x"]

    def of(self, rows: Mapping[str, np.ndarray], index: np.ndarray) -> Tensor:
        """Return what the chosen rows are given, as points."""
        return self.codec.points({"x": rows["given"]}, index)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        meta, arrays = self.codec.state()
        return {"of": self.codec.kind, **meta}, {f"given.{k}": v for k, v in arrays.items()}

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Point:
        """Rebuild the condition, of whichever kind its codec is."""
        own = {k.removeprefix("given."): v for k, v in arrays.items() if k.startswith("given.")}
        return cls(kinds()[meta["of"]].codec.restore(meta, own))
