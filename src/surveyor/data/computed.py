"""What can be asked of samples although no column holds it, since it is computed from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from surveyor.data.where import OR, TO
from surveyor.errors import InputError

Test = Callable[[Any], np.ndarray]


class Computed(ABC):
    """A quantity of a sample that no column holds.

    Samples are drawn until enough have what is asked of it, so that it holds in all of them.
    """

    @abstractmethod
    def read(self, name: str, query: Any) -> Test:
        """Return the test of ``--where NAME=QUERY``: which samples pass, (n,).

        Raises:
            InputError: no sample could.
        """


def alternatives(query: Any) -> Sequence[str]:
    """Return the texts of which a sample must meet one: those of a list, or between bars."""
    if isinstance(query, (list, tuple, set, frozenset)):
        return [str(part) for part in query] or [""]
    return [part.strip() for part in str(query).split(OR)]


def read_range(name: str, text: str, whole: bool) -> tuple[float, float]:
    """Return both ends of ``low..high``, infinite where left out; a ``whole`` number is a range.

    Raises:
        InputError: the text is no range.
    """
    ends, what = text.split(TO), f"--where {name}={text}"
    try:
        low, high = (_end(e, k) for k, e in enumerate(ends if len(ends) > 1 else ends * 2))
    except ValueError:
        raise InputError(f"{what}: write a range LOW{TO}HIGH") from None
    if len(ends) == 1 and not whole:
        raise InputError(f"{what}: hardly ever exactly so; write a range LOW{TO}HIGH")
    return low, high


def within(values: np.ndarray, ranges: Sequence[tuple[float, float]]) -> np.ndarray:
    """Return which values (n,) lie in one of the ranges, ends included."""
    found: np.ndarray = np.any([(lo <= values) & (values <= hi) for lo, hi in ranges], axis=0)
    return found


def _end(text: str, k: int) -> float:
    if not text.strip():
        return (-np.inf, np.inf)[k]
    value = float(text)
    if np.isnan(value):
        raise ValueError(text)
    return value
