"""Sizes and input checks shared by convolutional nets."""

from __future__ import annotations

import math

from surveyor.data import Space
from surveyor.errors import InputError


def levels(height: int, width: int) -> int:
    """Return the number of halvings from full size to about 4 pixels."""
    return max(1, int(math.log2(min(height, width) / 4)) if min(height, width) >= 8 else 1)


def groups(channels: int) -> int:
    """Return the number of groups for group normalisation."""
    return math.gcd(channels, 8)


def pictures(space: Space, name: str) -> None:
    """Raise InputError unless points are pictures."""
    if len(space.shape) != 3:
        raise InputError(f"{name}: only for pictures; use mlp for tables and vectors")
