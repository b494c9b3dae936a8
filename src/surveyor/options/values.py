"""Checks of the options that a user gives: names, types and ranges."""

from __future__ import annotations

import dataclasses
import math
import reprlib
import typing
from collections.abc import Mapping, Sequence, Set
from numbers import Integral, Real
from pathlib import PurePath
from typing import Any, Literal

import numpy as np

from surveyor.arguments import shown
from surveyor.errors import InputError, did_you_mean
from surveyor.options.config import Config

RENAMED: Mapping[str, tuple[str, str]] = {
    "epsilon": ("privacy", "gaussian:epsilon=3"),
    "delta": ("privacy", "gaussian:epsilon=3,delta=1e-5"),
    "row_norm": ("privacy", "gaussian:epsilon=3,max_grad_norm=1"),
    "smooth": ("noise", "anneal:start=0.3,end=0.01,until=0.5"),
    "smooth_auc": ("noise", "adaptive:auc=0.7"),
    "scale": ("task", "super-resolution:scale=4"),
    "from": ("task", "translate:source=A,target=B"),
    "from_": ("task", "translate:source=A,target=B"),
    "to": ("task", "translate:source=A,target=B"),
    "content": ("term", "reconstruction:weight=300"),
    "content_loss": ("term", "reconstruction:loss=l2"),
    "augment": ("view", "shift-mirror:share=0.2"),
    "average": ("ema_decay", "0.999"),
    "hold": ("schedule", "cosine:hold=0.3"),
    "final": ("schedule", "cosine:final=0"),
    "latent_normal": ("latent", "gaussian:dimensions=64"),
    "latent_bits": ("latent", "gaussian:bits=10"),
    "latent_spread": ("latent", "gaussian:spread=0.25"),
    "measure_every": ("measure", "w1:every=100"),
    "measure_rows": ("measure", "w1:rows=512"),
    "patience": ("measure", "w1:patience=5"),
    "critic_final": ("schedule", "cosine:critic_final=0"),
}
"""Former options, each with the option that replaces it and an example of its value."""


def resolve(given: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Config:
    """Return a configuration from the options given, which override ``defaults``.

    The types of columns can be a mapping or, in TOML, a table, keyed by column.

    Raises:
        InputError: a name is unknown, a type is wrong, or a value is out of range; all at once.
    """
    hints = typing.get_type_hints(Config)
    problems, values = [], dict(defaults or {})
    fields = {f.name: f for f in dataclasses.fields(Config)}
    for name, value in given.items():
        if name not in fields:
            now = RENAMED.get(name)
            hint = f"; did you mean {now[0]}={now[1]}?" if now else did_you_mean(name, fields)
            problems.append(f"unknown option {name!r}{hint}")
            continue
        if name == "type" and isinstance(value, Mapping):
            value = [f"{column}={own}" for column, own in value.items()]
        try:
            values[name] = _typed(value, hints[name])
        except (TypeError, ValueError, OverflowError) as error:
            problems.append(f"{_flag(name)} {shown(value)}: {error}")
            continue
        problems += _range(name, values[name], fields[name].metadata)
    if problems:
        raise InputError(*problems)
    return Config(**values)


def _range(name: str, value: Any, limits: Mapping[str, Any]) -> list[str]:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return []
    low, high = limits["low"], limits["high"]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{_flag(name)} {value}: give a finite number"]
    if low is not None and not value >= low:
        return [f"{_flag(name)} {reprlib.repr(value)}: must be at least {low:,}"]
    if high is not None and not value <= high:
        return [f"{_flag(name)} {reprlib.repr(value)}: must be at most {high:,}"]
    return []


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _typed(value: Any, hint: Any) -> Any:
    options = typing.get_args(hint)
    if value is None and type(None) in options:
        return None
    if type(None) in options:
        hint = next(o for o in options if o is not type(None))
    if typing.get_origin(hint) is Literal:
        if not isinstance(value, str) or value not in typing.get_args(hint):
            raise ValueError(f"unknown{did_you_mean(str(value), typing.get_args(hint))}")
        return str(value)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_typed(item, inner) for item in _items(value, inner))
    if isinstance(value, (bool, np.bool_)) != (hint is bool):
        raise TypeError(f"must be {TYPES[hint]}")
    if hint is bool:
        return bool(value)
    if hint in (int, float) and isinstance(value, Real):
        number = int(value) if isinstance(value, Integral) else float(value)
        if not math.isfinite(number):
            raise ValueError("must be finite")
        if hint is float or number == int(number):
            return hint(number)
    if hint is str and isinstance(value, (str, PurePath)):
        return str(value)
    raise TypeError(f"must be {TYPES[hint]}")


TYPES: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
}


def _items(value: Any, inner: Any) -> list[Any]:
    """Return the items of an option that takes several; a single value counts as one item."""
    if isinstance(value, (str, Real)):
        return [value]
    # A set has no order, so a run would not be reproducible; an iterator can be read only once.
    if isinstance(value, (bytes, Set, Mapping)) or not (
        isinstance(value, Sequence) or hasattr(value, "__array__")
    ):
        raise TypeError(f"must be {TYPES[inner]}, or a list of it")
    return list(value)
