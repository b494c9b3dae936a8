"""Pictures compared with their targets, and the distributions of their patches."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from surveyor.batch import Draws
from surveyor.measures.features import frechet
from surveyor.streams import Stream

PATCH = 8  # the largest side of a patch in pixels
PATCHES = 20_000  # patches for the Frechet distance
AT_ONCE = 64  # pictures, to bound memory


def psnr(made: Tensor, target: Tensor) -> float:
    """Return the mean over pictures of 10 log10(1 / mse), for values in [0, 1]; at most 100 dB."""
    mse = (made - target).div(2).flatten(1).square().mean(1).clamp_min(1e-10)
    return float((-10 * mse.log10()).mean())


def ssim(made: Tensor, target: Tensor, deviation: float = 1.5, side: int = 11) -> float:
    """Return the mean structural similarity (Wang et al. 2004), for values in [0, 1].

    The window is Gaussian, ``side`` pixels wide; smaller if the pictures are.
    """
    if len(made) > AT_ONCE:
        pairs = zip(torch.split(made, AT_ONCE), torch.split(target, AT_ONCE), strict=True)
        return sum(len(a) * ssim(a, b, deviation, side) for a, b in pairs) / len(made)
    a, b = (x.add(1).div(2).flatten(0, 1).unsqueeze(1) for x in (made, target))
    side = min(side, *a.shape[2:])
    line = torch.exp(-((torch.arange(side) - (side - 1) / 2) ** 2) / (2 * deviation**2))
    window = (line[:, None] * line / line.sum() ** 2)[None, None].to(a)

    def average(x: Tensor) -> Tensor:
        return functional.conv2d(x, window)

    ma, mb = average(a), average(b)
    va, vb = average(a * a) - ma * ma, average(b * b) - mb * mb
    both = average(a * b) - ma * mb
    c1, c2 = 0.01**2, 0.03**2
    like = (2 * ma * mb + c1) * (2 * both + c2) / ((ma * ma + mb * mb + c1) * (va + vb + c2))
    return float(like.mean())


def sharpness(made: Tensor, target: Tensor) -> float:
    """Return the power of the upper half of the frequencies, relative to the target pictures.

    The power is |F x|^2, summed over frequencies that reach half the highest along an axis.
    """
    high = [torch.fft.fftfreq(side).abs() for side in made.shape[2:]]
    fine = torch.maximum(high[0][:, None], high[1][None, :]) >= 0.25
    powers = []
    for x in (made, target):
        parts = (torch.fft.fft2(p.double()).abs().square() for p in torch.split(x, AT_ONCE))
        powers.append(sum(float(power[:, :, fine].sum()) for power in parts))
    return powers[0] / max(powers[1], 1e-300)


def patch_frechet(a: Tensor, b: Tensor) -> float:
    """Return the squared W2 between Gaussians fitted to patches, for values in [0, 1]."""
    draws = Draws(0, 0, Stream.PATCHES), Draws(0, 1, Stream.PATCHES)
    drawn = [patches(x, PATCHES, d).div(2).numpy() for x, d in zip((a, b), draws, strict=True)]
    return frechet(*drawn)


def patches(x: Tensor, n: int, draws: Draws) -> Tensor:
    """Return ``n`` random patches of pictures (k, c, h, w), at most 8 x 8, as (n, c * 64)."""
    high, wide = x.shape[2:]
    side = min(PATCH, high, wide)
    which = draws.index(n, len(x))
    top, left = draws.index(n, high - side + 1), draws.index(n, wide - side + 1)
    at = torch.arange(side)
    rows, columns = (top[:, None] + at)[:, :, None], (left[:, None] + at)[:, None, :]
    return x[which[:, None, None], :, rows, columns].permute(0, 3, 1, 2).flatten(1)
