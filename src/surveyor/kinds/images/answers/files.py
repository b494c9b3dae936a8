"""Pairs: a picture or a vector is given, another picture is its answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.data import USUAL, Codec, Files, Options
from surveyor.data.arrays import Arrays, every_array
from surveyor.errors import InputError, did_you_mean, tell
from surveyor.kinds import kinds
from surveyor.kinds.images.answers.scaling import reduced
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import DEFAULTS, Images
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.images.pictures import FULL, listed, read_each, several_sizes
from surveyor.kinds.point import Point

SCALE = 4


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


class PairFiles(Files):
    """Pairs, which a task makes of pictures."""

    suffixes = (".npz", ".npy", ".png")
    outputs = ("",)
    usual = ".png"

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

    def fit(self, raw: Pairs, options: Options) -> ImageCodec:
        """Fit the two ranges of values."""
        wanted = Images().fit(raw.wanted, USUAL)
        if options.task == "super-resolution":  # both sides have one range of values
            given: Codec = replace(wanted, size=raw.given.main.shape[1:], main="given")
        else:
            given = _files_of(raw.given.main).fit(raw.given, USUAL)
        return replace(wanted, condition=Point(given))

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write pictures as ``Images`` does."""
        Images().write(samples, path)

    def write_folder(self, samples: Any, path: Path, names: Sequence[str] = ()) -> None:
        """Write pictures as ``Images`` does."""
        Images().write_folder(samples, path, names)

    def of_several_sizes(self, source: str, options: Options) -> list[np.ndarray] | None:
        """Return the pictures of a folder where their sizes differ and the task takes any."""
        resized = options.size is not None and options.scale is None
        if resized or not several_sizes(Path(source)):
            return None
        return read_each(Path(source), options.white)

    def names_in(self, source: str) -> Sequence[str]:
        """Return the names of the pictures of a folder, without suffix."""
        folder = Path(source)
        own = listed(folder) if folder.is_dir() else []
        return [str(p.relative_to(folder).with_suffix("")) for p in own]


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
    given = {first: arrays[first]}
    sides = (
        _files_of(arrays[first]).read(given, usual),
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


def _files_of(given: np.ndarray) -> Files:
    """Return how what is given is read, (n, d) as vectors and (n, h, w[, 3]) as pictures."""
    return kinds()["vectors"].files if given.ndim == 2 else Images()
