"""Every field of Config as a flag, None where it was not given."""

from __future__ import annotations

import dataclasses
import typing
from typing import Annotated, Any

from cyclopts import Parameter

from surveyor.config import Config


def _flags() -> type:
    """Return a dataclass with every field of Config, None where a flag was not given."""
    annotations: dict[str, Any] = {}
    hints = typing.get_type_hints(Config)
    for f in dataclasses.fields(Config):
        kind = hints[f.name]
        parameter = Parameter(
            help=f.metadata["help"],
            negative=(),
            consume_multiple=typing.get_origin(kind) is tuple,
        )
        annotations[f.name] = Annotated[kind | None, parameter]
    body = {"__annotations__": annotations, "__module__": __name__} | dict.fromkeys(annotations)
    return dataclasses.dataclass(frozen=True)(type("Flags", (), body))


Flags = _flags()
