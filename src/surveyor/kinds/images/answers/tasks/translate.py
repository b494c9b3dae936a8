"""Pictures translated into others of one size, or made of vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from surveyor.data import Options
from surveyor.data.arrays import Arrays, every_array
from surveyor.errors import InputError, did_you_mean, tell
from surveyor.kinds.images.answers.tasks import Task, files_of
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.images.pictures import listed

TASK = "--task=translate, "


@dataclass(frozen=True)
class Translate(Task):
    """From ``source`` to ``target``: two folders with equal names, or two arrays of one archive."""

    source: str | None = None
    target: str | None = None
    defaults: ClassVar[Mapping[str, Any]] = {"generator": "unet"}

    def __post_init__(self) -> None:
        if not (self.source and self.target):
            raise ValueError("it goes from A to B; write translate:source=A,target=B")

    @property
    def given(self) -> str | None:
        """Return the name of the array or folder of what is to be answered."""
        return self.source

    def read(self, source: Any, options: Options) -> Pairs:
        """Read both sides, two by two."""
        return _translated(source, self, options)


def _translated(source: Any, task: Translate, options: Options) -> Pairs:
    """Return the pictures of two folders with equal names, or of two arrays."""
    names = {"source": task.source, "target": task.target}
    own = [f"{TASK}{flag}={name}" for flag, name in names.items() if Path(str(name)).is_absolute()]
    if own and str(source) not in ("", "."):
        raise InputError(f"{own[0]}: a folder of its own, beside which {source} would not be read")
    if isinstance(source, (str, Path)) and (Path(source).is_dir() or source == ""):
        return _folders(Path(source) / str(task.source), Path(source) / str(task.target), options)
    where, arrays = every_array(source)
    problems = [
        f"{TASK}{flag}={name}: no such array in {where}{did_you_mean(str(name), arrays)}"
        for flag, name in names.items()
        if name not in arrays
    ]
    if problems:
        raise InputError(*problems)
    first, second = (str(name) for name in names.values())
    if unused := [f"{k!r} {v.shape}" for k, v in arrays.items() if k not in (first, second)]:
        tell(f"{where}: not used: {', '.join(unused)}")
    given = {first: arrays[first]}
    sides = (
        files_of(arrays[first]).read(given, options),
        Images().read({second: arrays[second]}, options),
    )
    if len(sides[0]) != len(sides[1]):
        raise InputError(
            f"{TASK}source={task.source}: {len(sides[0]):,} pictures, target={task.target}: "
            f"{len(sides[1]):,}; each needs its partner"
        )
    return _fitting(*sides)


def _folders(a: Path, b: Path, options: Options) -> Pairs:
    absent = [
        f"{TASK}{flag}={path}: no such folder"
        for flag, path in (("source", a), ("target", b))
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
    sides = [
        Images().read(path, options).take(np.argsort(k))
        for path, k in zip((a, b), keys, strict=True)
    ]
    return _fitting(*sides)


def _fitting(given: Arrays, wanted: Arrays) -> Pairs:
    shapes = [side.main.shape[1:3] for side in (given, wanted)]
    if given.main.ndim > 2 and shapes[0] != shapes[1]:
        sizes = ["x".join(map(str, shape[::-1])) for shape in shapes]
        raise InputError(
            f"{TASK}source: pictures of {sizes[0]}, target: of {sizes[1]}; bring both to one with "
            "--size"
        )
    depths = [side.depth for side in (given, wanted) if side.depth is not None]
    if len(set(depths)) > 1:
        raise InputError(
            f"{TASK}source and target: white would be {depths[0]:,} in one and {depths[1]:,} in "
            "the other; say with --white what it is"
        )
    return Pairs(
        replace(given, columns={}, main_name="given"),
        replace(wanted, columns={}),
    )
