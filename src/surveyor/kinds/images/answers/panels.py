"""The panel of answers: a strip of examples, and how answers compare with the targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import numpy as np
from PIL.Image import Image

import surveyor.panels.drawing as draw
from surveyor.data import Codec
from surveyor.kinds.images.answers.measures import BICUBIC
from surveyor.kinds.images.answers.scaling import enlarged
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.sheets import sheet
from surveyor.kinds.point import Point
from surveyor.measures import SeenRun, imagenet
from surveyor.panels import Panel, Picture, Section, Shown, Table, Text

STRIP = 10  # held-out pictures shown with their answers
ROWS = {
    "psnr": "PSNR in dB (higher is closer)",
    "ssim": "Structural similarity (1 if equal)",
    "perceptual": "Perceptual distance (0 if equal)",
    "patch_frechet": "Fréchet distance between patches of these and of training pictures",
    "sharpness": "Sharpness: power of fine detail relative to the target pictures",
}


@dataclass(frozen=True)
class Answered(Panel):
    """Held-out examples with their answers and targets, and the figures of the answers."""

    def __call__(self, shown: Shown) -> Iterator[Section]:
        """Yield the strip and the figures."""
        codec, figures = cast(ImageCodec, shown.seen.codec), shown.evaluation.by_name
        given = " given," if shown.seen.data.holdout.rows["given"].ndim > 2 else ""
        larger = " bicubic enlargement," if codec.scale is not None else ""
        caption = (
            f"Held-out pictures, uncurated. From top to bottom:{given}{larger} answer, target."
        )
        picture = draw.png(strip(shown.seen))
        yield Section(
            "Answers",
            (Picture(picture, "held-out pictures and their answers", caption, pixels=True),),
        )
        bicubic = figures.get("psnr", BICUBIC) is not None
        rows = []
        for name, label in ROWS.items():
            if (own := figures.get(name)) is not None:
                other = figures.get(name, BICUBIC)
                more = (None if other is None else other.value,) if bicubic else ()
                rows.append((label, own.value, *more, own.floor))
        head = ("", "this run", *(["bicubic"] if bicubic else []), "target pictures")
        note = (
            "PSNR and structural similarity reward the mean of all plausible answers, which is a "
            f"blur; the other rows show what these two miss. {_perceptual()} The run was trained "
            f"on {len(shown.seen.data.train)} pairs; {len(shown.seen.data.holdout)} were held out, "
            "neither trained on nor used for any choice."
        )
        n = figures["psnr"].n
        blocks = Table(head, tuple(rows)), Text(note, note=True)
        yield Section(f"Answers to {n} held-out pictures", blocks)


def _perceptual() -> str:
    if imagenet.available():
        return f"The perceptual distance is between features of five stages of {imagenet.NAME}."
    return "pip install 'surveyor[imagenet]' adds a perceptual distance."


def preview(seen: SeenRun) -> tuple[str, Image]:
    """Return the strip of examples and its file name."""
    return "answers.png", strip(seen)


def strip(seen: SeenRun) -> Image:
    """Return held-out examples, from top to bottom: given, enlargement if any, answer, target."""
    codec, holdout = cast(ImageCodec, seen.codec), seen.data.holdout
    index = holdout.index[:STRIP]
    small, target = holdout.rows["given"][index], holdout.rows["x"][index]
    made = seen.decoded(len(index))[codec.main]
    lines, top = [small] if small.ndim > 2 else [], getattr(_given(codec), "top", 1.0)
    if codec.scale is not None:
        large = small.repeat(codec.scale, axis=1).repeat(codec.scale, axis=2)
        lines = [large, enlarged(small, codec.scale, top)]
    scaled = [(line / top * 255).astype(np.uint8) for line in lines]
    scaled += [(line / codec.top * 255).astype(np.uint8) for line in (made, target)]
    if any(line.ndim == 4 for line in scaled):
        scaled = [np.repeat(x[..., None], 3, 3) if x.ndim == 3 else x for x in scaled]
    return sheet(np.concatenate(scaled), columns=len(index), zoom=2)


def _given(codec: ImageCodec) -> Codec:
    assert isinstance(codec.condition, Point)
    return codec.condition.codec
