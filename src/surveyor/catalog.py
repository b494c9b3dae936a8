"""Registries of parts: a folder lists its parts, and a short text names one.

``gradient-penalty:weight=10,side=two`` names the class in ``gradient_penalty.py`` and sets two of
its fields. The same text is used on the command line, in ``config.toml`` and in reports. A field
may itself be a part, in parentheses: ``packed:of=(conv:width=64,slope=0.1),members=2``; parentheses
around a part without commas are optional. A text with a comma goes in parentheses too.
"""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import math
import pkgutil
import types
import typing
from abc import ABC
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from surveyor.errors import InputError, did_you_mean

T = TypeVar("T")
MOST = 2**63 - 1  # the largest integer
COMMA = "; a value with a comma goes in parentheses"
DEPTH = 8  # of nested parts


class Part(ABC):  # noqa: B024
    """A base class of parts, whose fields are options."""

    def problems(self, chosen: Mapping[str, Any]) -> Iterator[str]:
        """Yield a line for each of the options ``chosen`` that is incompatible with this part.

        ``chosen`` holds a value for every option; where it is a part, the part and not its text.
        """
        return iter(())

    @classmethod
    def choices(cls) -> Mapping[str, type[Any]]:
        """Return the parts that a field of this type can name."""
        raise NotImplementedError


def parts_in(package: str, base: type[T]) -> dict[str, type[T]]:
    """Return every concrete subclass of ``base`` in ``package``, keyed by its file's name."""
    found: dict[str, type[T]] = {}
    path = importlib.import_module(package).__path__
    for info in pkgutil.iter_modules(path):
        module = importlib.import_module(f"{package}.{info.name}")
        for value in vars(module).values():
            if not (inspect.isclass(value) and value.__module__ == module.__name__):
                continue
            if issubclass(value, base) and not inspect.isabstract(value):
                found[info.name.replace("_", "-")] = value
    return found


def parse(text: str, choices: Mapping[str, type[T]], what: str) -> T:
    """Build the part that ``text`` names.

    Raises:
        InputError: a name or field is unknown, or a value is invalid.
    """
    return _parsed(text, choices, what, DEPTH)


def _parsed(text: str, choices: Mapping[str, type[T]], what: str, depth: int) -> T:
    name, _, rest = text.strip().partition(":")
    name = name.strip().replace("_", "-").lower()
    if name not in choices:
        raise InputError(f"unknown {what} {name!r}{did_you_mean(name, choices)}")
    if depth == 0:
        raise InputError(f"{what} {name!r}: parts may be nested at most {DEPTH} deep")
    cls = choices[name]
    hints = typing.get_type_hints(cls)
    fields = {f.name: hints[f.name] for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    problems: list[str] = []
    bare = ""
    for item in filter(None, (part.strip() for part in _items(rest, f"{what} {name!r}"))):
        key, equals, value = (part.strip() for part in item.partition("="))
        key = key.replace("-", "_")
        if key not in fields:
            inner = bare.partition("=")[2]
            hint = f"; if it belongs to {inner!r}, write {bare.replace('=', '=(', 1)},{item})"
            suggestion = did_you_mean(key, fields) + (hint if bare else "")
            suggestion += "" if equals else COMMA
            problems.append(f"{what} {name!r}: unknown field {key!r}{suggestion}")
        elif not equals:
            problems.append(f"{what} {name!r}: write {key}=VALUE, not {item!r}")
        else:
            try:
                values[key] = _read(value, fields[key], depth)
                bare = item if isinstance(values[key], Part) and not value.endswith(")") else ""
            except InputError as error:
                problems += [f"{what} {name!r}, {key}: {problem}" for problem in error.problems]
            except ValueError as error:
                problems.append(f"{what} {name!r}: {key}={value}: {error}")
    if problems:
        raise InputError(*problems)
    try:
        return cls(**values)
    except InputError:
        raise
    except ValueError as error:
        raise InputError(f"{what} {name!r}: {error}") from error


def text_of(part: object) -> str:
    """Return the text that names ``part`` with all its fields; the inverse of ``parse``."""
    name = name_of(part)
    fields = [
        f"{f.name}={_write(getattr(part, f.name))}"
        for f in dataclasses.fields(part)  # type: ignore[arg-type]
        if f.init
    ]
    return f"{name}:{','.join(fields)}" if fields else name


def check_bounds(part: object, **bounds: tuple[float, float]) -> None:
    """Check that fields of ``part`` lie within their bounds; auto always does.

    Raises:
        ValueError: some fields do not; all of them are named.
    """
    problems = []
    for name, (low, high) in bounds.items():
        value = getattr(part, name)
        if value is not None and not low <= value <= high:
            most = f" to {high:,}" if math.isfinite(high) else ""
            problems.append(f"{name}={value}: give a number from {low:,}{most}")
    if problems:
        raise ValueError("; ".join(problems))


def name_of(part: object) -> str:
    """Return the name of ``part``, that of its file."""
    return type(part).__module__.rpartition(".")[2].replace("_", "-")


def _items(text: str, where: str) -> Iterator[str]:
    """Split ``text`` at the commas outside parentheses."""
    depth = start = 0
    for k, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            yield text[start:k]
            start = k + 1
    if depth:
        raise InputError(f"{where}: {text}: unmatched {'(' if depth > 0 else ')'!r}")
    yield text[start:]


def _read(value: str, hint: Any, depth: int) -> Any:
    options = typing.get_args(hint)
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        if value == "auto" and type(None) in options:
            return None
        return _read(value, next(o for o in options if o is not type(None)), depth)
    if inspect.isclass(hint) and issubclass(hint, Part):
        return _parsed(_bare(value), hint.choices(), hint.__name__.lower(), depth - 1)
    if typing.get_origin(hint) is typing.Literal:
        if value not in options:
            raise ValueError(f"unknown{did_you_mean(value, options)}")
        return value
    if hint is bool:
        if value.lower() not in ("true", "false"):
            raise ValueError("write true or false")
        return value.lower() == "true"
    if hint in (int, float):
        try:
            number = hint(value)
        except ValueError:
            raise ValueError(f"not a{'n' if hint is int else ''} {hint.__name__}") from None
        if hint is int and abs(number) > MOST:
            raise ValueError(f"give a number up to {MOST:,}")
        if not math.isfinite(number):
            raise ValueError("not finite")
        return number
    return _bare(value)


def _bare(value: str) -> str:
    """Return a value without the parentheses around it."""
    return value[1:-1] if value.startswith("(") and value.endswith(")") else value


def _write(value: object) -> str:
    if value is None:
        return "auto"
    if isinstance(value, Part):
        return f"({text_of(value)})"
    if isinstance(value, str) and set(value) & set(",()"):
        return f"({value})"
    return str(value).lower() if isinstance(value, bool) else str(value)
