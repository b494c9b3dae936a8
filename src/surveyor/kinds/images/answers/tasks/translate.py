"""Pictures translated into others of the same size, or drawn from vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from surveyor.data import Options
from surveyor.data.arrays import Arrays, every_array
from surveyor.errors import InputError, did_you_mean, notify
from surveyor.kinds.images.answers.tasks import Task, files_of
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.images.pictures import list_pictures

TASK = "--task=translate, "


@dataclass(frozen=True)
class Translate(Task):
    """From ``source`` to ``target``: two folders with equal file names, or two arrays."""

    source: str | None = None
    target: str | None = None
    defaults: ClassVar[Mapping[str, Any]] = {"generator": "unet"}

    def __post_init__(self) -> None:
        if not (self.source and self.target):
            raise ValueError("both source and target are needed; write translate:source=A,target=B")

    @property
    def given_name(self) -> str | None:
        """Return the name of the array or folder with the inputs."""
        return self.source

    def read(self, source: Any, options: Options) -> Pairs:
        """Read the pairs of two folders or two arrays."""
        return _read_pairs(source, self, options)


def _read_pairs(source: Any, task: Translate, options: Options) -> Pairs:
    names = {"source": task.source, "target": task.target}
    own = [f"{TASK}{flag}={name}" for flag, name in names.items() if Path(str(name)).is_absolute()]
    if own and str(source) not in ("", "."):
        raise InputError(
            f"{own[0]}: an absolute path, so {source} would not be read; give a folder inside it, "
            f"or leave {source} out"
        )
    if isinstance(source, (str, Path)) and (Path(source).is_dir() or source == ""):
        return _read_folders(
            Path(source) / str(task.source), Path(source) / str(task.target), options
        )
    where, arrays = every_array(source)
    problems = [
        f"{TASK}{flag}={name}: unknown array in {where}{did_you_mean(str(name), arrays)}"
        for flag, name in names.items()
        if name not in arrays
    ]
    if problems:
        raise InputError(*problems)
    first, second = (str(name) for name in names.values())
    if unused := [f"{k!r} {v.shape}" for k, v in arrays.items() if k not in (first, second)]:
        notify(f"{where}: not used: {', '.join(unused)}")
    given = {first: arrays[first]}
    sides = (
        files_of(arrays[first]).read(given, options),
        Images().read({second: arrays[second]}, options),
    )
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{TASK}source={task.source} has {len(sides[0]):,} rows, target={task.target} has "
            f"{len(sides[1]):,}; give the same number of both"
        )
    return _as_pairs(*sides)


def _read_folders(a: Path, b: Path, options: Options) -> Pairs:
    absent = [
        f"{TASK}{flag}={path}: no such folder"
        for flag, path in (("source", a), ("target", b))
        if not path.is_dir()
    ]
    if absent:
        raise InputError(*absent)
    keys = [
        [str(p.relative_to(path).with_suffix("")) for p in list_pictures(path)] for path in (a, b)
    ]
    problems = []
    for own, other, path, partner in ((keys[0], keys[1], a, b), (keys[1], keys[0], b, a)):
        alone = sorted(set(own) - set(other))
        if alone:
            more = f" and {len(alone) - 3} more" if len(alone) > 3 else ""
            problems.append(
                f"{path}: {', '.join(alone[:3])}{more} without a partner in {partner}; give a "
                "picture and its partner the same name, or remove it"
            )
        twice = (
            sorted({key for key in own if own.count(key) > 1}) if len(set(own)) < len(own) else []
        )
        problems += [f"{path}: two pictures named {key}; keep one" for key in twice[:3]]
    if problems:
        raise InputError(*problems)
    sides = [
        Images().read(path, options).take(np.argsort(k))
        for path, k in zip((a, b), keys, strict=True)
    ]
    return _as_pairs(*sides)


def _as_pairs(given: Arrays, target: Arrays) -> Pairs:
    shapes = [side.main.shape[1:3] for side in (given, target)]
    if given.main.ndim > 2 and shapes[0] != shapes[1]:
        sizes = ["x".join(map(str, shape[::-1])) for shape in shapes]
        raise InputError(
            f"{TASK}source has pictures of {sizes[0]}, target of {sizes[1]}; bring both to one "
            "size with --size N"
        )
    depths = [side.depth for side in (given, target) if side.depth is not None]
    if len(set(depths)) > 1:
        raise InputError(
            f"{TASK}source and target: white would be {depths[0]:,} in one and {depths[1]:,} in "
            "the other; set it for both with --white"
        )
    return Pairs(
        replace(given, columns={}, main_name="given"),
        replace(target, columns={}),
    )
