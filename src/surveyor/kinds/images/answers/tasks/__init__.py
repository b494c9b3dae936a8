"""Tasks: how pictures become pairs, one file each."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import numpy as np

from surveyor.catalog import Part, folder, name_of
from surveyor.data import DEFAULT_OPTIONS, Codec, Files, Options
from surveyor.data.arrays import Arrays
from surveyor.kinds import kinds
from surveyor.kinds.images.codec import ImageCodec
from surveyor.kinds.images.files import Images
from surveyor.kinds.images.pairs import Pairs


class Task(Part):
    """What pictures are made of others for.

    ``defaults`` are options of its own; ``given`` names the array that holds what is to be
    answered, and ``sized`` says whether ``--size`` is that of what is given, too.
    """

    defaults: ClassVar[Mapping[str, Any]]
    sized: ClassVar[bool] = True

    @property
    def given(self) -> str | None:
        """Return the name of the array or folder of what is to be answered, where it has one."""
        return None

    @abstractmethod
    def read(self, source: Any, options: Options) -> Pairs:
        """Read pairs. ``options`` are those of the pictures, without the task."""

    def fit(self, raw: Pairs, wanted: ImageCodec) -> Codec:
        """Fit the codec of what is given."""
        return fitted(raw.given)

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield what does not go with a task."""
        usual = {"privacy": None, "label_noise": 0.0, "balance": False, "view": ()}
        for name, value in usual.items():
            if chosen[name] != value:
                yield f"--{name.replace('_', '-')}: not with --task={name_of(self)}"


def files_of(given: np.ndarray) -> Files:
    """Return how what is given is read, (n, d) as vectors and (n, h, w[, 3]) as pictures."""
    return kinds()["vectors"].files if given.ndim == 2 else Images()


def fitted(given: Arrays) -> Codec:
    """Return the codec of what is given, by itself."""
    codec: Codec = files_of(given.main).fit(given, DEFAULT_OPTIONS)
    return codec


def tasks() -> dict[str, type[Task]]:
    """Return every task by the name of its file."""
    return folder("surveyor.kinds.images.answers.tasks", Task)  # type: ignore[type-abstract]
