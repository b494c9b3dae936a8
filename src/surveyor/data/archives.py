"""Array files, ``.npy`` and ``.npz``: headers are read and sizes added up before the arrays."""

from __future__ import annotations

import math
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy

from surveyor.data.bounds import format_bytes, refuse_beyond_memory, refuse_bomb
from surveyor.errors import InputError

LONGEST = 160  # the most characters of a cause


@dataclass(frozen=True)
class Header:
    """The shape and type of an array, from the header of its file."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def ndim(self) -> int:
        """Return the number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Return the number of entries."""
        return math.prod(self.shape)


def headers(path: Path) -> dict[str, Header]:
    """Return the shape and type of every array in a file, by name; no entry is read.

    Raises:
        InputError: no arrays, objects, or sizes that do not fit the file or the memory.
    """
    with _refusing_damage(path):
        if not zipfile.is_zipfile(path):
            with path.open("rb") as file:
                found = {"x": _header(file, path.stat().st_size, str(path))}
        else:
            found = {}
            with zipfile.ZipFile(path) as archive:
                _refuse_repeated(archive, path)
                for member in archive.infolist():
                    with archive.open(member) as file:
                        where = f"{path}, {member.filename!r}"
                        found[_named(member)] = _header(file, member.file_size, where)
    if not found:
        raise InputError(f"{path}: holds no arrays")
    needed = sum(h.size * h.dtype.itemsize for h in found.values())
    refuse_bomb(needed, path, "if this is intended, save it uncompressed with numpy.savez")
    refuse_beyond_memory(needed, f"{path}: its arrays take", "give fewer rows")
    return found


def read_file(path: Path) -> dict[str, np.ndarray]:
    """Return every array in a file by name, that of an ``.npy`` as ``x``; nothing is unpickled.

    Raises:
        InputError: as ``headers``, and damaged entries.
    """
    names = headers(path)
    with _refusing_damage(path):
        if not zipfile.is_zipfile(path):
            return {"x": np.load(path, allow_pickle=False)}
        with zipfile.ZipFile(path) as archive:
            made = {}
            for name, member in zip(names, archive.infolist(), strict=True):
                with archive.open(member) as file:
                    made[name] = npy.read_array(file, allow_pickle=False)
                    file.read(1)  # the end, where the checksum is compared
            return made


def _header(file: IO[bytes], length: int, where: str) -> Header:
    """Return the header of one array whose file or member is ``length`` bytes long."""
    if (begin := file.read(6)) != npy.MAGIC_PREFIX:
        kind = "a truncated archive" if begin[:2] == b"PK" else "neither .npy nor .npz inside"
        raise InputError(f"{where}: not a readable array ({kind}); replace or remove it")
    version = tuple(file.read(2))
    if version not in ((1, 0), (2, 0)):
        raise InputError(f"{where}: .npy of version {version}; save plain numeric arrays")
    read = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
    shape, _, dtype = read(file)
    if dtype.hasobject:
        raise InputError(
            f"{where}: holds Python objects, which are never loaded; save plain numeric arrays"
        )
    found = Header(tuple(map(int, shape)), dtype)
    needed, there = found.size * dtype.itemsize, length - file.tell()
    if min(found.shape, default=0) < 0 or needed != there:
        raise InputError(
            f"{where}: its header announces {' x '.join(map(str, shape))} entries of {dtype}, "
            f"{format_bytes(needed)}, but {format_bytes(there)} follow; save it again"
        )
    return found


def _named(member: zipfile.ZipInfo) -> str:
    return member.filename.removesuffix(".npy")


def _refuse_repeated(archive: zipfile.ZipFile, path: Path) -> None:
    names = Counter(map(_named, archive.infolist()))
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise InputError(f"{path}: two arrays named {twice[0]!r}; keep one")


@contextmanager
def _refusing_damage(path: Path) -> Iterator[None]:
    """Turn any error that reading an untrusted file raises into an InputError."""
    if not path.is_file():
        raise InputError(f"{path}: not a file; give .npy or .npz")
    if path.stat().st_size == 0:
        raise InputError(f"{path}: empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of headers as Python 2 wrote them
            yield
    except InputError:
        raise
    except Exception as error:
        cause = (str(error).strip() or type(error).__name__).splitlines()[0]
        cause = cause if len(cause) <= LONGEST else cause[: LONGEST - 3] + "..."
        raise InputError(f"{path}: not a readable array file ({cause})") from error
