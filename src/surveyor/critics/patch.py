"""A critic that scores every patch of a picture (PatchGAN, Isola et al. 2017)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from surveyor.critics import Critic
from surveyor.data import Space
from surveyor.errors import InputError
from surveyor.layers.activations import LeakyReLU
from surveyor.layers.initial import start

MOST = 16  # halvings


@dataclass(frozen=True)
class Patch(Critic):
    """Convolutions without normalisation; one score s_p for each position p of a coarse grid.

    ``halvings`` is the number of stride-2 convolutions; with 2 the receptive field is 18 pixels
    wide. The source picture is enlarged to the size of the target and concatenated with it.

    ``per`` chooses what the constraint acts on. ``image``: one function of the whole picture,
    f = sum_p s_p / sqrt P, with target |grad f| = 1; where patches do not overlap, |grad f|^2 is
    the mean of |grad s_p|^2. ``patch``: a committee of all s_p, each with its own penalty, which
    costs one backward pass per position.
    """

    width: int = 32
    halvings: int = 2
    per: Literal["image", "patch"] = "image"
    slope: float = 0.2

    def __post_init__(self) -> None:
        if self.width < 1 or not 1 <= self.halvings <= MOST:
            raise InputError(
                f"patch: width {self.width}, halvings {self.halvings}: give at least 1 of each, "
                f"and at most {MOST} halvings"
            )
        if self.per not in ("image", "patch"):
            raise InputError(f"patch: per {self.per!r}; known: image, patch")

    @property
    def takes_pictures(self) -> bool:
        """Return True: it sees the source picture as well as the target."""
        return True

    def build(self, space: Space) -> nn.Module:
        """Return the critic."""
        if not space.cond_shape:
            raise InputError("patch: judges answers to pictures; give --task translate")
        if min(space.shape[1:]) < 2**self.halvings:
            raise InputError(
                f"patch: {self.halvings} halvings of pictures of {space.shape[2]} x "
                f"{space.shape[1]}; give fewer"
            )
        return PatchCritic(self, space)


class PatchCritic(nn.Module):
    """(x (n, c, h, w), source) -> scores (n,), or (patches, n) with one score per patch."""

    gain: Tensor

    def __init__(self, net: Patch, space: Space) -> None:
        super().__init__()
        self.per = net.per
        wide, channels = net.width, space.shape[0] + space.cond_shape[0]
        layers: list[nn.Module] = []
        for _ in range(net.halvings):
            layers += [nn.Conv2d(channels, wide, 4, stride=2, padding=1), LeakyReLU(net.slope)]
            channels, wide = wide, 2 * wide
        layers += [nn.Conv2d(channels, wide, 3, padding=1), LeakyReLU(net.slope)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(wide, 1, 1))
        start([self.layers], net.slope)
        self.register_buffer("gain", torch.tensor(float(space.unit)))

    def forward(self, x: Tensor, source: Tensor) -> Tensor:
        """Return scores."""
        if source.shape[2:] != x.shape[2:]:
            source = functional.interpolate(source, size=x.shape[2:], mode="nearest")
        scores: Tensor = self.gain * self.layers(torch.cat([x, source], dim=1)).flatten(1).float()
        return scores.sum(1) / scores.shape[1] ** 0.5 if self.per == "image" else scores.T
