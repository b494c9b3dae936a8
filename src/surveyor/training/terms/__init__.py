"""Terms that a generator minimises beside its objective, one file each."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Batch


class Term(ABC):
    """A term of the generator's loss that needs no critic."""

    name: ClassVar[str]

    @abstractmethod
    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term, a scalar, of points made under the conditions of real ones."""
