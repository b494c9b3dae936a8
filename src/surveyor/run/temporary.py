"""A temporary folder for a run without a name."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any


class Temporary:
    """A folder that is removed with the last reference to this object, or when Python exits."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="surveyor-"))
        self._end = weakref.finalize(self, _removed, self.path, os.getpid())

    def __deepcopy__(self, memo: dict[int, Any]) -> Temporary:
        return self

    def keep(self) -> None:
        """Keep the folder permanently."""
        self._end.detach()

    def remove(self) -> None:
        """Remove the folder now."""
        self._end()


def _removed(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child has a copy, and may exit first
        shutil.rmtree(path, ignore_errors=True)
