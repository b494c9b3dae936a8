"""What nets for pictures have in common: how often they are halved, and what they refuse."""

from __future__ import annotations

import math

from surveyor.data import Space
from surveyor.errors import InputError


def levels(height: int, width: int) -> int:
    """Return how often a picture is halved on the way to about 4 pixels."""
    return max(1, int(math.log2(min(height, width) / 4)) if min(height, width) >= 8 else 1)


def groups(channels: int) -> int:
    """Return into how many groups a normalisation divides channels."""
    return math.gcd(channels, 8)


def pictures(space: Space, name: str) -> None:
    """Raise InputError where points are no pictures."""
    if len(space.shape) != 3:
        raise InputError(f"{name}: is for pictures; use mlp for tables and vectors")
