"""Pictures: folders (a class a subfolder), ``.npz`` and arrays; grey or RGB, of one size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from surveyor.batch import Batch, Draws
from surveyor.data import USUAL, Codec, Files, Options, Rows, Space, State
from surveyor.data.arrays import Arrays, numeric_type, rank, read_arrays
from surveyor.data.columns import Column
from surveyor.data.conditions import Conditions, columns_restore, columns_state
from surveyor.data.fits import account_of, account_state
from surveyor.data.pictures import FULL, guessed_white, read_folder, resized
from surveyor.data.vectors import column_codes, fit_columns
from surveyor.data.whiten import Whitening, fit_whitening
from surveyor.errors import InputError, tell
from surveyor.privacy import CodecAccount
from surveyor.writing import replacing_folder


@dataclass(frozen=True, eq=False)
class ImageCodec(Codec):
    """Channels first, x = 2 p / top - 1 in [-1, 1]; distances are given with p / top in [0, 1].

    With whitening x = (v - mean) W over all pixels.
    """

    size: tuple[int, ...]
    top: float
    dtype: str
    main: str
    conditions: Conditions
    whitening: Whitening | None = None
    mean: np.ndarray | None = None
    group: Column | None = None
    account: CodecAccount | None = None

    kind = "images"

    @property
    def unit_name(self) -> str:  # type: ignore[override]
        """Return the unit of distances."""
        return "whitened units" if self.whitening else "pixel values from 0 to 1, over all pixels"

    @property
    def channels(self) -> int:
        """Return 1 for grey, 3 for RGB."""
        return 1 if len(self.size) == 2 else self.size[2]

    @property
    def space(self) -> Space:
        """Return the shapes and the unit."""
        shape = (self.channels, *self.size[:2])
        return Space(shape, self.conditions.width, shape, 1.0 if self.whitening else 0.5)

    def rows(self, raw: Any) -> Rows:
        """Check pictures and keep them as they are."""
        own = raw if isinstance(raw, Arrays) else replace(read_arrays(raw), white=self.top)
        arrays = Images().read(own)
        if arrays.main.shape[1:] != self.size:
            raise InputError(
                f"pictures of {arrays.main.shape[1:]} where the run was trained on {self.size}; "
                "resize them or convert their mode"
            )
        kinds = np.dtype(self.dtype).kind, arrays.main.dtype.kind
        if (kinds[0] == "f") != (kinds[1] == "f") or float(arrays.main.max()) > self.top:
            raise InputError(
                f"pictures of {arrays.main.dtype} up to {arrays.main.max():g} where the run was "
                f"trained on {self.dtype} up to {self.top:g}; bring them to the same scale"
            )
        return {"x": arrays.main} | column_codes(arrays, self.conditions, self.group)

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return rows as points."""
        pixels = torch.from_numpy(rows["x"][index].astype(np.float32))
        x = pixels.mul_(2 / self.top).sub_(1)
        x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2).contiguous()
        if self.whitening is None or self.mean is None:
            return x
        flat = self.whitening.apply(x.flatten(1).double().numpy() - self.mean)
        return torch.from_numpy(flat.astype(np.float32)).view_as(x)

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return tanh(raw); raw itself where whitened."""
        return raw if self.whitening is not None else raw.tanh()

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return arrays by name: the pictures, in their own dtype, and their conditions."""
        x = batch.x
        if self.whitening is not None and self.mean is not None:
            flat = self.whitening.undo(x.flatten(1).double().numpy()) + self.mean
            x = torch.from_numpy(flat).view_as(x)
        pixels = x.add(1).mul(self.top / 2).clamp(0, self.top)
        pixels = pixels.squeeze(1) if len(self.size) == 2 else pixels.permute(0, 2, 3, 1)
        if np.dtype(self.dtype).kind in "biu":
            pixels = pixels.round()
        made = {self.main: pixels.numpy().astype(self.dtype)}
        return made | {n: s.to_numpy() for n, s in self.conditions.decode(codes, draws).items()}

    def delivered(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return generated points as this reads what a user gets of them: rounded as data are."""
        made = self.decode(batch, codes, draws)[self.main]
        return Batch(self.points({"x": made}, np.arange(len(made))), batch.cond)

    def state(self) -> State:
        """Return what ``restore`` needs."""
        cond, arrays = self.conditions.state()
        groups, group_arrays = columns_state([] if self.group is None else [self.group], "group")
        meta = {
            "size": list(self.size),
            "top": self.top,
            "dtype": self.dtype,
            "main": self.main,
            "conditions": cond,
            "group": groups,
            "whitened": self.whitening is not None,
            **account_state(self.account),
        }
        if self.whitening is not None and self.mean is not None:
            arrays |= {
                "whiten": self.whitening.forward,
                "unwhiten": self.whitening.backward,
                "mean": self.mean,
            }
        return meta, arrays | group_arrays

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> ImageCodec:
        """Rebuild the codec."""
        white = Whitening(arrays["whiten"], arrays["unwhiten"]) if meta["whitened"] else None
        groups = columns_restore(meta["group"], arrays, "group")
        return cls(
            tuple(meta["size"]),
            meta["top"],
            numeric_type(meta["dtype"]),
            meta["main"],
            Conditions.restore(meta["conditions"], arrays),
            white,
            arrays.get("mean"),
            groups[0] if groups else None,
            account_of(meta),
        )


DEFAULTS: Mapping[str, Any] = {
    "generator": "conv",
    "critic": "conv",
    "latent_normal": 32,
    "steps": 2500,
    "batch": 64,
    "critic_steps": 1,
    "precision": "auto",
}


class Images(Files):
    """Pictures of one size."""

    suffixes = (".npz", ".npy", ".png")

    def recognises(self, source: Any) -> bool:
        """Take folders, and arrays of three or four axes."""
        if isinstance(source, (str, Path)) and Path(source).is_dir():
            return True
        axes = rank(source)
        return axes is not None and axes > 2

    def read(self, source: Any, options: Options = USUAL) -> Arrays:
        """Read and check the pictures; with a ``size`` bring them to size x size."""
        size, white = options.size, options.white
        where = f"{source}: " if isinstance(source, (str, Path)) else ""
        folder = isinstance(source, (str, Path)) and Path(source).is_dir()
        arrays = read_folder(Path(source), size, white) if folder else read_arrays(source)
        if arrays.main.ndim == 4 and arrays.main.shape[3] == 1:
            arrays = replace(arrays, main=arrays.main[..., 0])
        shape = arrays.main.shape
        if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] != 3) or min(shape[1:3]) < 4:
            raise InputError(
                f"{where}pictures of shape {shape}: give (n, height, width) or "
                "(n, height, width, 3), at least 4 pixels a side"
            )
        if arrays.main.dtype.kind in "if" and arrays.main.min() < 0:
            raise InputError(f"{where}pictures with values below 0; give 0 to 255, or 0 to 1")
        if size is not None and arrays.main.shape[1:3] != (size, size):
            if arrays.main.dtype != np.uint8:
                raise InputError(
                    f"--size {size}: for pictures of 8 bits; these are {arrays.main.dtype}"
                )
            arrays = replace(arrays, main=resized(arrays.main, size))
        return replace(arrays, white=_white(arrays, white))

    def defaults(self, raw: Arrays, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what docs/defaults.md measured."""
        return DEFAULTS if raw.depth in (None, FULL) else {**DEFAULTS, "white": raw.depth}

    def take(self, raw: Arrays, index: np.ndarray) -> Arrays:
        """Return the chosen pictures."""
        return raw.take(index)

    def together(self, a: Arrays, b: Arrays) -> Arrays:
        """Return both sets' rows."""
        return a.joined(b)

    def fit(self, raw: Arrays, options: Options) -> ImageCodec:
        """Fit the value range, conditions and, where asked, whitening."""
        conditions, group, fits = fit_columns(raw, options)
        if raw.main.max() == 0:
            raise InputError("every picture is black; there is nothing to learn")
        top = raw.white or white_of(raw.main)
        size, dtype = raw.main.shape[1:], str(raw.main.dtype)
        plain = ImageCodec(
            size, top, dtype, raw.main_name, conditions, group=group, account=fits.account
        )
        if not options.whiten:
            return plain
        rows = plain.rows(raw)
        flat = plain.points(rows, np.arange(len(raw))).flatten(1).double().numpy()
        mean = flat.mean(0)
        white = fit_whitening(flat - mean, smallest=1e-3)
        return ImageCodec(plain.size, top, plain.dtype, plain.main, conditions, white, mean, group)

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write ``.npz``, ``.npy``, or ``.png``: one sheet of all of them."""
        main = next(iter(samples))
        if path.name.lower().endswith(".npz"):
            with path.open("wb") as file:
                np.savez(file, **samples)  # type: ignore[arg-type]
        elif path.name.lower().endswith(".npy"):
            with path.open("wb") as file:  # numpy adds a second suffix to .NPY
                np.save(file, samples[main])
        else:
            sheet(samples[main]).save(path)


def write_folder(
    pictures: np.ndarray | Sequence[np.ndarray], path: Path, names: Sequence[str] = ()
) -> None:
    """Write pictures (h, w[, 3]) as a ``.png`` each, numbered where they have no names.

    They are written beside ``path`` and moved there when all are.

    Raises:
        NotWritten: the disk is full or refuses; what stood there before is untouched.
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
    """Return pictures (n, h, w[, 3]) side by side as one picture, ``white`` their highest value."""
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


ANIMATED = (".gif", ".webp")
WIDEST = 16_384  # pixels of a sheet beyond which small pictures are not enlarged
AT_ONCE = 256
FRAME, LEAST_SIDE = 80, 128  # milliseconds a frame, pixels a side below which they are enlarged


def animate(pictures: np.ndarray, path: Path) -> None:
    """Write pictures (n, h, w[, 3]) one after the other as ``.gif``, ``.webp`` or ``.png``."""
    zoom = max(1, LEAST_SIDE // max(pictures.shape[1:3]))
    frames = [_frame(p, zoom) for p in _eight_bits(pictures)]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=FRAME, loop=0)


def _frame(picture: np.ndarray, zoom: int) -> Image.Image:
    size = (picture.shape[1] * zoom, picture.shape[0] * zoom)
    return Image.fromarray(picture).resize(size, Image.Resampling.NEAREST)


def _eight_bits(pictures: np.ndarray, white: float | None = None) -> np.ndarray:
    """Return pictures as 0 to 255."""
    scale = 255 / (white or white_of(pictures))
    made = np.empty(pictures.shape, np.uint8)
    for k in range(0, len(pictures), AT_ONCE):
        part = pictures[k : k + AT_ONCE].astype(np.float64) * scale
        made[k : k + AT_ONCE] = part.clip(0, 255).astype(np.uint8)
    return made


def _white(arrays: Arrays, said: int | None) -> float:
    """Return the white of pictures: what was said of arrays of more than 8 bits, or a guess."""
    if arrays.white is not None:
        return arrays.white
    if said is None or arrays.main.dtype == np.uint8:
        if said is not None and arrays.depth is None:
            tell("--white: for pictures of more than 8 bits; these have 8, and white is 255")
        highest = arrays.main.max()
        if arrays.main.dtype == np.uint16 and highest > 255:
            return float(guessed_white(int(highest), f"array {arrays.main_name!r}"))
        return white_of(arrays.main)
    if (highest := arrays.main.max()) > said:
        raise InputError(f"--white {said}: the pictures reach {highest:g}")
    return float(said)


def white_of(pictures: np.ndarray) -> float:
    """Return the white of pictures: 1, 255, their highest value, or 2^k - 1 for more bits than 8.

    Whole bits, because pictures to come may be brighter than those seen.
    """
    highest, kind = float(pictures.max()), pictures.dtype
    if kind.kind == "f":
        return 1.0 if highest <= 1 else highest
    if kind == np.uint8 and highest > 16:
        return 255.0
    return 2.0 ** math.ceil(math.log2(highest + 1)) - 1 if highest > 255 else max(highest, 1.0)
