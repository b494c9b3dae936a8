"""Locks on run folders, and their atomic creation."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from surveyor.errors import InputError, NotWritten
from surveyor.writing import MARK, OURS, cause, write_bytes


class Lock:
    """A lock that lets only this process write to a folder, until ``release`` or process exit.

    The system keeps the lock on the folder itself, wherever that is moved, and drops it when the
    process dies. File systems without locks lock nothing.

    Raises:
        InputError: another process holds the lock.
    """

    def __init__(self, path: Path) -> None:
        self._number: int | None = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise InputError(
                f"{path}: another process is writing to it; wait until it is done, or stop it"
            ) from error
        except OSError:
            pass

    def release(self) -> None:
        """Release the lock."""
        if self._number is not None:
            os.close(self._number)
            self._number = None

    @property
    def held(self) -> bool:
        """Return whether the lock is still held."""
        return self._number is not None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    __del__ = release


def make(path: Path, files: Mapping[str, bytes], folders: Sequence[str] = ()) -> Lock:
    """Create a folder with files and empty folders atomically; return its lock.

    Raises:
        NotWritten: the disk is full or refuses the write; nothing is left behind.
    """
    target = Path(os.path.realpath(path))  # a link to an empty folder stays a link
    temporary: Path | None = None
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        tidy(target.parent)
        temporary, lock = _locked(target.parent)
        for name in folders:
            (temporary / name).mkdir()
        for name, content in files.items():
            write_bytes(temporary / name, content)
        if target.is_dir():
            target.rmdir()
        temporary.rename(target)
    except (OSError, NotWritten) as error:
        first = error if isinstance(error, OSError) else error.__cause__
        why = cause(first, path) if isinstance(first, OSError) else error
        raise NotWritten(f"{path}: cannot be written: {why}; nothing was started") from error
    finally:
        if temporary is not None:  # gone already if it was renamed
            shutil.rmtree(temporary, ignore_errors=True)
    return lock


def _locked(parent: Path) -> tuple[Path, Lock]:
    """Create and lock a folder, again if another process tidied it away before the lock."""
    while True:
        made = parent / f"{MARK}{secrets.token_hex(8)}"
        made.mkdir()
        with contextlib.suppress(InputError, FileNotFoundError):
            lock = Lock(made)
            if made.is_dir():
                return made, lock


def tidy(folder: Path) -> None:
    """Remove unfinished folders of killed processes in ``folder``.

    Folders still being created are locked, and stay.
    """
    for path in folder.glob(f"{MARK}*"):
        if OURS.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            with contextlib.suppress(InputError, OSError), Lock(path):
                shutil.rmtree(path, ignore_errors=True)
