"""Residual blocks of convolutions without normalisation (Huang et al. 2024, R3GAN)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

ATTENTIVE = 16  # the largest side with self-attention, in pixels


class Block(nn.Module):
    """h + B(h), where B is two 3 x 3 convolutions, each after a LeakyReLU."""

    def __init__(self, wide: int, slope: float) -> None:
        super().__init__()
        self.first = nn.Conv2d(wide, wide, 3, padding=1)
        self.second = nn.Conv2d(wide, wide, 3, padding=1)
        self.slope = slope

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, h, w), the shape of h."""
        b = self.first(functional.leaky_relu(h, self.slope))
        change: Tensor = self.second(functional.leaky_relu(b, self.slope))
        return h + change


class Attention(nn.Module):
    """h + g softmax(q(h) k(h)' / sqrt d) v(h) over all positions, with g initially 0."""

    def __init__(self, wide: int) -> None:
        super().__init__()
        self.narrow = max(1, wide // 8)
        self.asked = nn.Conv2d(wide, 2 * self.narrow + wide, 1)
        self.share = nn.Parameter(torch.zeros(()))

    def forward(self, h: Tensor) -> Tensor:
        """Return (n, c, h, w), the shape of h."""
        flat = self.asked(h).flatten(2)
        q, k, v = torch.split(flat, [self.narrow, self.narrow, h.shape[1]], dim=1)
        attention = (q.transpose(1, 2) @ k / self.narrow**0.5).softmax(2)
        change: Tensor = (v @ attention.transpose(1, 2)).view_as(h)
        return h + self.share * change


def stage(wide: int, side: int, blocks: int, attention: bool, slope: float) -> nn.Module:
    """Return the blocks of one size, followed by attention if ``side`` is at most ``ATTENTIVE``."""
    made: list[nn.Module] = [Block(wide, slope) for _ in range(blocks)]
    if attention and side <= ATTENTIVE:
        made.append(Attention(wide))
    return nn.Sequential(*made)


def start_residual(net: nn.Module, slope: float) -> None:
    """Draw weights of variance 1 / fan-in, times 2 / (1 + slope^2) after an activation.

    Every block starts at the identity (Zhang et al. 2019).
    """
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.normal_(module.weight, std=module.weight[0].numel() ** -0.5)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, Block):
            module.first.weight.data.mul_((2 / (1 + slope**2)) ** 0.5)
            nn.init.zeros_(module.second.weight)
