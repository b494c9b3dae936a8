"""Pairs: a picture or a vector is given, another picture is its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from surveyor.batch import Batch, Draws
from surveyor.data import USUAL, Codec, Files, Options, Rows, Space, State
from surveyor.data.arrays import Arrays, every_array
from surveyor.data.conditions import Conditions
from surveyor.data.images import DEFAULTS, ImageCodec, Images
from surveyor.data.pictures import FULL, listed, read_picture, suffixes
from surveyor.data.vectors import VectorCodec, Vectors
from surveyor.errors import InputError, did_you_mean, tell

SCALE = 4
BEYOND = 0.1
AT_ONCE = 1024


@dataclass(frozen=True, eq=False)
class Pairs:
    """What is given, pictures or vectors, and the pictures wanted, n of each."""

    given: Arrays
    wanted: Arrays

    def __len__(self) -> int:
        return len(self.wanted)

    def take(self, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return Pairs(self.given.take(index), self.wanted.take(index))


@dataclass(frozen=True, eq=False)
class PairCodec(Codec):
    """Two codecs; what is given is the condition, (n, channels, height, width) or (n, k)."""

    given: ImageCodec | VectorCodec
    wanted: ImageCodec
    scale: int | None = None
    conditions: Conditions = field(default_factory=Conditions)

    kind = "pairs"
    answers = True
    unit_name = "pixel values from 0 to 1, over all pixels"

    @property
    def main(self) -> str:
        """Return the name of the wanted pictures."""
        return self.wanted.main

    @property
    def space(self) -> Space:
        """Return the shapes and the unit."""
        told = self.given.space
        if isinstance(self.given, VectorCodec):
            return replace(self.wanted.space, cond=told.width)
        return replace(self.wanted.space, given=told.shape)

    def rows(self, raw: Any) -> Rows:
        """Check pairs and keep them as they are."""
        if not isinstance(raw, Pairs):
            raise InputError("the run answers what it is given: give pairs, as it was trained on")
        own = self.given.rows(raw.given), self.wanted.rows(raw.wanted)
        return {"given": own[0]["x"], "x": own[1]["x"], "cond": own[1]["cond"]}

    def points(self, rows: Rows, index: np.ndarray) -> Tensor:
        """Return the wanted pictures."""
        return self.wanted.points(rows, index)

    def batch(self, rows: Rows, index: np.ndarray) -> Batch:
        """Return wanted pictures under the given ones."""
        return Batch(self.points(rows, index), self.given.points({"x": rows["given"]}, index))

    def head(self, raw: Tensor, draws: Draws) -> Tensor:
        """Return raw within [-1, 1], and a tenth of what lies beyond.

        An answer starts from the picture given, whose white is at the edge: tanh would pass hardly
        any gradient there, and without a bound the game drives values out of range.
        """
        inside = raw.clamp(-1, 1)
        return inside + BEYOND * (raw - inside)

    def decode(self, batch: Batch, codes: np.ndarray, draws: Draws) -> dict[str, np.ndarray]:
        """Return the wanted pictures, by name."""
        return self.wanted.decode(batch, codes, draws)

    def delivered(self, batch: Batch, codes: np.ndarray, draws: Draws) -> Batch:
        """Return answers as a user gets them: within range, and rounded like the data."""
        return self.wanted.delivered(batch, codes, draws)

    def asked(self, source: Any, name: str | None = None, options: Options = USUAL) -> Tensor:
        """Return pictures or vectors to be answered as conditions; pictures may have any size.

        ``options`` say how pictures are read: their ``size`` and ``white``.

        Raises:
            InputError: other data, or pictures of another range or mode than those trained on.
        """
        source = _of_archive(source, (name, self.given.main))
        if isinstance(self.given, VectorCodec):
            vectors = Vectors().read(source)
            return self.given.points(self.given.rows(vectors), np.arange(len(vectors)))
        arrays = _pictures(source, options)
        if self.given.channels == 3 and arrays.main.ndim == 3:
            main = np.repeat(arrays.main[..., None], 3, axis=3)
            arrays = Arrays(main, {}, arrays.main_name)
        any_size = replace(self.given, size=arrays.main.shape[1:])
        if any_size.channels != self.given.channels:
            raise InputError(
                "pictures in colour where the run was trained on grey ones; convert them to grey"
            )
        return any_size.points(any_size.rows(arrays), np.arange(len(arrays)))

    def state(self) -> State:
        """Return what ``restore`` needs."""
        metas: dict[str, Any] = {}
        arrays: dict[str, np.ndarray] = {}
        for name, codec in (("given", self.given), ("wanted", self.wanted)):
            metas[name], own = codec.state()
            arrays |= {f"{name}.{k}": v for k, v in own.items()}
        return {"scale": self.scale, "of": self.given.kind, **metas}, arrays

    @classmethod
    def restore(cls, meta: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> PairCodec:
        """Rebuild the codec."""
        own = [
            {k.removeprefix(f"{name}."): v for k, v in arrays.items() if k.startswith(f"{name}.")}
            for name in ("given", "wanted")
        ]
        kind = VectorCodec if meta["of"] == VectorCodec.kind else ImageCodec
        given = kind.restore(meta["given"], own[0])
        return cls(given, ImageCodec.restore(meta["wanted"], own[1]), meta["scale"])


COMMON: Mapping[str, Any] = {
    "critic": "patch",
    "latent_normal": 8,
    "batch": 32,
    "critic_steps": 1,
    "precision": "auto",
    "warm_start": 0.1,
    "generator_rate": 2e-3,
    "content": 300.0,
    "steps": 2500,
}
OWN: Mapping[str, Mapping[str, Any]] = {
    "super-resolution": {"generator": "upscale", "scale": SCALE},
    "translate": {"generator": "unet"},
}


class PairKind(Files):
    """Pairs, which a task makes of pictures."""

    suffixes = (".npz", ".npy", ".png")

    def recognises(self, source: Any) -> bool:
        """Take pairs alone: whether pictures are to be paired is said by the task."""
        return isinstance(source, Pairs)

    def read(self, source: Any, options: Options = USUAL) -> Pairs:
        """Read the pictures of a task, two by two."""
        if isinstance(source, Pairs):
            return source
        problems = [
            f"--{name.replace('_', '-')}: not with --task {options.task}"
            for name in ("condition", "group", "drop", "whiten")
            if getattr(options, name)
        ]
        if problems:
            raise InputError(*problems)
        if options.task == "translate":
            return _translated(source, options)
        wanted = Images().read(source, replace(options, task="generate"))
        return Pairs(reduced(wanted, options.scale or SCALE), wanted)

    def defaults(self, raw: Pairs, said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what docs/defaults.md measured."""
        if raw.given.main.ndim == 2:
            return DEFAULTS
        found = {**COMMON, **OWN[said.get("task", "translate")]}
        depth = raw.wanted.depth or raw.given.depth
        return found if depth in (None, FULL) else {**found, "white": depth}

    def take(self, raw: Pairs, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return raw.take(index)

    def together(self, a: Pairs, b: Pairs) -> Pairs:
        """Return both sets' pairs."""
        return Pairs(a.given.joined(b.given), a.wanted.joined(b.wanted))

    def fit(self, raw: Pairs, options: Options) -> PairCodec:
        """Fit the two ranges of values."""
        wanted = Images().fit(raw.wanted, USUAL)
        if options.task == "super-resolution":  # both sides have one range of values
            given = replace(wanted, size=raw.given.main.shape[1:], main="given")
            return PairCodec(given, wanted, options.scale or SCALE)
        kind = Vectors() if raw.given.main.ndim == 2 else Images()
        return PairCodec(kind.fit(raw.given, USUAL), wanted)

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write pictures as ``Images`` does."""
        Images().write(samples, path)


def _of_archive(source: Any, names: Sequence[str | None]) -> Any:
    """Return the first array of ``names`` that a mapping or an ``.npz`` holds, else the source."""
    archive = isinstance(source, (str, Path)) and str(source).lower().endswith(".npz")
    if isinstance(source, (str, Path)) and not Path(source).exists():
        raise InputError(f"{source}: no such file")
    if archive or isinstance(source, Mapping):
        _, arrays = every_array(source)
        return next((arrays[name] for name in names if name in arrays), source)
    return source


def _pictures(source: Any, options: Options) -> Arrays:
    """Return pictures to be answered, of one file or many."""
    if isinstance(source, (str, Path)) and Path(source).suffix.lower() in suffixes():
        return read_picture(Path(source), options.white)
    try:
        return Images().read(source, options)
    except InputError as error:
        several = "; bring all to one"
        remedy = "; answer those of a size at a time, or all into a folder with -o FOLDER"
        raise InputError(
            *(p.partition(several)[0] + remedy if several in p else p for p in error.problems)
        ) from error


def reduced(arrays: Arrays, scale: int) -> Arrays:
    """Return pictures with one pixel for every ``scale`` x ``scale``, bicubic with antialiasing.

    Raises:
        InputError: a scale that does not divide the size, or leaves fewer than 4 pixels.
    """
    height, width = arrays.main.shape[1:3]
    if height % scale or width % scale:
        raise InputError(
            f"--scale {scale}: does not divide pictures of {width} x {height}; "
            + (
                f"give --size {max(4, min(height, width) // scale) * scale}, or another scale"
                if arrays.main.dtype == np.uint8
                else "cut them, or give another scale"
            )
        )
    if min(height, width) // scale < 4:
        raise InputError(
            f"--scale {scale}: leaves {width // scale} x {height // scale} pixels of "
            f"{width} x {height}; give larger pictures or a smaller scale"
        )
    top = arrays.white or float(arrays.main.max())
    parts = [
        _scaled(arrays.main[k : k + AT_ONCE], 1 / scale, top)
        for k in range(0, len(arrays.main), AT_ONCE)
    ]
    return replace(arrays, main=np.concatenate(parts), columns={}, main_name="given")


def enlarged(pictures: np.ndarray, scale: int, top: float) -> np.ndarray:
    """Return pictures (n, h, w[, 3]) bicubically enlarged."""
    return _scaled(pictures, float(scale), top)


def _scaled(pictures: np.ndarray, factor: float, top: float) -> np.ndarray:
    x = torch.from_numpy(pictures.astype(np.float32))
    x = x.unsqueeze(1) if x.ndim == 3 else x.permute(0, 3, 1, 2)
    size = [round(side * factor) for side in x.shape[2:]]
    y = functional.interpolate(x, size=size, mode="bicubic", antialias=factor < 1).clamp(0, top)
    y = y.squeeze(1) if pictures.ndim == 3 else y.permute(0, 2, 3, 1)
    y = y.round() if pictures.dtype.kind in "biu" else y
    made: np.ndarray = y.numpy().astype(pictures.dtype)
    made[made > top] = top  # float32 may have rounded the end of the range up
    return made


def _translated(source: Any, options: Options) -> Pairs:
    """Return the pictures of two folders with equal names, or of two arrays."""
    names = {"--from": options.from_, "--to": options.to}
    problems = [
        f"{flag}: not given; --task translate goes from A to B"
        for flag, name in names.items()
        if not name
    ]
    if problems:
        raise InputError(*problems)
    own = [f"{flag} {name}" for flag, name in names.items() if Path(str(name)).is_absolute()]
    if own and str(source) not in ("", "."):
        raise InputError(f"{own[0]}: a folder of its own, beside which {source} would not be read")
    if isinstance(source, (str, Path)) and (Path(source).is_dir() or source == ""):
        return _folders(Path(source) / str(options.from_), Path(source) / str(options.to), options)
    where, arrays = every_array(source)
    problems = [
        f"{flag} {name}: no such array in {where}{did_you_mean(str(name), arrays)}"
        for flag, name in names.items()
        if name not in arrays
    ]
    if problems:
        raise InputError(*problems)
    usual = replace(options, task="generate")
    first, second = (str(name) for name in names.values())
    if unused := [f"{k!r} {v.shape}" for k, v in arrays.items() if k not in (first, second)]:
        tell(f"{where}: not used: {', '.join(unused)}")
    vectors = arrays[first].ndim == 2
    given = {first: arrays[first]}
    sides = (
        Vectors().read(given) if vectors else Images().read(given, usual),
        Images().read({second: arrays[second]}, usual),
    )
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"--from {options.from_}: {len(sides[0]):,} pictures, --to {options.to}: "
            f"{len(sides[1]):,}; each needs its partner"
        )
    return _fitting(*sides)


def _folders(a: Path, b: Path, options: Options) -> Pairs:
    absent = [
        f"{flag} {path}: no such folder"
        for flag, path in (("--from", a), ("--to", b))
        if not path.is_dir()
    ]
    if absent:
        raise InputError(*absent)
    keys = [[str(p.relative_to(path).with_suffix("")) for p in listed(path)] for path in (a, b)]
    problems = []
    for own, other, path, partner in ((keys[0], keys[1], a, b), (keys[1], keys[0], b, a)):
        alone = sorted(set(own) - set(other))
        if alone:
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            problems.append(
                f"{path}: {', '.join(alone[:3])}{more} without a partner in {partner}; a picture "
                "and its partner have the same name"
            )
        twice = (
            sorted({key for key in own if own.count(key) > 1}) if len(set(own)) < len(own) else []
        )
        problems += [f"{path}: two pictures named {key}; keep one" for key in twice[:3]]
    if problems:
        raise InputError(*problems)
    usual = replace(options, task="generate")
    sides = [
        Images().read(path, usual).take(np.argsort(k)) for path, k in zip((a, b), keys, strict=True)
    ]
    return _fitting(*sides)


def _fitting(given: Arrays, wanted: Arrays) -> Pairs:
    shapes = [side.main.shape[1:3] for side in (given, wanted)]
    if given.main.ndim > 2 and shapes[0] != shapes[1]:
        sizes = ["x".join(map(str, shape[::-1])) for shape in shapes]
        raise InputError(
            f"--from: pictures of {sizes[0]}, --to: of {sizes[1]}; bring both to one with --size N"
        )
    depths = [side.depth for side in (given, wanted) if side.depth is not None]
    if len(set(depths)) > 1:
        raise InputError(
            f"--from and --to: white would be {depths[0]:,} in one and {depths[1]:,} in the other; "
            "say with --white what it is"
        )
    return Pairs(
        replace(given, columns={}, main_name="given"),
        replace(wanted, columns={}),
    )
