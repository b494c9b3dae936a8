"""A folder for a run without a name, which is gone with the last that holds it."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any


class Temporary:
    """A folder that is removed when nothing holds this any more, or when Python ends."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="surveyor-"))
        self._end = weakref.finalize(self, _removed, self.path, os.getpid())

    def __deepcopy__(self, memo: dict[int, Any]) -> Temporary:
        return self

    def keep(self) -> None:
        """Leave the folder where it is, for good."""
        self._end.detach()

    def remove(self) -> None:
        """Remove the folder now."""
        self._end()


def _removed(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child holds copies, and ends first
        shutil.rmtree(path, ignore_errors=True)
