"""What can be asked of samples although no column holds it, since it is computed from them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import numpy as np

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
