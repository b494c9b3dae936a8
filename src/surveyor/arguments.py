"""Arguments of a call from Python: a value of the right kind, or one line that says what fits."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

from surveyor.errors import InputError, did_you_mean

PLAIN = (str, bytes, int, float, complex, bool, type(None), np.generic)
LONG = 60
SEED = 2**63 - 1


@contextmanager
def noted(problems: list[str]) -> Iterator[None]:
    """Add what an InputError says to ``problems``, and go on."""
    try:
        yield
    except InputError as error:
        problems.extend(error.problems)


def shown(value: object) -> str:
    """Return a value for a message, on one short line: plain values as written, others by type."""
    few = isinstance(value, (list, tuple)) and all(isinstance(v, PLAIN) for v in value)
    if not isinstance(value, PLAIN) and not few:
        name = type(value).__name__
        return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
    text = str(value) if isinstance(value, np.generic) else repr(value)
    return text if len(text) <= LONG else f"{text[: LONG - 3]}..."


def whole(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return a whole number; 5.0 and NumPy's integers are whole, True and "5" are not.

    Raises:
        InputError: another value, or one beyond ``low`` and ``high``.
    """
    if not isinstance(value, bool) and isinstance(value, Real):
        if isinstance(value, Integral):
            number = int(value)
        elif float(value).is_integer():
            number = int(float(value))
        else:
            raise InputError(f"{name} {shown(value)}: {_wanted('whole number', low, high)}")
        if number >= low and (high is None or number <= high):
            return number
    raise InputError(f"{name} {shown(value)}: {_wanted('whole number', low, high)}")


def seed_of(value: Any) -> int:
    """Return a seed.

    Raises:
        InputError: not a whole number from 0 to 2^63 - 1.
    """
    return whole("--seed", value, 0, SEED)


def real(name: str, value: Any, high: float | None = None) -> float:
    """Return a number above 0.

    Raises:
        InputError: another value, or one above ``high``.
    """
    if not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value):
        number = float(value)
        if number > 0 and (high is None or number <= high):
            return number
    most = "" if high is None else f", at most {high:g}"
    raise InputError(f"{name} {shown(value)}: give a number above 0{most}")


def choice(name: str, value: Any, known: Sequence[str]) -> str:
    """Return one of ``known``.

    Raises:
        InputError: another value.
    """
    if isinstance(value, str) and value in known:
        return str(value)
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    told = near if near.startswith("; known") else f"{near}; known: {', '.join(known)}"
    raise InputError(f"{name} {shown(value)}: not known{told}")


def words(name: str, value: Any) -> tuple[str, ...]:
    """Return texts; one may stand alone.

    Raises:
        InputError: neither text nor a list of it.
    """
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise InputError(f"{name} {shown(value)}: give text, or a list of it")


def path_of(name: str, value: Any) -> Path:
    """Return a path.

    Raises:
        InputError: neither text nor a path, or what no file can be called.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name} {shown(value)}: give the name of a file or folder")
    text: Any = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{name} {shown(text)}: no name of a file or folder")
    return Path(text)


def conditions(name: str, value: Any) -> dict[str, Any]:
    """Return what is asked of columns, by their names.

    Raises:
        InputError: no mapping, or names that are no text.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(
            f"{name} {shown(value)}: give a dictionary of columns, as {{{_example(value)}}}"
        )
    problems = []
    for column, asked in value.items():
        if not isinstance(column, str):
            problems.append(f"{name} {shown(column)}: columns are named by text")
        elif isinstance(asked, Mapping) or callable(asked) or _axes(asked) > 1:
            problems.append(f"{name} {column}: {shown(asked)}; give a value, or a list of values")
    if problems:
        raise InputError(*problems)
    return {c: asked.tolist() if hasattr(asked, "tolist") else asked for c, asked in value.items()}


def pair(name: str, value: Any) -> tuple[str, str]:
    """Return the names of two columns.

    Raises:
        InputError: not a tuple or list of two texts.
    """
    if isinstance(value, (tuple, list)) and [isinstance(v, str) for v in value] == [True, True]:
        return str(value[0]), str(value[1])
    parts = value.split(":") if isinstance(value, str) else []
    example = tuple(parts) if len(parts) == 2 else ("income", "sex")
    raise InputError(f"{name} {shown(value)}: give (OUTCOME, GROUP), as {example}")


MODULES = ("generator", "critic")


def modules(problems: list[str], **given: Any) -> dict[str, nn.Module]:
    """Return the modules among ``given``, by name; what is none is added to ``problems``."""
    for name, value in given.items():
        if isinstance(value, type) and issubclass(value, nn.Module):
            problems.append(f"{name}: a class; give a module of it, such as {value.__name__}()")
        elif value is not None and not isinstance(value, nn.Module):
            problems.append(f"{name} {shown(value)}: give a module of torch.nn")
    return {name: value for name, value in given.items() if isinstance(value, nn.Module)}


def function(problems: list[str], name: str, value: Any) -> None:
    """Add to ``problems`` what is neither None nor callable."""
    if value is not None and not callable(value):
        problems.append(f"{name} {shown(value)}: give a function")


def _axes(value: Any) -> int:
    try:
        return int(np.ndim(value))
    except ValueError:  # lists of several lengths
        return 2


def _wanted(what: str, low: int, high: int | None) -> str:
    most = f" from {low} to {high}" if high is not None else f", at least {low}"
    return f"give a {what}{most.replace(str(SEED), '2^63 - 1')}"


def _example(value: object) -> str:
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    column, equals, asked = first.partition("=") if isinstance(first, str) else ("", "", "")
    return f"{column!r}: {asked!r}" if column and equals else "'city': 'Oslo'"
