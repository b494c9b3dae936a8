"""Checked reading of run files: regular files, of bounded size, and of the expected form.

A file that fails a check is refused here, in one line, before anything else uses it.
"""

from __future__ import annotations

import contextlib
import json
import os
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, BinaryIO, TypeVar

import msgspec
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor

from surveyor.errors import InputError

T = TypeVar("T")
MIB = 2**20
TEXT = 64 * MIB  # the largest text file
HEADER = 16 * MIB  # the largest header of a tensor file
REMEDY = "restore it or train again"
LONGEST = 240  # the most characters quoted of a library's message

Form = Mapping[str, tuple[tuple[int, ...], torch.dtype]]
DTYPES = {
    "F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16,
    "I64": torch.int64, "I32": torch.int32, "I16": torch.int16, "I8": torch.int8,
    "U64": torch.uint64, "U32": torch.uint32, "U16": torch.uint16, "U8": torch.uint8,
    "BOOL": torch.bool,
}  # fmt: skip
UNPARSABLE = (ValueError, RecursionError, OverflowError, TypeError)  # raised by damaged text


def in_file(path: Path | str, error: InputError) -> InputError:
    """Return an error with its problems shortened and prefixed by the file's path."""
    return InputError(*(f"{path}: {shortened(problem)}" for problem in error.problems))


def shortened(text: object) -> str:
    """Return text as one line of bounded length."""
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def damaged(path: Path, why: object, remedy: str = REMEDY) -> InputError:
    """Return the error for a damaged file."""
    return InputError(f"{path}: damaged ({shortened(why)}); {remedy}")


def read_bytes(path: Path, most: int = TEXT) -> bytes:
    """Return the content of a regular file, not a link, pipe or device, of at most ``most`` bytes.

    Raises:
        InputError: the file does not exist, is not a regular file, or is larger.
    """
    with _opened(path) as (file, size):
        if size > most:
            raise damaged(path, f"{size:,} bytes, more than the limit of {most:,}")
        return file.read(size)


def read_text(path: Path, most: int = TEXT) -> str:
    """Return the text of a file, decoded as UTF-8 in any locale.

    Raises:
        InputError: the file cannot be read, or is not UTF-8.
    """
    try:
        return read_bytes(path, most).decode()
    except UnicodeDecodeError as error:
        raise damaged(path, f"not UTF-8: {error.reason}") from error


def read_json(path: Path, form: type[T], remedy: str = REMEDY) -> T:
    """Return the value in a JSON file, in the ``form`` of a dataclass or another type.

    Raises:
        InputError: the file cannot be read, or is not JSON of this form.
    """
    return json_of(read_text(path), form, path, remedy)


def json_of(text: str, form: type[T], path: Path, remedy: str = REMEDY) -> T:
    """Return the value of a JSON text from ``path`` in the ``form`` of a type.

    Raises:
        InputError: the text is not JSON of this form.
    """
    try:
        return msgspec.convert(json.loads(text), form)
    except UNPARSABLE as error:
        raise damaged(path, error, remedy) from error


def read_toml(path: Path, most: int = MIB) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        InputError: the file cannot be read, or is not TOML.
    """
    text = read_text(path, most)
    try:
        return tomllib.loads(text)
    except UNPARSABLE as error:
        raise damaged(path, error) from error


class Entry(msgspec.Struct):
    """A tensor's entry in the header of a tensor file."""

    dtype: str
    shape: list[Annotated[int, msgspec.Meta(ge=0, le=2**40)]]
    data_offsets: tuple[
        Annotated[int, msgspec.Meta(ge=0, le=2**48)], Annotated[int, msgspec.Meta(ge=0, le=2**48)]
    ]


@dataclass(frozen=True)
class TensorHeader:
    """The header of a tensor file: names, shapes and types, and the metadata."""

    form: Form
    meta: dict[str, Any]


def read_tensors(
    path: Path, form: Form | None = None, remedy: str = REMEDY
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Return the tensors of a file and its metadata.

    With ``form``, names, shapes and types must match, which is checked before the tensors are read,
    and every number must be finite.

    Raises:
        InputError: the file cannot be read, is truncated, or has another form.
    """
    with _opened(path, remedy) as (file, size):
        found = _read_header(path, file, size, remedy)
        if form is not None:
            check_form(path, form, found.form)
        file.seek(0)
        try:
            tensors = load(file.read(size))
        except (SafetensorError, OSError, KeyError, *UNPARSABLE) as error:
            raise damaged(path, error, remedy) from error
    for name, tensor in tensors.items() if form is not None else ():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            raise damaged(path, f"{name}: numbers that are not finite", remedy)
    return tensors, found.meta


def read_header(path: Path) -> TensorHeader:
    """Return names, shapes and types of the tensors in a file, and its metadata.

    Raises:
        InputError: the file cannot be read, or its length does not match its header.
    """
    with _opened(path) as (file, size):
        return _read_header(path, file, size)


def _read_header(path: Path, file: BinaryIO, size: int, remedy: str = REMEDY) -> TensorHeader:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > min(size - 8, HEADER):
        raise damaged(path, "truncated, or not a tensor file", remedy)
    try:
        content = json.loads(file.read(length).decode())
        metadata = msgspec.convert(content.pop("__metadata__", {}), dict[str, str])
        entries = msgspec.convert(content, dict[str, Entry])
        form = {k: (tuple(e.shape), DTYPES[e.dtype]) for k, e in entries.items()}
        meta = msgspec.convert(json.loads(metadata.get("surveyor", "{}")), dict[str, Any])
    except (*UNPARSABLE, AttributeError, KeyError) as error:
        raise damaged(path, f"its header: {error}", remedy) from error
    end = max((e.data_offsets[1] for e in entries.values()), default=0)
    if size != 8 + length + end:
        raise damaged(path, f"{size:,} bytes; its header says {8 + length + end:,}", remedy)
    return TensorHeader(form, meta)


def form_of(tensors: Mapping[str, Tensor]) -> Form:
    """Return the names, shapes and types of tensors."""
    return {name: (tuple(t.shape), t.dtype) for name, t in tensors.items()}


def check_form(path: Path, wanted: Form, found: Form) -> None:
    """Raise InputError unless a file's tensors have the names, shapes and types ``wanted``."""
    wrong = sorted(k for k in {*wanted, *found} if wanted.get(k) != found.get(k))
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise InputError(
            f"{path}: tensors do not match the nets of config.toml ({wrong[0][:LONGEST]}{more}); "
            "they belong to another run"
        )


@contextlib.contextmanager
def _opened(path: Path, remedy: str = REMEDY) -> Iterator[tuple[BinaryIO, int]]:
    """Open a regular file for reading; yield it and its size."""
    try:  # non-blocking, since a pipe would wait for its writer
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing; the run folder is incomplete") from error
    except OSError as error:
        link = path.is_symlink()
        raise damaged(path, "a link, not followed" if link else error.strerror, remedy) from error
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode):
            raise damaged(path, "not a regular file", remedy)
        with os.fdopen(number, "rb", closefd=False) as file:
            yield file, found.st_size
    finally:
        os.close(number)
