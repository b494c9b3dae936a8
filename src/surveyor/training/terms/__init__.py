"""Terms added to the generator's objective, one per file."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Batch
from surveyor.catalog import Part, parts_in


class Term(Part):
    """A term of the generator's loss that does not involve the critic."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term, a scalar, for points generated under the conditions of ``real``."""


def terms() -> dict[str, type[Term]]:
    """Return every term by the name of its file."""
    return parts_in("surveyor.training.terms", Term)  # type: ignore[type-abstract]
