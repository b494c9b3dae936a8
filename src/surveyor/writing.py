"""Atomic writing: to a temporary file in the same folder, then renamed into place."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from surveyor.errors import NotWritten

MARK = ".surveyor-"  # the prefix of temporary names
OURS = re.compile(re.escape(MARK) + r"[0-9a-f]{16}")
LONGEST = 24  # the most bytes of suffixes that the temporary file shares

CAUSES = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "the file would exceed the size limit",
    errno.EACCES: "no permission to write there",
    errno.EPERM: "no permission to write there",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EISDIR: "a folder has that name",
}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the path of a new, empty file that replaces ``path`` if the block succeeds.

    It has the suffixes of ``path``, by which libraries choose a format, and the permissions of the
    file it replaces. A link at ``path`` is replaced, not followed. What a killed process has left
    beside ``path`` is removed by the next one to write there.

    Raises:
        NotWritten: the disk is full or refuses the write; the previous file is unchanged.
    """
    several = ("".join(path.suffixes[-2:]), path.suffix, "")
    endings = next(e for e in several if len(os.fsencode(e)) <= LONGEST)
    temporary, lock = path, -1
    try:
        _tidy_once(path.parent)
        temporary, lock = _locked(path.parent, endings)
        with contextlib.suppress(FileNotFoundError):
            before = path.lstat().st_mode
            if stat.S_ISREG(before):
                temporary.chmod(stat.S_IMODE(before))
        yield temporary
        _sync(temporary)
        temporary.replace(path)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {cause(error, path)}") from error
    finally:
        if lock >= 0:
            with contextlib.suppress(OSError):
                temporary.unlink()
            os.close(lock)


def _locked(folder: Path, endings: str) -> tuple[Path, int]:
    """Create and lock a file, again if another process tidied it away before the lock."""
    while True:
        made = folder / f"{MARK}{secrets.token_hex(8)}{endings}"
        number = os.open(made, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
        with contextlib.suppress(OSError):  # a file system without locks locks nothing
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if made.exists():
            return made, number
        os.close(number)


def tidy_files(folder: Path) -> None:
    """Remove half-written files of killed processes from ``folder``.

    Files still being written are locked, and stay.
    """
    for path in folder.glob(f"{MARK}*"):
        if not OURS.match(path.name) or path.is_dir() or path.is_symlink():
            continue
        with contextlib.suppress(OSError):
            number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
            finally:
                os.close(number)


_tidy_once = functools.cache(tidy_files)


def unnameable(path: Path | str, flag: str = "") -> list[str]:
    """Return the problem with a name that UTF-8 cannot encode, if any."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return [f"{flag}{path}: the name is not UTF-8; rename it"]
    return []


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a new, empty folder whose files move to ``path`` if the block succeeds.

    Raises:
        NotWritten: the disk is full or refuses the write; previous files are unchanged.
    """
    temporary = path.parent / f"{MARK}{secrets.token_hex(8)}"
    try:
        temporary.mkdir()
        yield temporary
        for file in sorted(p for p in temporary.rglob("*") if p.is_file()):
            place = path / file.relative_to(temporary)
            place.parent.mkdir(parents=True, exist_ok=True)
            file.replace(place)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {cause(error, path)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file atomically.

    Raises:
        NotWritten: the disk is full or refuses the write; the previous file is unchanged.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def cause(error: OSError, path: Path) -> str:
    """Return why ``path`` cannot be written, with a remedy if there is one."""
    if not path.parent.is_dir():
        return f"folder {path.parent} does not exist"
    return CAUSES.get(error.errno or 0, error.strerror or str(error))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
