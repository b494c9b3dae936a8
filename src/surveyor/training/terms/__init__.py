"""Terms added to the generator's objective, one per file."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from torch import Tensor

from surveyor.batch import Batch
from surveyor.catalog import Part, parts_in

LogLikelihood = Callable[[Batch], Tensor]


class AnyTerm(Part):
    """A term of the generator's loss that does not involve the critic."""

    name: ClassVar[str]
    needs_likelihood: ClassVar[bool] = False

    @abstractmethod
    def of(self, made: Batch, real: Batch, log_likelihood: LogLikelihood) -> Tensor:
        """Return the term, a scalar, for points generated under the conditions of ``real``.

        ``log_likelihood`` returns the generator's log likelihood of a batch, (n,).
        """


class Term(AnyTerm):
    """A term of generated and real points."""

    @abstractmethod
    def __call__(self, made: Batch, real: Batch) -> Tensor:
        """Return the term, a scalar, for points generated under the conditions of ``real``."""

    def of(self, made: Batch, real: Batch, log_likelihood: LogLikelihood) -> Tensor:
        """Return the term."""
        return self(made, real)


def terms() -> dict[str, type[Any]]:
    """Return every term by the name of its file."""
    return parts_in("surveyor.training.terms", AnyTerm)
