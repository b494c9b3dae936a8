"""All files below a folder, each once; links to folders are followed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from surveyor.errors import InputError, notify


def walk_files(path: Path) -> Iterator[Path]:
    """Yield every entry below a folder that is not a folder; links to folders are followed.

    A link to a folder that is read anyway, or to one that contains ``path``, is skipped with a
    notice.

    Raises:
        InputError: a folder cannot be listed.
    """
    found, links, read = [path], list[Path](), dict[tuple[int, int], Path]()
    while found or links:
        linked = not found
        folder = links.pop(0) if linked else found.pop()
        try:
            state, entries = folder.stat(), sorted(os.scandir(folder), key=lambda e: e.name)
        except OSError as error:
            raise InputError(
                f"{folder}: cannot be listed ({error.strerror}); make it readable, or move it away"
            ) from error
        before = read.setdefault((state.st_dev, state.st_ino), folder)
        if before != folder or (linked and path.resolve().is_relative_to(folder.resolve())):
            notify(f"{folder}: skipped; a link to {folder.resolve()}, which is read anyway")
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                found.append(Path(entry.path))
            elif entry.is_dir():
                links.append(Path(entry.path))
            else:
                yield Path(entry.path)
