"""What nets must know about the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from surveyor.data.graphs import GraphSpace


@dataclass(frozen=True, eq=False)
class NodeSpace:
    """A block of points that holds nodes: its first entry and ``size``, and the nodes' edges.

    ``edges`` (m, 2) are pairs of entries of the block, ``lengths`` (m,) their distances.
    """

    start: int
    size: int
    edges: np.ndarray
    lengths: np.ndarray


@dataclass(frozen=True)
class Space:
    """The shapes of a point and of raw output, the length of a condition, and the unit.

    ``unit`` is the user's distance per encoded distance (1/s for data scaled by s); ``bias``
    (raw,) initialises the bias of a generator's last layer. ``blocks`` are the sizes of the one-hot
    blocks of raw output, if it has any; a point begins with the same blocks over sqrt 2. ``ranks``
    (raw,) are the shares of rows below each code of an ordered block, NaN elsewhere; ``apart``
    lists, block by block, its codes that are missing or spikes, None without order. Of ``pairs``
    of blocks (first, second, seen), first < second, only some codes occur together: ``seen`` (size
    of first, size of second) is 1 for these and 0 for the others. If conditions are pictures, they
    are (n, \\*cond_shape) and ``cond`` is 0. If points are graphs, ``graph`` says which; if one
    block holds nodes of a network, ``nodes`` does.
    """

    shape: tuple[int, ...]
    cond: int
    raw: tuple[int, ...]
    unit: float = 1.0
    bias: Tensor | None = None
    blocks: tuple[int, ...] = ()
    ranks: Tensor | None = None
    cond_shape: tuple[int, ...] = ()
    apart: tuple[tuple[int, ...] | None, ...] = ()
    pairs: tuple[tuple[int, int, Tensor], ...] = ()
    graph: GraphSpace | None = None
    nodes: NodeSpace | None = None

    @property
    def width(self) -> int:
        """Return the number of entries of a point."""
        return int(np.prod(self.shape))
