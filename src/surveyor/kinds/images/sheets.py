"""Pictures written as sheets, folders of files, and animations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from surveyor.writing import replacing_folder

ANIMATED = (".gif", ".webp")


WIDEST = 16_384  # pixels of a sheet's width, beyond which small pictures are not enlarged


AT_ONCE = 256


FRAME, LEAST_SIDE = 80, 128  # milliseconds per frame; the least side of a frame in pixels


def write_folder(
    pictures: np.ndarray | Sequence[np.ndarray], path: Path, names: Sequence[str] = ()
) -> None:
    """Write pictures (h, w[, 3]) as ``.png`` files, numbered unless there are ``names``.

    The files are written to a temporary folder, and moved to ``path`` when all are complete.

    Raises:
        NotWritten: the disk is full or refuses the write; previous files are unchanged.
    """
    width, white = len(str(len(pictures))), max(map(white_of, pictures))
    with replacing_folder(path) as new:
        for k, picture in enumerate(_eight_bits(p, white) for p in pictures):
            file = new / (f"{names[k]}.png" if names else f"{k + 1:0{width}d}.png")
            file.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(picture).save(file)


def sheet(
    pictures: np.ndarray,
    columns: int | None = None,
    zoom: int | None = None,
    white: float | None = None,
) -> Image.Image:
    """Return pictures (n, h, w[, 3]) side by side as one picture; ``white`` is their white."""
    n, h, w = pictures.shape[:3]
    columns = columns or max(1, int(np.ceil(np.sqrt(n))))
    lines = -(-n // columns)
    zoom = zoom or max(1, min(64 // max(h, w), WIDEST // (columns * (w + 1))))
    cells = np.full((lines * columns, h + 1, w + 1, *pictures.shape[3:]), 255, dtype=np.uint8)
    cells[:n, :h, :w] = _eight_bits(pictures, white)
    cells = cells.reshape(lines, columns, *cells.shape[1:]).swapaxes(1, 2)
    whole = cells.reshape(lines * (h + 1), columns * (w + 1), *pictures.shape[3:])
    return Image.fromarray(whole).resize(
        (whole.shape[1] * zoom, whole.shape[0] * zoom), Image.Resampling.NEAREST
    )


def animate(pictures: np.ndarray, path: Path) -> None:
    """Write pictures (n, h, w[, 3]) as an animated ``.gif``, ``.webp`` or ``.png``."""
    zoom = max(1, LEAST_SIDE // max(pictures.shape[1:3]))
    frames = [_frame(p, zoom) for p in _eight_bits(pictures)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME, loop=0)


def _frame(picture: np.ndarray, zoom: int) -> Image.Image:
    size = (picture.shape[1] * zoom, picture.shape[0] * zoom)
    return Image.fromarray(picture).resize(size, Image.Resampling.NEAREST)


def _eight_bits(pictures: np.ndarray, white: float | None = None) -> np.ndarray:
    """Return pictures with values from 0 to 255."""
    scale = 255 / (white or white_of(pictures))
    made = np.empty(pictures.shape, np.uint8)
    for k in range(0, len(pictures), AT_ONCE):
        part = pictures[k : k + AT_ONCE].astype(np.float64) * scale
        made[k : k + AT_ONCE] = part.clip(0, 255).astype(np.uint8)
    return made


def white_of(pictures: np.ndarray) -> float:
    """Return the value of white: 1, 255, the highest value, or 2^k - 1 for more than 8 bits.

    Whole bits leave room for pictures that are brighter than these.
    """
    highest, kind = float(pictures.max()), pictures.dtype
    if kind.kind == "f":
        return 1.0 if highest <= 1 else highest
    if kind == np.uint8 and highest > 16:
        return 255.0
    return 2.0 ** math.ceil(math.log2(highest + 1)) - 1 if highest > 255 else max(highest, 1.0)
