"""Files of pairs: a picture or vector is given, and another picture is the target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from surveyor.catalog import name_of
from surveyor.data import DEFAULT_OPTIONS, Files, Options
from surveyor.errors import InputError
from surveyor.kinds.images.answers.tasks import Task, fit_given, tasks
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import DEFAULTS, Images
from surveyor.kinds.images.pairs import Pairs
from surveyor.kinds.images.pictures import WHITE_16_BITS, list_pictures, read_each, several_sizes
from surveyor.kinds.point import Point

PAIR_DEFAULTS: Mapping[str, Any] = {
    "critic": "patch",
    "latent": "gaussian:dimensions=8",
    "batch": 32,
    "critic_steps": 1,
    "precision": "auto",
    "warm_start": 0.1,
    "generator_rate": 2e-3,
    "term": ("reconstruction:weight=300",),
    "steps": 2500,
}


class PairFiles(Files):
    """Pairs, which a task makes from pictures."""

    suffixes = (".npz", ".npy", ".png")
    outputs = ("",)
    usual = ".png"

    def recognises(self, source: Any) -> bool:
        """Return whether ``source`` is pairs; pictures become pairs only by a task."""
        return isinstance(source, Pairs)

    def read(self, source: Any, options: Options = DEFAULT_OPTIONS) -> Pairs:
        """Read the pairs of a task."""
        if isinstance(source, Pairs):
            return source
        task = _task(options)
        problems = [
            f"--{name}: not with --task={name_of(task)}; leave one of them out"
            for name in ("condition", "group", "drop", "whiten")
            if getattr(options, name)
        ]
        if problems:
            raise InputError(*problems)
        return task.read(source, replace(options, task=None))

    def defaults(self, raw: Pairs, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the defaults measured in docs/defaults.md."""
        if raw.given.main.ndim == 2:
            return DEFAULTS
        named = str(given.get("task") or "translate").partition(":")[0]
        found = {**PAIR_DEFAULTS, **tasks()[named].defaults}
        depth = raw.target.depth or raw.given.depth
        return found if depth in (None, WHITE_16_BITS) else {**found, "white": depth}

    def take(self, raw: Pairs, index: np.ndarray) -> Pairs:
        """Return the chosen pairs."""
        return raw.take(index)

    def concatenate(self, a: Pairs, b: Pairs) -> Pairs:
        """Return the pairs of both sets."""
        return Pairs(a.given.joined(b.given), a.target.joined(b.target))

    def fit(self, raw: Pairs, options: Options) -> ImageCodec:
        """Fit the codec of the target pictures, and that of the points given."""
        target = Images().fit(raw.target, DEFAULT_OPTIONS)
        task = options.task
        given = task.fit(raw, target) if isinstance(task, Task) else fit_given(raw.given)
        return replace(target, condition=Point(given))

    def write(self, samples: dict[str, np.ndarray], path: Path) -> None:
        """Write pictures as ``Images`` does."""
        Images().write(samples, path)

    def write_folder(self, samples: Any, path: Path, names: Sequence[str] = ()) -> None:
        """Write pictures as ``Images`` does."""
        Images().write_folder(samples, path, names)

    def of_several_sizes(self, source: str, options: Options) -> list[np.ndarray] | None:
        """Return the pictures of a folder if their sizes differ and are not changed by ``size``."""
        resized = options.size is not None and _task(options).size_applies
        if resized or not several_sizes(Path(source)):
            return None
        return read_each(Path(source), options.white)

    def names_in(self, source: str) -> Sequence[str]:
        """Return the names of the pictures in a folder, without suffixes."""
        folder = Path(source)
        own = list_pictures(folder) if folder.is_dir() else []
        return [str(p.relative_to(folder).with_suffix("")) for p in own]


def _task(options: Options) -> Task:
    assert isinstance(options.task, Task)
    return options.task
