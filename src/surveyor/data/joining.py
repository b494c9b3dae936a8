"""Data at several places, read in one way and described by one codec without their rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from surveyor.data.codec import Codec
from surveyor.data.options import Options


class Joining(ABC):
    """How a kind of data is read at several places, and their codecs are merged.

    Each place tells how it reads its columns; they agree; each reads its rows again and fits a
    codec with ``Options.shared``; these codecs are merged.
    """

    @abstractmethod
    def told(self, raw: Any) -> Mapping[str, Any]:
        """Return how a place reads its data, by column.

        Raises:
            InputError: columns that cannot be described without rows; all of them.
        """

    @abstractmethod
    def agreed(self, told: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
        """Return how all places are to read their data; ``told`` is by the name of the place.

        Raises:
            InputError: columns or types that differ, each with the name of the place.
        """

    @abstractmethod
    def defaults(self, raws: Sequence[Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return default options for the data of all places, given those that the user has set."""

    @abstractmethod
    def reread(self, raw: Any, agreed: Mapping[str, Any], options: Options) -> Any:
        """Return the data of a place, read as agreed."""

    @abstractmethod
    def merged(self, codecs: Sequence[Codec], rows: Sequence[int]) -> Codec:
        """Return the codec of all rows, from codecs fitted to so many ``rows`` each."""
