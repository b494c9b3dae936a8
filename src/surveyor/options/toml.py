"""Options in TOML: the ``config.toml`` of a run, and files that users write."""

from __future__ import annotations

import dataclasses
import reprlib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomli_w

from surveyor.errors import InputError
from surveyor.options.config import Config
from surveyor.options.configure import PARTS, part_of
from surveyor.options.values import resolve
from surveyor.reading import in_file

VERSION = 8


def dumps(config: Config, data: str) -> str:
    """Return the text of a ``config.toml``."""
    values = {
        k: list(v) if isinstance(v, tuple) else v for k, v in vars(config).items() if v is not None
    }
    return tomli_w.dumps({"version": VERSION, "data": data, "run": values})


def loads(content: Mapping[str, Any], where: str) -> tuple[Config, str]:
    """Return the configuration and the data's name from the content of a ``config.toml``.

    Raises:
        InputError: the version differs, or a field is missing or invalid.
    """
    version = content.get("version")
    if version != VERSION:
        raise InputError(
            f"{where}: written by version {reprlib.repr(version)} of the format, but this Surveyor "
            f"reads version {VERSION}; train again, or use the Surveyor that wrote it"
        )
    run, data = content.get("run"), content.get("data")
    if not isinstance(run, dict) or not isinstance(data, str):
        raise InputError(f"{where}: damaged (no [run] table or no data); {RESTORE}")
    needed = [f.name for f in dataclasses.fields(Config) if f.default is not None]
    absent = [name for name in needed if name not in run]
    if absent and set(run) <= {f.name for f in dataclasses.fields(Config)}:
        raise InputError(f"{where}: damaged (no {absent[0]}); {RESTORE}")
    try:
        config = resolve(run)
        for option in PARTS:
            part_of(config, option)
    except InputError as error:
        raise in_file(where, error) from error
    return config, data


RESTORE = "restore it or train again"


def read_options(path: Path) -> dict[str, Any]:
    """Return the options in a user's TOML file, or in a run's ``config.toml``.

    Raises:
        InputError: the file is missing or not valid TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"--config {path}: no such file; check the path") from error
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(f"--config {path}: not readable as TOML ({error}); correct it") from error
    run = content.get("run", content)
    if not isinstance(run, dict):
        raise InputError(f"--config {path}: run is not a table; write [run]")
    return {k.replace("-", "_"): v for k, v in run.items()}
