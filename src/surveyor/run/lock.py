"""One process writes to a run folder at a time, and a folder is made whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from surveyor.errors import InputError, NotWritten
from surveyor.writing import MARK, cause, write_bytes

OURS = re.compile(re.escape(MARK) + r"[0-9a-f]{16}")


class Lock:
    """A folder that only this process writes to, until ``release`` or the process's end.

    The system keeps it on the folder itself, wherever that is moved, and lets go of it when the
    process dies. On a disk without locks nothing is locked.

    Raises:
        InputError: another process has it.
    """

    def __init__(self, path: Path) -> None:
        self._number: int | None = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(self._number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise InputError(
                f"{path}: another process is writing to it; wait until that is done, or stop it"
            ) from error
        except OSError:
            pass

    def release(self) -> None:
        """Let others write."""
        if self._number is not None:
            os.close(self._number)
            self._number = None

    @property
    def held(self) -> bool:
        """Return whether it has not been released."""
        return self._number is not None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    __del__ = release


def make(path: Path, files: Mapping[str, bytes], folders: Sequence[str] = ()) -> Lock:
    """Make a folder with files and empty folders in it, whole or not at all; return it locked.

    Raises:
        NotWritten: the disk is full or refuses; nothing is left.
    """
    target = Path(os.path.realpath(path))  # a link to an empty folder stays one
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
        raise NotWritten(f"{path}: cannot be written: {why}; nothing was begun") from error
    finally:
        if temporary is not None:  # gone already where it was renamed
            shutil.rmtree(temporary, ignore_errors=True)
    return lock


def _locked(parent: Path) -> tuple[Path, Lock]:
    """Make a folder that no other process has tidied away before it was locked."""
    while True:
        made = parent / f"{MARK}{secrets.token_hex(8)}"
        made.mkdir()
        with contextlib.suppress(InputError, FileNotFoundError):
            lock = Lock(made)
            if made.is_dir():
                return made, lock


def tidy(folder: Path) -> None:
    """Remove the folders that a process which was killed while it made them has left beside.

    Those that are being made are locked, and stay.
    """
    for path in folder.glob(f"{MARK}*"):
        if OURS.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
            with contextlib.suppress(InputError, OSError), Lock(path):
                shutil.rmtree(path, ignore_errors=True)


def tidy_files(folder: Path) -> None:
    """Remove the files that a killed process has left half written in a run's ``folder``."""
    for path in folder.glob(f"{MARK}*"):
        if OURS.match(path.name) and not path.is_dir():
            path.unlink(missing_ok=True)
