"""Proven Lipschitz bounds: the product of the layers' norms, computed by SVD."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn

from surveyor.critics import ChainCritic
from surveyor.layers.activations import Absolute, Fourier, GroupSort, LeakyReLU

TOLERANCE = 1e-5  # rounding of float32 products of a few hundred terms, added to every bound

SLOPE_ONE = (nn.ReLU, nn.Tanh, nn.Flatten, nn.Identity, Absolute, GroupSort)
Weighted = nn.Linear | nn.Conv2d


def weighted(critic: nn.Module) -> Iterator[Weighted]:
    """Yield the layers with weights on the data's path, not those that act on the condition."""
    path = critic.layers if isinstance(critic, ChainCritic) else critic
    for layer in path.modules():
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            yield layer


def overlap(layer: Weighted) -> int:
    """Return the largest number of windows that contain one input pixel."""
    if isinstance(layer, nn.Linear):
        return 1
    spans = zip(layer.kernel_size, layer.stride, layer.dilation, strict=True)
    return math.prod(-(-((k - 1) * d + 1) // s) if d == 1 else k for k, s, d in spans)


def norm_bound(layer: Weighted) -> float:
    """Return an upper bound on the layer's operator norm, exact for a linear layer.

    A convolution applies the reshaped kernel K (out, in k k) to every window, and a pixel lies in
    at most ``overlap`` windows, so |conv x|^2 <= |K|^2 overlap |x|^2 (Singla and Feizi 2021 prove
    the same factor for stride 1). Groups only remove entries.
    """
    kernel = layer.weight.detach().flatten(1).double()
    return float(torch.linalg.matrix_norm(kernel, 2)) * math.sqrt(overlap(layer))


def certify(critic: nn.Module) -> float | None:
    """Return a bound on |f(x, c) - f(y, c)| / |x - y|.

    The bound is the product of the layers' norms (Szegedy et al. 2014), times 1 + ``TOLERANCE``.
    It is proven and often loose, since it ignores cancellation between layers. None if a layer's
    type is unknown or a weight is not finite.
    """
    if not all(bool(p.isfinite().all()) for p in critic.parameters()):
        return None
    if isinstance(critic, ChainCritic):
        inner = _chain(critic.layers)
        return None if inner is None else float(critic.gain) * inner * (1 + TOLERANCE)
    inner = _chain(critic)
    return None if inner is None else inner * (1 + TOLERANCE)


def _chain(module: nn.Module) -> float | None:
    if isinstance(module, nn.Sequential):
        total = 1.0
        for layer in module:
            factor = _chain(layer)
            if factor is None:
                return None
            total *= factor
        return total
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        if isinstance(module, nn.Conv2d) and module.padding_mode != "zeros":
            return None
        return norm_bound(module)
    if isinstance(module, Fourier):
        return module.bound()
    if isinstance(module, (LeakyReLU, nn.LeakyReLU)):
        slope = module.slope if isinstance(module, LeakyReLU) else module.negative_slope
        return max(1.0, abs(slope))
    return 1.0 if isinstance(module, SLOPE_ONE) else None
