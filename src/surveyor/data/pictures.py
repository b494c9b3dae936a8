"""Folders of pictures: looked through first, then decoded into memory or a scratch file."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from surveyor.data.arrays import Arrays
from surveyor.data.scratch import empty
from surveyor.errors import InputError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp")
GREY = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L")
COLOUR = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
MOST_PROBLEMS = 20
BROKEN = (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def read_folder(path: Path, size: int | None = None) -> Arrays:
    """Read every picture below a folder; the subfolder is its ``label``.

    Grey stays grey unless one picture has colour, which makes all RGB. Sixteen bits become eight,
    transparent places white, CMYK and palettes RGB, and a camera's turn is taken into account.
    With ``size`` every picture becomes size x size: its middle square, reduced or enlarged.

    Raises:
        InputError: no pictures, broken or animated ones, several sizes; each named.
    """
    files = listed(path)
    if not files:
        raise InputError(f"{path}: no pictures in this folder; known: {' '.join(SUFFIXES)}")
    shapes: Counter[tuple[int, int]] = Counter()
    first: dict[tuple[int, int], str] = {}
    problems: list[str] = []
    coloured = False
    for file in files:
        try:
            with Image.open(file) as picture:
                problems += _unfit(picture, file)
                coloured = coloured or picture.mode not in GREY
                shape = _upright(picture)
                shapes[shape] += 1
                first.setdefault(shape, file.name)
        except BROKEN as error:
            problems.append(_broken(file, error))
    if len(shapes) > 1 and size is None:
        shown = "; ".join(f"{w}x{h} ({first[w, h]})" for (w, h), _ in shapes.most_common(4))
        least = min(min(shape) for shape in shapes)
        problems.append(
            f"{path}: pictures of {len(shapes)} sizes: {shown}; bring all to one with --size N, "
            f"such as --size {min(64, least)}"
        )
    width, height = (size, size) if size is not None else next(iter(shapes), (0, 0))
    mode = "RGB" if coloured else "L"
    whole = (len(files), height, width, *((3,) if coloured else ()))
    pixels = None if problems else empty(whole, np.uint8)
    named = {problem.partition(":")[0] for problem in problems}
    for k, file in enumerate(f for f in files if str(f) not in named):
        try:
            with Image.open(file) as picture:
                picture.load()
                if pixels is not None:
                    pixels[k] = np.asarray(_plain(picture, mode, size))
        except BROKEN as error:
            problems.append(_broken(file, error))
    if problems or pixels is None:
        raise _all(problems)
    labels = np.array([str(file.parent.relative_to(path)) for file in files])
    columns = {"label": labels} if len(set(labels)) > 1 else {}
    return Arrays(pixels, columns, "images")


def read_picture(file: Path) -> Arrays:
    """Read one picture, as those of a folder are read.

    Raises:
        InputError: broken or animated.
    """
    try:
        with Image.open(file) as picture:
            problems = _unfit(picture, file)
            picture.load()
            plain = _plain(picture, "L" if picture.mode in GREY else "RGB", None)
    except BROKEN as error:
        raise InputError(_broken(file, error)) from error
    if problems:
        raise InputError(*problems)
    return Arrays(np.asarray(plain)[None], {}, "images")


def listed(path: Path) -> list[Path]:
    """Return the pictures below a folder, in the order in which they are read."""
    return sorted(p for p in path.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())


def several_sizes(path: Path) -> bool:
    """Return whether a folder has pictures of several sizes, among those that can be opened."""
    found = set()
    for file in listed(path) if path.is_dir() else []:
        with suppress(*BROKEN), Image.open(file) as picture:
            found.add(_upright(picture))
    return len(found) > 1


def read_each(path: Path) -> list[np.ndarray]:
    """Read every picture below a folder, each of its own size and mode, in the order listed.

    Raises:
        InputError: broken or animated ones; each named.
    """
    made: list[np.ndarray] = []
    problems: list[str] = []
    for file in listed(path):
        try:
            made.append(read_picture(file).main[0])
        except InputError as error:
            problems += error.problems
    if problems:
        raise _all(problems)
    return made


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return pictures (n, h, w[, 3]) of eight bits as size x size."""
    made = empty((len(pixels), size, size, *pixels.shape[3:]), np.uint8)
    for k, picture in enumerate(pixels):
        made[k] = np.asarray(_square(Image.fromarray(picture), size))
    return made


def _plain(picture: Image.Image, mode: str, size: int | None) -> Image.Image:
    """Return a picture of eight bits in ``mode``, upright, on white, of the size asked for."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode.startswith("I;16"):
        picture = Image.fromarray((np.asarray(picture) // 257).astype(np.uint8))
    if picture.has_transparency_data:
        clear = picture.convert("RGBA")
        white = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        picture = Image.alpha_composite(white, clear)
    picture = picture.convert(mode)
    return picture if size is None else _square(picture, size)


def _square(picture: Image.Image, size: int) -> Image.Image:
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)


def _upright(picture: Image.Image) -> tuple[int, int]:
    """Return the width and height of a picture once a camera's turn is undone."""
    turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return picture.size[::-1] if turned else picture.size


def _unfit(picture: Image.Image, file: Path) -> list[str]:
    # A camera's .jpg may hold a preview as a second frame.
    frames = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1
    if frames > 1:
        return [f"{file}: animated, {frames} frames; save the one you mean as a picture"]
    if picture.mode not in (*GREY, *COLOUR):
        return [f"{file}: mode {picture.mode}; save it with 8 or 16 bits, grey or RGB"]
    return []


def _broken(file: Path, error: Exception) -> str:
    return f"{file}: broken picture ({error}); replace or remove it"


def _all(problems: list[str]) -> InputError:
    left = len(problems) - MOST_PROBLEMS
    return InputError(*problems[:MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else []))
