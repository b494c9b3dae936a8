"""Terms added to the generator's objective, one per file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from surveyor.batch import Batch
from surveyor.catalog import Part, parts_in

LogLikelihood = Callable[[Batch], Tensor]


class Term(Part):
    """A term of the generator's loss that does not involve the critic."""

    name: ClassVar[str]
    needs_likelihood: ClassVar[bool] = False

    @abstractmethod
    def __call__(self, made: Batch, real: Batch, log_likelihood: LogLikelihood) -> Tensor:
        """Return the term, a scalar, for points generated under the conditions of ``real``.

        ``log_likelihood`` is the generator's, of a batch, (n,).
        """


def terms() -> dict[str, type[Term]]:
    """Return every term by the name of its file."""
    return parts_in("surveyor.training.terms", Term)  # type: ignore[type-abstract]
