"""Checks of arguments from Python: a value of the right type, or a line saying what to give."""

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
def collecting(problems: list[str]) -> Iterator[None]:
    """Collect the problems of an InputError in ``problems`` instead of raising it."""
    try:
        yield
    except InputError as error:
        problems.extend(error.problems)


def shown(value: object) -> str:
    """Return a value as one short line for a message: plain values verbatim, others by type."""
    few = isinstance(value, (list, tuple)) and all(isinstance(v, PLAIN) for v in value)
    if not isinstance(value, PLAIN) and not few:
        name = type(value).__name__
        return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
    text = str(value) if isinstance(value, np.generic) else repr(value)
    return text if len(text) <= LONG else f"{text[: LONG - 3]}..."


def integer(name: str, value: Any, low: int = 0, high: int | None = None) -> int:
    """Return an integer; 5.0 and NumPy's integers are accepted, True and "5" are not.

    Raises:
        InputError: the value is not an integer from ``low`` to ``high``.
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
    return integer("--seed", value, 0, SEED)


def positive(name: str, value: Any, high: float | None = None) -> float:
    """Return a number above 0.

    Raises:
        InputError: the value is not a number above 0, or exceeds ``high``.
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
        InputError: the value is not among them.
    """
    if isinstance(value, str) and value in known:
        return str(value)
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    hint = near if near.startswith("; known") else f"{near}; known: {', '.join(known)}"
    raise InputError(f"{name} {shown(value)}: unknown{hint}")


def strings(name: str, value: Any) -> tuple[str, ...]:
    """Return a tuple of strings, from one string or a list.

    Raises:
        InputError: the value is neither a string nor a list of strings.
    """
    if isinstance(value, str):
        return (value,)
    if isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value):
        return tuple(value)
    raise InputError(f"{name} {shown(value)}: give a string or a list of strings")


def path_of(name: str, value: Any) -> Path:
    """Return a path.

    Raises:
        InputError: the value is neither a string nor a path, or is not a valid file name.
    """
    if not isinstance(value, (str, os.PathLike)):
        raise InputError(f"{name} {shown(value)}: give a file or folder name")
    text: Any = os.fspath(value)
    if not isinstance(text, str) or not text or "\0" in text:
        raise InputError(f"{name} {shown(text)}: not a valid file or folder name")
    return Path(text)


def conditions(name: str, value: Any) -> dict[str, Any]:
    """Return the conditions on columns, by column name.

    Raises:
        InputError: the value is not a mapping, or a name is not a string.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InputError(
            f"{name} {shown(value)}: give a dictionary of columns, like {{{_example(value)}}}"
        )
    problems = []
    for column, wanted in value.items():
        if not isinstance(column, str):
            problems.append(f"{name} {shown(column)}: give the column's name as a string")
        elif isinstance(wanted, Mapping) or callable(wanted) or _axes(wanted) > 1:
            problems.append(f"{name} {column}: {shown(wanted)}; give a value, or a list of values")
    if problems:
        raise InputError(*problems)
    return {c: v.tolist() if hasattr(v, "tolist") else v for c, v in value.items()}


def pair(name: str, value: Any) -> tuple[str, str]:
    """Return the names of two columns.

    Raises:
        InputError: the value is not a tuple or list of two strings.
    """
    if isinstance(value, (tuple, list)) and [isinstance(v, str) for v in value] == [True, True]:
        return str(value[0]), str(value[1])
    parts = value.split(":") if isinstance(value, str) else []
    example = tuple(parts) if len(parts) == 2 else ("income", "sex")
    raise InputError(f"{name} {shown(value)}: give (OUTCOME, GROUP), like {example}")


MODULES = ("generator", "critic")


def modules(problems: list[str], **values: Any) -> dict[str, nn.Module]:
    """Return the modules among ``values``; anything else but None adds to ``problems``."""
    for name, value in values.items():
        if isinstance(value, type) and issubclass(value, nn.Module):
            problems.append(f"{name}: a class; give an instance, such as {value.__name__}()")
        elif value is not None and not isinstance(value, nn.Module):
            problems.append(f"{name} {shown(value)}: give a torch.nn.Module")
    return {name: value for name, value in values.items() if isinstance(value, nn.Module)}


def function(problems: list[str], name: str, value: Any) -> None:
    """Add a problem unless ``value`` is None or callable."""
    if value is not None and not callable(value):
        problems.append(f"{name} {shown(value)}: give a function")


def _axes(value: Any) -> int:
    try:
        return int(np.ndim(value))
    except ValueError:  # a ragged list
        return 2


def _wanted(what: str, low: int, high: int | None) -> str:
    most = f" from {low} to {high}" if high is not None else f", at least {low}"
    return f"give a {what}{most.replace(str(SEED), '2^63 - 1')}"


def _example(value: object) -> str:
    first = value[0] if isinstance(value, (list, tuple)) and value else value
    column, equals, text = first.partition("=") if isinstance(first, str) else ("", "", "")
    return f"{column!r}: {text!r}" if column and equals else "'city': 'Oslo'"


def not_with(flag: str, others: Mapping[str, object]) -> list[str]:
    """Return a problem for each of the ``others`` that is given although ``flag`` rules it out."""
    return [
        f"{name}: not with {flag}; leave one of them out" for name, own in others.items() if own
    ]
