"""Figures of answers to pictures: close to those wanted, and as sharp as real ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from torch import Tensor

from surveyor.batch import Draws
from surveyor.kinds.images.answers.quality import patch_frechet, patches, psnr, sharpness, ssim
from surveyor.kinds.images.answers.scaling import enlarged
from surveyor.kinds.images.codec import ImageCodec
from surveyor.measures import Figure, Figures, Measure, Seen, imagenet
from surveyor.measures.wasserstein import w1
from surveyor.streams import Stream

PICTURES = 2000  # pictures, at most
LOOKED = 256  # of them, by the ImageNet net, which is slow
FLOORS = 3
BICUBIC = "bicubic enlargement"


@dataclass(frozen=True)
class Patches(Measure):
    """Exact W1 between patches of answers and of other held-out pictures than those answered.

    The floor is between the real patches of both halves, so that all three are independent.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``w1`` and ``w1_self``, of patches."""
        n, k = seen.rows, max(1, seen.n // 2)
        held, fake = seen.held(2 * k).x, seen.fake(2 * k).x
        real, made = patches(held[:k], n, _at(seen, 0)), patches(fake[-k:], 2 * n, _at(seen, 1))
        floors = [
            w1(patches(held[:k], n, _at(seen, 2 + j)), patches(held[-k:], n, _at(seen, 8 + j)))
            for j in range(FLOORS)
        ]
        floor, spread = seen.unit * float(np.mean(floors)), seen.unit * float(np.std(floors))
        value, own = (seen.unit * w1(a, b) for a, b in ((real, made[:n]), (made[:n], made[n:])))
        unit = seen.codec.unit_name
        yield Figure("w1", value, floor, unit, "floor", n=n, spread=spread)
        yield Figure("w1_self", own, floor, unit, "floor", n=n)


def _at(seen: Seen, step: int) -> Draws:
    return seen.draws(step, Stream.PATCHES)


@dataclass(frozen=True)
class Answers(Measure):
    """How answers compare with the pictures wanted.

    ``psnr`` 10 log10(1 / mean squared error) in dB, by picture; ``ssim`` the structural similarity
    of Wang et al. 2004; ``perceptual`` the distance of an ImageNet net, on the first 256, where it
    is installed; ``patch_frechet`` the squared W2 between Gaussians fitted to patches of 8 x 8 and
    to those of training pictures; ``sharpness`` the power of the finer half of the frequencies over
    that of the pictures wanted: below 1 is a blur. Beside them the same of bicubic enlargement,
    where answers are larger than what was given.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures of the answers, and of bicubic enlargement."""
        codec, holdout = cast(ImageCodec, seen.codec), seen.data.holdout
        n = min(PICTURES, len(holdout))
        held, train = seen.held(n).x, seen.train(min(PICTURES, len(seen.data.train))).x
        floor = patch_frechet(held, train)
        yield from compared(seen.delivered(n).x, held, train, floor)
        if codec.scale is not None:
            small = holdout.rows["given"][holdout.index[:n]]
            simple = enlarged(small, codec.scale, codec.top)
            made = codec.points({"x": simple}, np.arange(n))
            yield from compared(made, held, train, floor, BICUBIC)


def compared(
    made: Tensor, wanted: Tensor, train: Tensor, floor: float, of: str = ""
) -> Iterator[Figure]:
    """Yield the figures of pictures (n, c, h, w) in [-1, 1] beside those ``wanted``."""
    n = len(made)

    def figure(name: str, value: float, floor: float | None, unit: str, better: str) -> Figure:
        return Figure(name, value, floor, unit, better, of, "other" if of else "", n)  # type: ignore[arg-type]

    yield figure("psnr", psnr(made, wanted), None, "dB", "higher")
    yield figure("ssim", ssim(made, wanted), 1.0, "", "higher")
    if imagenet.available():
        value = imagenet.perceptual_distance(made[:LOOKED], wanted[:LOOKED])
        yield figure("perceptual", value, 0.0, imagenet.NAME, "lower")
    yield figure("patch_frechet", patch_frechet(made, train), floor, "", "floor")
    yield figure("sharpness", sharpness(made, wanted), 1.0, "", "floor")


def verdict(figures: Figures, against: str = "held-out pictures") -> str:
    """Say in words how answers compare with the wanted pictures, and with bicubic enlargement."""
    psnr, sharp, patch = (figures[name] for name in ("psnr", "sharpness", "patch_frechet"))
    if sharp.known < 0.7:
        said = "blurred"
    elif sharp.known > 1.4:
        said = "harsher than real pictures"
    else:
        said = "as sharp as real pictures" if 0.9 <= sharp.known <= 1.1 else "nearly as sharp"
    told = f"PSNR {psnr.known:.1f} dB, sharpness {sharp.known:.2f} of the real ones'"
    real = f"(real against real {patch.known_floor:.3g})"
    near = f"patches at a Frechet distance of {patch.known:.3g} {real}"
    if figures.get("psnr", BICUBIC) is not None:
        other = [figures[name, BICUBIC].known for name in ("psnr", "sharpness", "patch_frechet")]
        told += f" (bicubic {other[0]:.1f} dB, {other[1]:.2f})"
        near += f", bicubic {other[2]:.3g}"
    return f"The answers to {psnr.n:,} {against} are {said}: {told}, {near}."
