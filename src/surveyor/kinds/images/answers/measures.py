"""Figures of answers: how close they are to the target pictures, and how sharp."""

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

PICTURES = 2000  # the most pictures to measure
PERCEPTUAL = 256  # the most of them for the ImageNet net, which is slow
FLOORS = 3
BICUBIC = "bicubic enlargement"


@dataclass(frozen=True)
class Patches(Measure):
    """Exact W1 between patches of answers and of real pictures.

    The held-out pictures are halved: the second half is answered, the first gives the real
    patches. The floor is W1 between real patches of both halves.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield ``w1`` and ``w1_self`` of patches."""
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
    """How answers compare with the target pictures.

    ``psnr`` is the mean over pictures of 10 log10(1 / mean squared error) in dB; ``ssim`` the
    structural similarity of Wang et al. 2004; ``perceptual`` the distance between features of an
    ImageNet net, if it is installed; ``patch_frechet`` the squared W2 between Gaussians fitted to
    8 x 8 patches of answers and of training pictures; ``sharpness`` the power of the upper half of
    the frequencies relative to the target pictures, below 1 for a blur. If answers are larger than
    the pictures given, the same figures follow for bicubic enlargement.
    """

    def __call__(self, seen: Seen) -> Iterator[Figure]:
        """Yield the figures of the answers and of bicubic enlargement."""
        codec, holdout = cast(ImageCodec, seen.codec), seen.data.holdout
        n = min(PICTURES, len(holdout))
        held, train = seen.held(n).x, seen.train(min(PICTURES, len(seen.data.train))).x
        floor = patch_frechet(held, train)
        yield from answer_figures(seen.delivered(n).x, held, train, floor)
        if codec.scale is not None:
            small = holdout.rows["given"][holdout.index[:n]]
            simple = enlarged(small, codec.scale, codec.top)
            made = codec.points({"x": simple}, np.arange(n))
            yield from answer_figures(made, held, train, floor, BICUBIC)


def answer_figures(
    made: Tensor, target: Tensor, train: Tensor, floor: float, of: str = ""
) -> Iterator[Figure]:
    """Yield the figures of pictures (n, c, h, w) in [-1, 1] compared with their ``target``."""
    n = len(made)

    def figure(name: str, value: float, floor: float | None, unit: str, better: str) -> Figure:
        return Figure(name, value, floor, unit, better, of, "other" if of else "", n)  # type: ignore[arg-type]

    yield figure("psnr", psnr(made, target), None, "dB", "higher")
    yield figure("ssim", ssim(made, target), 1.0, "", "higher")
    if imagenet.available():
        value = imagenet.perceptual_distance(made[:PERCEPTUAL], target[:PERCEPTUAL])
        yield figure("perceptual", value, 0.0, imagenet.NAME, "lower")
    yield figure("patch_frechet", patch_frechet(made, train), floor, "", "floor")
    yield figure("sharpness", sharpness(made, target), 1.0, "", "floor")


def verdict(figures: Figures, inputs: str = "held-out pictures") -> str:
    """Return how answers to ``inputs`` compare with the target pictures and bicubic enlargement."""
    psnr, sharp, patch = (figures[name] for name in ("psnr", "sharpness", "patch_frechet"))
    if sharp.known < 0.7:
        quality = "blurred"
    elif sharp.known > 1.4:
        quality = "harsher than real pictures"
    elif 0.9 <= sharp.known <= 1.1:
        quality = "as sharp as real pictures"
    else:
        quality = "nearly as sharp as real pictures"
    close = f"PSNR {psnr.known:.1f} dB, sharpness {sharp.known:.2f} of that of real pictures"
    floor = f"(real against real {patch.known_floor:.3g})"
    near = f"patches at a Frechet distance of {patch.known:.3g} {floor}"
    if figures.get("psnr", BICUBIC) is not None:
        other = [figures[name, BICUBIC].known for name in ("psnr", "sharpness", "patch_frechet")]
        close += f" (bicubic {other[0]:.1f} dB, {other[1]:.2f})"
        near += f", bicubic {other[2]:.3g}"
    return f"The answers to {psnr.n:,} {inputs} are {quality}: {close}, {near}."
