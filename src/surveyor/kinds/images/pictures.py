"""Folders of pictures: scanned first, then decoded into memory or a scratch file."""

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
from surveyor.errors import InputError, notify
from surveyor.kinds.images.listing import walk_files
from surveyor.writing import unnameable

SAFE_FORMATS = (  # formats that Pillow decodes by itself; for EPS it starts an interpreter
    "AVIF", "BMP", "DIB", "GIF", "HEIF", "JPEG", "JPEG2000", "MPO", "PCX", "PNG", "PPM", "QOI",
    "SGI", "TGA", "TIFF", "WEBP",
)  # fmt: skip
MODES_16_BITS = ("I;16", "I;16B", "I;16L")
GREY_MODES = ("1", "L", "LA", "La", *MODES_16_BITS)
COLOUR_MODES = ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA", "CMYK", "YCbCr", "LAB", "HSV")
MOST_PROBLEMS = 20
WHITE_16_BITS = 2**16 - 1
LEAST_GREY_MAX = 2**14  # 16-bit grey pictures with a lower maximum use fewer bits
LEAST_COLOUR_MAX = 64  # the same of 16-bit colours, after they are cut to their upper 8 bits


@cache
def suffixes() -> tuple[str, ...]:
    """Return the suffixes of pictures that the installed Pillow can read."""
    return tuple(
        sorted(s for s, name in Image.registered_extensions().items() if name in _formats())
    )


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in SAFE_FORMATS if name in Image.OPEN)


@dataclass
class _Scan:
    """The sizes, modes and problems of pictures, found mostly without decoding them."""

    shapes: Counter[tuple[int, int]] = field(default_factory=Counter)
    first: dict[tuple[int, int], str] = field(default_factory=dict)
    coloured: bool = False
    grey16: int | None = None
    colour16: int | None = None
    broken: set[Path] = field(default_factory=set)
    problems: list[str] = field(default_factory=list)

    def add(self, picture: Image.Image, file: Path) -> None:
        """Add one picture."""
        if unfit := _unfit(picture, file):
            self.broken.add(file)
            self.problems += unfit
            return
        # Reading the EXIF orientation decodes a PNG, after which its tiles are gone.
        deep = any("16" in str(tile[3]) for tile in getattr(picture, "tile", ()))
        self.coloured = self.coloured or picture.mode not in GREY_MODES
        shape = _upright(picture)
        self.shapes[shape] += 1
        self.first.setdefault(shape, file.name)
        if picture.mode in MODES_16_BITS:
            self.grey16 = max(self.grey16 or 0, int(np.asarray(picture).max()))
        elif deep:
            self.colour16 = max(self.colour16 or 0, int(np.asarray(picture.convert("RGB")).max()))


def read_folder(path: Path, size: int | None = None, white: int | None = None) -> Arrays:
    """Read every picture below a folder; the subfolder is its ``label``.

    If one picture has colour, all become RGB; else all stay grey. Sixteen bits become eight, and
    the value ``white`` becomes 255. Transparent pixels become white, CMYK and palettes RGB, and the
    EXIF orientation is applied. With ``size`` every picture becomes size x size: its middle square,
    reduced or enlarged.

    Raises:
        InputError: no pictures, broken or animated pictures, several sizes; each is named.
    """
    files = list_pictures(path)
    if not files:
        raise InputError(f"{path}: no pictures in this folder; known: {' '.join(suffixes())}")
    scan = _scan_files(files)
    problems = scan.problems
    if len(scan.shapes) > 1 and size is None:
        shown = "; ".join(
            f"{w}x{h} ({scan.first[w, h]})" for (w, h), _ in scan.shapes.most_common(4)
        )
        least = min(min(shape) for shape in scan.shapes)
        problems.append(
            f"{path}: pictures of {len(scan.shapes)} sizes: {shown}; resize them with "
            f"--size N, such as --size {min(64, least)}"
        )
    depth = _depth(scan, str(path), white)
    width, height = (size, size) if size is not None else next(iter(scan.shapes), (0, 0))
    whole = (len(files), height, width, *((3,) if scan.coloured else ()))
    pixels = None if problems else empty(whole, np.uint8)
    for k, file in enumerate(f for f in files if f not in scan.broken):
        try:
            with _opened(file) as picture:
                picture.load()
                if pixels is not None:
                    mode = "RGB" if scan.coloured else "L"
                    pixels[k] = np.asarray(_plain(picture, mode, size, depth))
        except InputError as error:
            problems += error.problems
    if problems or pixels is None:
        raise _error(problems)
    labels = np.array([str(file.parent.relative_to(path)) for file in files])
    columns = {"label": labels} if len(set(labels)) > 1 else {}
    return Arrays(pixels, columns, "images", depth=depth)


def read_picture(file: Path, white: int | None = None) -> Arrays:
    """Read one picture as ``read_folder`` does.

    Raises:
        InputError: the picture is broken or animated.
    """
    scan = _scan_files([file])
    if scan.problems:
        raise InputError(*scan.problems)
    depth = _depth(scan, str(file), white)
    if scan.problems:
        raise InputError(*scan.problems)
    with _opened(file) as picture:
        pixels = np.asarray(_plain(picture, "RGB" if scan.coloured else "L", None, depth))
    return Arrays(pixels[None], {}, "images", depth=depth)


def list_pictures(path: Path) -> list[Path]:
    """Return the pictures below a folder, in the order in which they are read.

    Notices tell of files with other suffixes, pictures in hidden folders, and broken links.

    Raises:
        InputError: a folder cannot be listed, or its name is not UTF-8.
    """
    known, others, pictures = suffixes(), Counter[str](), []
    for file in walk_files(path):
        if file.suffix.lower() not in known:
            if not file.name.startswith("."):
                others[file.suffix.lower() or "none"] += 1
        elif file.is_file():
            pictures.append(file)
        else:
            notify(f"{file}: skipped; a broken link, or not a regular file")
    if others:
        shown = ", ".join(f"{suffix} ({count:,})" for suffix, count in others.most_common())
        notify(f"{path}: skipped files with other suffixes: {shown}; save pictures as .png")
    folders = Counter(file.parent.relative_to(path) for file in pictures)
    if problems := [line for name in folders for line in unnameable(path / name)]:
        raise _error(problems)
    for name, count in sorted(folders.items()):
        if not any(part.startswith(".") for part in name.parts):
            continue
        notify(
            f"{path}: read {count:,} picture{'s' * (count > 1)} of the hidden folder {name}, "
            f"with the label {name}; move that folder away to leave them out"
        )
    return sorted(pictures)


def several_sizes(path: Path) -> bool:
    """Return whether the readable pictures of a folder have several sizes."""
    found = set()
    for file in list_pictures(path) if path.is_dir() else []:
        with suppress(InputError), _opened(file) as picture:
            found.add(_upright(picture))
    return len(found) > 1


def read_each(path: Path, white: int | None = None) -> list[np.ndarray]:
    """Read every picture below a folder in its own size and mode, in the order of its path.

    Raises:
        InputError: broken or animated pictures; each is named.
    """
    made: list[np.ndarray] = []
    problems: list[str] = []
    for file in list_pictures(path):
        try:
            made.append(read_picture(file, white).main[0])
        except InputError as error:
            problems += error.problems
    if problems:
        raise _error(problems)
    return made


def resized(pixels: np.ndarray, size: int) -> np.ndarray:
    """Return 8-bit pictures (n, h, w[, 3]) resized to size x size."""
    made = empty((len(pixels), size, size, *pixels.shape[3:]), np.uint8)
    for k, picture in enumerate(pixels):
        made[k] = np.asarray(_square(Image.fromarray(picture), size))
    return made


def _scan_files(files: list[Path]) -> _Scan:
    scan = _Scan()
    for file in files:
        try:
            with _opened(file) as picture:
                scan.add(picture, file)
        except InputError as error:
            scan.broken.add(file)
            scan.problems += error.problems
    return scan


def _depth(scan: _Scan, where: str, white: int | None) -> int | None:
    """Return the value of white in 16-bit pictures; None if there are none."""
    if scan.colour16 is not None:
        if scan.colour16 < LEAST_COLOUR_MAX:
            scan.problems.append(
                f"{where}: 16-bit colours that leave the upper bits unused; save them with 8 bits"
            )
        notify(f"{where}: 16-bit colours are cut to their upper 8 bits")
    highest = scan.grey16
    if highest is None:
        return None
    if white is not None:
        if highest > white:
            scan.problems.append(
                f"{where}: 16-bit pictures with values up to {highest:,}, above --white {white}; "
                "raise --white"
            )
        return white
    return guessed_white(highest, where)


def guessed_white(highest: int, where: str) -> int:
    """Return the value of white in 16-bit pictures; 2^k - 1 with a notice if they use few bits."""
    if highest >= LEAST_GREY_MAX:
        return WHITE_16_BITS
    bits = max(8, highest.bit_length())
    notify(
        f"{where}: 16-bit pictures with values up to {highest:,}; white is taken as "
        f"{2**bits - 1:,} ({bits} bits), change it with --white"
    )
    return int(2**bits - 1)


def _plain(picture: Image.Image, mode: str, size: int | None, depth: int | None) -> Image.Image:
    """Return an 8-bit picture in ``mode``, upright, on white, and resized if ``size`` is given."""
    picture = ImageOps.exif_transpose(picture)
    if picture.mode in MODES_16_BITS:
        values = np.asarray(picture).astype(np.uint32) * 255 // (depth or WHITE_16_BITS)
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
    """Return the width and height of a picture after its EXIF orientation is applied."""
    turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return picture.size[::-1] if turned else picture.size


def _unfit(picture: Image.Image, file: Path) -> list[str]:
    # A camera's .jpg may contain a preview as a second frame.
    frames = getattr(picture, "n_frames", 1) if picture.format != "MPO" else 1
    if frames > 1:
        return [f"{file}: animated, {frames} frames; save one frame as a picture"]
    if picture.mode not in (*GREY_MODES, *COLOUR_MODES):
        return [f"{file}: unknown mode {picture.mode}; save it with 8 or 16 bits, grey or RGB"]
    return []


@contextmanager
def _opened(file: Path) -> Iterator[Image.Image]:
    """Open a picture; any exception of the decoder becomes an ``InputError``."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about large pictures and damaged EXIF
            with Image.open(file, formats=_formats()) as picture:
                yield picture
    except Exception as error:
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise InputError(f"{file}: broken picture ({cause}); replace or remove it") from error


def _error(problems: list[str]) -> InputError:
    left = len(problems) - MOST_PROBLEMS
    return InputError(*problems[:MOST_PROBLEMS], *([f"and {left} more"] if left > 0 else []))
