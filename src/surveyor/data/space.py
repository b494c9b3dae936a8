"""What nets must know of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor


@dataclass(frozen=True)
class Space:
    """What nets must know of the data: the shape of a point, of a condition, of raw output.

    ``unit`` is the user's distance per encoded distance (1/s for data scaled by s); ``bias``
    (raw,) is where a generator's last layer starts. ``blocks`` are the sizes of the one-hot blocks
    that raw output consists of, where it does; a point begins with the same blocks over sqrt 2.
    ``ranks`` (raw,) are the shares of rows below each code of an ordered block, NaN elsewhere.
    ``given`` is the shape of the picture that a generator answers, where the task gives it one:
    conditions are then such pictures (n, \\*cond_shape), and ``cond`` is 0.
    """

    shape: tuple[int, ...]
    cond: int
    raw: tuple[int, ...]
    unit: float = 1.0
    bias: Tensor | None = None
    blocks: tuple[int, ...] = ()
    ranks: Tensor | None = None
    cond_shape: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Return the number of entries of a point."""
        return int(np.prod(self.shape))
