"""A condition that is a point of another codec: a picture or a vector."""

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
    """A point of ``codec`` for each row, stored under ``given`` with the rows."""

    codec: Codec
    drawable: ClassVar[bool] = False

    @property
    def width(self) -> int:
        """Return the width of a vector; 0 for a picture."""
        return 0 if self.picture else self.codec.space.width

    @property
    def picture(self) -> tuple[int, ...]:
        """Return the shape of a picture; () for a vector."""
        shape = self.codec.space.shape
        return shape if len(shape) == 3 else ()

    def rows(self, raw: Any) -> np.ndarray:
        """Check the given points and store them compactly."""
        return self.codec.rows(raw)["x"]

    def of(self, rows: Mapping[str, np.ndarray], index: np.ndarray) -> Tensor:
        """Return the given points of the chosen rows."""
        return self.codec.points({"x": rows["given"]}, index)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        meta, arrays = self.codec.state()
        return {"of": self.codec.kind, **meta}, {f"given.{k}": v for k, v in arrays.items()}

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Point:
        """Rebuild the condition and its codec, of any kind."""
        own = {k.removeprefix("given."): v for k, v in arrays.items() if k.startswith("given.")}
        return cls(kinds()[meta["of"]].codec.restore(meta, own))
