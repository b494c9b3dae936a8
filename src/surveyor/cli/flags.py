"""Every field of Config as a flag, None where it was not given."""

from __future__ import annotations

import dataclasses
import typing
from typing import Annotated, Any

from cyclopts import Parameter

from surveyor.data import Options
from surveyor.options.config import GROUPS, Config


def _flags() -> type:
    """Return a dataclass with every field of Config, None where a flag was not given."""
    annotations: dict[str, Any] = {}
    hints = typing.get_type_hints(Config)
    heading = ""
    for f in dataclasses.fields(Config):
        kind, heading = hints[f.name], GROUPS.get(f.name, heading)
        parameter = Parameter(
            help=f.metadata["help"],
            group=heading,
            negative=(),
            consume_multiple=typing.get_origin(kind) is tuple,
        )
        annotations[f.name] = Annotated[kind | None, parameter]
    body = {"__annotations__": annotations, "__module__": __name__} | dict.fromkeys(annotations)
    return dataclasses.dataclass(frozen=True)(type("Flags", (), body))


Flags = _flags()


def _several(help_: str, name: str | None = None) -> Any:
    return Annotated[
        tuple[str, ...], Parameter(help=help_, name=name, negative=(), consume_multiple=True)
    ]


@dataclasses.dataclass(frozen=True)
class Columns:
    """How the columns of tables that are only measured are read."""

    drop: _several("Columns to leave out.") = ()  # type: ignore[valid-type]
    type: _several(Config.__dataclass_fields__["type"].metadata["help"]) = ()  # type: ignore[valid-type]
    missing: _several(Config.__dataclass_fields__["missing"].metadata["help"]) = ()  # type: ignore[valid-type]

    @property
    def options(self) -> Options:
        """Return them as the readers take them."""
        return Options(drop=self.drop, type=self.type, missing=self.missing, lenient=True)


Device = Annotated[
    str | None,
    Parameter(
        help="Where to compute: cpu, cuda or mps; as in training unless said.", name="--device"
    ),
]
