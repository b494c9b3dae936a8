"""A committee of critics, each with its own view of the data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.critics import Critic
from surveyor.critics.mlp import Mlp
from surveyor.data import Space
from surveyor.errors import InputError

MOST = 1000  # members
SEES = ("projections", "columns", "patches", "bands", "channels")


@dataclass(frozen=True)
class Committee(Critic):
    """f_k(V_k x), k = 1 ... members: scores (members, n), averaged by the objective.

    V_k is linear with |V_k x| <= |x|, so the slope of f_k(V_k x) in x is at most that of f_k, and
    with slopes at most 1 each gap is a lower bound on W1 (committees of discriminators: Durugkar et
    al. 2017). Penalties apply to each member. Views: ``projections`` onto random orthogonal
    directions, half as many as x has entries; ``columns``, random halves of the entries; in both,
    two consecutive members split one basis, so that together they see every direction. For
    pictures: ``patches``, windows of half the side that cover the picture; ``bands``, differences
    of averages over 1, 2, 4, ... pixels; ``channels``, one per member.

    ``of`` is the critic used for each member. Members of nested committees count individually.
    """

    of: Critic = field(default_factory=Mlp)
    members: int = 4
    see: Literal["projections", "columns", "patches", "bands", "channels"] = "projections"

    def __post_init__(self) -> None:
        if not 1 <= self.members <= MOST or self.see not in SEES:
            raise InputError(
                f"committee: {self.members} members that see {self.see!r}; give 1 to {MOST}, and "
                f"one of {', '.join(SEES)}"
            )

    @property
    def together(self) -> int:
        """Return how many samples a member judges together."""
        return self.of.together

    def build(self, space: Space) -> nn.Module:
        """Return the committee."""
        flat = self.see in ("projections", "columns")
        if not flat and len(space.shape) != 3:
            raise InputError(
                f"committee: see={self.see} is only for pictures; use projections or columns"
            )
        views = list(_views(self, space.shape))
        try:
            members = [self.of.build(replace(space, shape=view.shape)) for view in views]
        except InputError as error:
            prefix = f"committee: see={self.see} gives {'vectors' if flat else 'pictures'}"
            raise InputError(*(f"{prefix}; {problem}" for problem in error.problems)) from error
        return CommitteeCritic(views, members)


class CommitteeCritic(nn.Module):
    """(x, cond) -> scores (members, n)."""

    def __init__(self, views: list[View], members: list[nn.Module]) -> None:
        super().__init__()
        self.views, self.members = nn.ModuleList(views), nn.ModuleList(members)

    def forward(self, x: Tensor, cond: Tensor | None = None) -> Tensor:
        """Return scores (members, n)."""
        conds = () if cond is None else (cond,)
        pairs = zip(self.views, self.members, strict=True)
        return torch.cat([member(view(x), *conds).view(-1, len(x)) for view, member in pairs])


class View(nn.Module):
    """x (n, ...) -> one member's view of it, (n, \\*shape)."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.shape = shape


class Projection(View):
    """x -> rows x, with orthonormal rows."""

    rows: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__((len(rows),))
        self.register_buffer("rows", rows)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, rows)."""
        return x.flatten(1) @ self.rows.T


class Window(View):
    """A window of a picture, or some of its channels."""

    def __init__(self, channels: slice, top: int, left: int, height: int, width: int) -> None:
        super().__init__((channels.stop - channels.start, height, width))
        self.where = (channels, slice(top, top + height), slice(left, left + width))

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, height, width)."""
        return x[:, self.where[0], self.where[1], self.where[2]]


class Band(View):
    """The difference between averages over squares of side ``fine`` and ``coarse``.

    Averages over nested squares are orthogonal projections, and so are their differences.
    With ``coarse`` 0 it is the average over ``fine`` squares.
    """

    def __init__(self, shape: tuple[int, ...], fine: int, coarse: int) -> None:
        super().__init__(shape)
        self.fine, self.coarse = fine, coarse

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, \\*shape)."""
        seen = _averaged(x, self.fine)
        return seen - _averaged(x, self.coarse) if self.coarse else seen


def _averaged(x: Tensor, side: int) -> Tensor:
    """Return pictures with every square of ``side`` pixels replaced by its mean."""
    if side == 1:
        return x
    height, width = x.shape[2:]
    small = functional.avg_pool2d(x, side, ceil_mode=True)
    large = small.repeat_interleave(side, 2).repeat_interleave(side, 3)
    return large[:, :, :height, :width]


def _halves(net: Committee, width: int) -> list[Tensor]:
    """Return rows (about width / 2, width) per member; two members split one basis."""
    found: list[Tensor] = []
    while len(found) < net.members:
        if net.see == "columns":
            basis = torch.eye(width)[torch.randperm(width)]
        else:
            basis = torch.linalg.qr(torch.randn(width, width)).Q.T.contiguous()
        found += [rows.clone() for rows in torch.split(basis, (width + 1) // 2)]
    return found[: net.members]


def _views(net: Committee, shape: tuple[int, ...]) -> list[View]:
    if net.see in ("projections", "columns"):
        return [Projection(rows) for rows in _halves(net, math.prod(shape))]
    channels, high, wide = shape
    every = slice(0, channels)
    if net.see == "channels":
        return [Window(slice(k, k + 1), 0, 0, high, wide) for k in range(channels)]
    if net.see == "bands":
        sides = [2**k for k in range(net.members)]
        return [Band(shape, a, b) for a, b in zip(sides, [*sides[1:], 0], strict=True)]
    a, b = -(-high // 2), -(-wide // 2)
    line = max(2, math.ceil(math.sqrt(net.members)))
    starts = [
        (round(i * (high - a) / (line - 1)), round(j * (wide - b) / (line - 1)))
        for i in range(line)
        for j in range(line)
    ]
    return [Window(every, top, left, a, b) for top, left in starts]
