"""Data and configuration of a new run, from the user's data and options."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from surveyor.arguments import collecting
from surveyor.build import options_of
from surveyor.data import Data, Options
from surveyor.data.memory import copy_arrays
from surveyor.data.sources import resolve
from surveyor.errors import InputError
from surveyor.kinds.loading import recognise, split_and_encode
from surveyor.options import NONE, Config, configure
from surveyor.options import resolve as resolve_config


def prepare(data: Any, given: Mapping[str, Any]) -> tuple[Data, Config]:
    """Read data and resolve the configuration; problems of both are raised together."""
    given = {name: value for name, value in given.items() if value is not None}
    problems: list[str] = []
    kind, raw, defaults, early = None, None, {}, early_options(given)
    with collecting(problems):
        source = copy_arrays(resolve(data))
        if early is not None:
            kind = recognise(source, options_of(early))
            raw = kind.files.read(source, options_of(early))
            defaults = dict(kind.files.defaults(raw, given))
    # A refused run must not spend privacy budget.
    config = dataclasses.replace(early or Config(), privacy=NONE)
    with collecting(problems):
        config = configure(given, defaults)
    if kind is not None and raw is not None:
        with collecting(problems):
            loaded = split_and_encode(kind, raw, options_of(config), config.holdout, config.seed)
    if problems:
        raise InputError(*problems)
    return loaded, config


READ = frozenset(f.name for f in dataclasses.fields(Options)) & {
    f.name for f in dataclasses.fields(Config)
}


def early_options(given: Mapping[str, Any]) -> Config | None:
    """Return the options for reading data; None if they are invalid."""
    try:
        return resolve_config({k: v for k, v in given.items() if k in READ})
    except InputError:  # reported when all options are resolved
        return None
