"""Folders of pictures: looked through first, then decoded into memory or a scratch file."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from surveyor.data.arrays import Arrays
from surveyor.data.scratch import empty
from surveyor.errors import InputError, tell
from surveyor.kinds.images.listing import walked
from surveyor.writing import unnameable

SAFE = (  # that Pillow decodes by itself; EPS starts an interpreter, and no other is usual
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI",
    "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
SIXTEEN = ("I;16", "I;16B", "I;16L")
GREY = ("1", "L", "LA", "La", *SIXTEEN)
COLOUR = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
MOST_PROBLEMS = 20
FULL = 2**16 - 1
USED = 2**14  # what pictures of 16 bits reach where all of these are used
LOWER = 64  # of 256: what colours of 16 bits, cut to 8, reach where the upper ones are used


@cache
def suffixes() -> tuple[str, ...]:
    """Return the endings of pictures that the Pillow installed here can read."""
    return tuple(
        sorted(s for s, name in Image.registered_extensions().items() if name in _formats())
    )


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in SAFE if name in Image.OPEN)


@dataclass
class _Seen:
    """What pictures are like, before any is decoded that need not be."""

    shapes: Counter[tuple[int, int]] = field(default_factory=Counter)
    first: dict[tuple[int, int], str] = field(default_factory=dict)
    coloured: bool = False
    grey16: int | None = None
    colour16: int | None = None
    broken: set[Path] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def look(self, picture: Image.Image, file: Path) -> None:
        """Add one picture."""
        if unfit := _unfit(picture, file):
            self.broken.add(file)
            self.problems += unfit
            return
        # Looking for a camera's turn decodes a PNG, after which its tiles are gone.
        deep = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
        self.coloured = self.coloured or picture.mode not in GREY
        shape = _upright(picture)
        self.shapes[shape] += 1
        self.first.setdefault(shape, file.name)
        if picture.mode in SIXTEEN:
            self.grey16 = max(self.grey16 or 0, int(np.asarray(picture).max()))
        elif deep:
            self.colour16 = max(self.colour16 or 0, int(np.asarray(picture.convert("RGB")).max()))


def read_folder(path: Path, size: int | None = None, white: int | None = None) -> Arrays:
    """Read every picture below a folder; the subfolder is its ``label``.

    Grey stays grey unless one picture has colour, which makes all RGB. Sixteen bits become eight,
    of which ``white`` is the value that becomes 255; transparent places become white, CMYK and
    palettes RGB, and a camera's turn is taken into account. With ``size`` every picture becomes
    size x size: its middle square, reduced or enlarged.

    Raises:
        InputError: no pictures, broken or animated ones, several sizes; each named.
    """
    files = listed(path)
    if not files:
        raise InputError(f"{path}: no pictures in this folder; known: {' '.join(suffixes())}")
    seen = _looked_through(files)
    problems = seen.problems
    if len(seen.shapes) > 1 and size is None:
        shown = "; ".join(
            f"{w}x{h} ({seen.first[w, h]})" for (w, h), _ in seen.shapes.most_common(4)
        )
        least = min(min(shape) for shape in seen.shapes)
        problems.append(
            f"{path}: pictures of {len(seen.shapes)} sizes: {shown}; bring all to one with "
            f"--size N, such as --size {min(64, least)}"
        )
    depth = _depth(seen, str(path), white)
    width, height = (size, size) if size is not None else next(iter(seen.shapes), (0, 0))
    whole = (len(files), height, width, *((3,) if seen.coloured else ()))
    pixels = None if problems else empty(whole, np.uint8)
    for k, file in enumerate(f for f in files if f not in seen.broken):
        try:
            with _opened(file) as picture:
                picture.load()
                if pixels is not None:
                    mode = "RGB" if seen.coloured else "L"
                    pixels[k] = np.asarray(_plain(picture, mode, size, depth))
        except InputError as error:
            problems += error.problems
    if problems or pixels is None:
        raise _all(problems)
    labels = np.array([str(file.parent.relative_to(path)) for file in files])
    columns = {"label": labels} if len(set(labels)) > 1 else {}
    return Arrays(pixels, columns, "images", depth=depth)


def read_picture(file: Path, white: int | None = None) -> Arrays:
    """Read one picture, as those of a folder are read.

    Raises:
        InputError: broken or animated.
    """
    seen = _looked_through([file])
    if seen.problems:
        raise InputError(*seen.problems)
    depth = _depth(seen, str(file), white)
    if seen.problems:
        raise InputError(*seen.problems)
    with _opened(file) as picture:
        pixels = np.asarray(_plain(picture, "RGB" if seen.coloured else "L", None, depth))
    return Arrays(pixels[None], {}, "images", depth=depth)


def listed(path: Path) -> list[Path]:
    """Return the pictures below a folder, in the order in which they are read.

    What else is there is told: files of other suffixes, pictures in hidden folders, links that
    lead nowhere.

    Raises:
        InputError: a folder that cannot be looked into.
    """
    known, others, pictures = suffixes(), Counter[str](), []
    for file in walked(path):
        if file.suffix.lower() not in known:
            if not file.name.startswith("."):
                others[file.suffix.lower() or "none"] += 1
        elif file.is_file():
            pictures.append(file)
        else:
            tell(f"{file}: not read; a link to nothing, or no regular file")
    if others:
        shown = ", ".join(f"{suffix} ({count:,})" for suffix, count in others.most_common())
        tell(f"{path}: files with other suffixes are not read: {shown}; save pictures as .png")
    folders = Counter(file.parent.relative_to(path) for file in pictures)
    if problems := [line for name in folders for line in unnameable(path / name)]:
        raise _all(problems)
    for name, count in sorted(folders.items()):
        if not any(part.startswith(".") for part in name.parts):
            continue
        tell(
            f"{path}: {count:,} picture{'s' * (count > 1)} of the hidden folder {name} are read, "
            f"with the label {name}; move them away if they are not meant"
        )
    return sorted(pictures)


def several_sizes(path: Path) -> bool:
    """Return whether a folder has pictures of several sizes, among those that can be opened."""
    found = set()
    for file in listed(path) if path.is_dir() else []:
        with suppress(InputError), _opened(file) as picture:
            found.add(_upright(picture))
    return len(found) > 1


def read_each(path: Path, white: int | None = None) -> list[np.ndarray]:
    """Read every picture below a folder, each of its own size and mode, in the order listed.

    Raises:
        InputError: broken or animated ones; each named.
    """
    made: list[np.ndarray] = []
    problems: list[str] = []
    for file in listed(path):
        try:
            made.append(read_picture(file, white).main[0])
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


def _looked_through(files: list[Path]) -> _Seen:
    seen = _Seen()
    for file in files:
        try:
            with _opened(file) as picture:
                seen.look(picture, file)
        except InputError as error:
            seen.broken.add(file)
            seen.problems += error.problems
    return seen


def _depth(seen: _Seen, where: str, white: int | None) -> int | None:
    """Return the value of white in pictures of sixteen bits, None where there are none.

    Fewer bits that stand in sixteen are told.
    """
    if seen.colour16 is not None:
        if seen.colour16 < LOWER:
            seen.problems.append(
                f"{where}: colours of 16 bits of which the upper ones are not used; save 8 bits"
            )
        tell(f"{where}: of colours of 16 bits the upper 8 are read")
    highest = seen.grey16
    if highest is None:
        return None
    if white is not None:
        if highest > white:
            seen.problems.append(f"{where}: pictures of 16 bits reach {highest:,}, above --white")
        return white
    return guessed_white(highest, where)


def guessed_white(highest: int, where: str) -> int:
    """Return the white of pictures of sixteen bits, all of them or so many as ``highest`` needs."""
    if highest >= USED:
        return FULL
    bits = max(8, highest.bit_length())
    tell(
        f"{where}: pictures of 16 bits reach {highest:,}: white is taken as {2**bits - 1:,} "
        f"({bits} bits); --white says otherwise"
    )
    return int(2**bits - 1)


def _plain(picture: Image.Image, mode: str, size: int | None, depth: int | None) -> Image.Image:
    """Return a picture of eight bits in ``mode``, upright, on white, of the size asked for."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in SIXTEEN:
        values = np.asarray(picture).astype(np.uint32) * 255 // (depth or FULL)
        picture = Image.fromarray(values.astype(np.uint8))
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


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open a picture; whatever a stranger's bytes make the decoder raise is one refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large pictures, and of damaged EXIF
            with Image.open(file, formats=_formats()) as picture:
                yield picture
    except Exception as error:
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{file}: broken picture ({cause}); replace or remove it") from error


def _all(problems: list[str]) -> InputError:
    left = len(problems) - MOST_PROBLEMS
    return InputError(*problems[:MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else []))
