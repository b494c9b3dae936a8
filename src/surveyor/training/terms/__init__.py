"""Terms that a generator minimises beside its objective, one file each."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Batch
from surveyor.catalog import Part, folder


class Term(Part):
    """A term of the generator's loss that needs no critic."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term, a scalar, of points made under the conditions of real ones."""


def terms() -> dict[str, type[Term]]:
    """Return every term by the name of its file."""
    return folder("surveyor.training.terms", Term)  # type: ignore[type-abstract]
