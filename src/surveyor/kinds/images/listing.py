"""Files below a folder, linked folders among them, each once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from surveyor.errors import InputError, tell


def walked(path: Path) -> Iterator[Path]:
    """Yield every entry below a folder that is no folder itself; linked folders are followed.

    A link to a folder that is read anyway, or to one that holds all of this, is left out and told.

    Raises:
        InputError: a folder that cannot be looked into.
    """
    found, links, read = [path], list[Path](), dict[tuple[int, int], Path]()
    while found or links:
        linked = not found
        folder = links.pop(0) if linked else found.pop()
        try:
            state, entries = folder.stat(), sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            raise InputError(f"{folder}: cannot be looked into ({error.strerror})") from error
        before = read.setdefault((state.st_dev, state.st_ino), folder)
        if before != folder or (linked and path.resolve().is_relative_to(folder.resolve())):
            tell(f"{folder}: a link to {folder.resolve()}, which is read already; left out")
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(Path(entry.path))
            elif entry.is_dir():
                links.append(Path(entry.path))
            else:
                yield Path(entry.path)
