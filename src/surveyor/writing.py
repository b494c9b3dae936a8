"""Files are written whole or not at all: to a new neighbour first, then renamed into place."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

from surveyor.errors import NotWritten

MARK = ".surveyor-"  # begins the name of every neighbour
LONGEST = 24  # bytes of a file's endings that its neighbour has too

CAUSES = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the quota of the disk is used up; free some space",
    errno.EFBIG: "the file would be larger than is allowed here",
    errno.EACCES: "no permission to write there",
    errno.EPERM: "no permission to write there",
    errno.EROFS: "the disk is read-only",
    errno.ENAMETOOLONG: "the name is too long",
    errno.EISDIR: "a folder of that name is there",
}


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give the path of a new, empty file beside ``path``; it takes that name if the block succeeds.

    It has the endings of ``path``, by which libraries choose a format, and the permissions of the
    file it replaces. A link of that name is replaced, not followed.

    Raises:
        NotWritten: the disk is full or refuses; what stood there before is untouched.
    """
    several = ("".join(path.suffixes[-2:]), path.suffix, "")
    endings = next(e for e in several if len(os.fsencode(e)) <= LONGEST)
    temporary = path.parent / f"{MARK}{secrets.token_hex(8)}{endings}"
    try:
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
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
        with contextlib.suppress(OSError):
            temporary.unlink()


def unnameable(path: Path | str, flag: str = "") -> list[str]:
    """Return what stands against a name in files that are UTF-8, nothing where nothing does."""
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return [f"{flag}{path}: the name is not UTF-8; rename it"]
    return []


@contextlib.contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Give a new, empty folder beside ``path``; if the block succeeds its files move there.

    Raises:
        NotWritten: the disk is full or refuses; what stood there before is untouched.
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
    """Write a whole file or nothing.

    Raises:
        NotWritten: the disk is full or refuses; what stood there before is untouched.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def cause(error: OSError, path: Path) -> str:
    """Return why ``path`` cannot be written, with the remedy where there is one."""
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    return CAUSES.get(error.errno or 0, error.strerror or str(error))


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDWR)
    try:
        os.fsync(file)
    finally:
        os.close(file)
