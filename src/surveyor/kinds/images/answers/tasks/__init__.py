"""Tasks: ways to make pairs from pictures, one file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from surveyor.catalog import Part, name_of, parts_in
from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options
from surveyor.data.arrays import Arrays
from surveyor.kinds import kinds
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs


class Task(Part):
    """A way to make pairs from pictures.

    ``defaults`` are the defaults that differ for this task; ``size_applies`` says whether
    ``--size`` resizes the pictures given as well as the targets.
    """

    defaults: ClassVar[Mapping[str, Any]]
    size_applies: ClassVar[bool] = True

    @property
    def given_name(self) -> str | None:
        """Return the name of the array or folder with the inputs, if it has one."""
        return None

    @abstractmethod
    def read(self, source: Any, options: Options) -> Pairs:
        """Read pairs; ``options`` are those of the pictures, without the task."""

    def fit(self, raw: Pairs, target: ImageCodec) -> Codec:
        """Fit the codec of the pictures or vectors given."""
        return fit_given(raw.given)

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield the chosen options that cannot be combined with a task."""
        usual = {"privacy": None, "label_noise": 0.0, "balance": False, "view": ()}
        for name, value in usual.items():
            if chosen[name] != value:
                flag = f"--{name.replace('_', '-')}"
                yield f"{flag}: not with --task={name_of(self)}; leave one of them out"


def files_of(given: np.ndarray) -> Files:
    """Return the files that read an array: (n, d) as vectors, (n, h, w[, 3]) as pictures."""
    return kinds()["vectors"].files if given.ndim == 2 else Images()


def fit_given(given: Arrays) -> Codec:
    """Return a codec fitted to the points given alone."""
    codec: Codec = files_of(given.main).fit(given, DEFAULT_OPTIONS)
    return codec


def tasks() -> dict[str, type[Task]]:
    """Return every task by the name of its file."""
    return parts_in("surveyor.kinds.images.answers.tasks", Task)  # type: ignore[type-abstract]
