"""Initial weights."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn


def start(layers: Iterable[nn.Module], slope: float) -> None:
    """Draw weights of variance 1 / (n (1 + slope^2)), with n the fan-in.

    This is half the variance of He et al. (2015): a signal's mean square halves with every layer,
    so nets start somewhat flat. Biases are 0, and the last layer has variance 1 / n.
    """
    weighted = [
        m for layer in layers for m in layer.modules() if isinstance(m, (nn.Linear, nn.Conv2d))
    ]
    for layer in weighted:
        variance = 1 / layer.weight[0].numel()
        if layer is not weighted[-1]:
            variance /= 1 + slope**2
        limit = (3 * variance) ** 0.5
        nn.init.uniform_(layer.weight, -limit, limit)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
