"""Parameters of the command line: every field of Config, and those that commands share."""

from __future__ import annotations

import dataclasses
import typing
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Group, Parameter

from surveyor.data import Options
from surveyor.options.config import GROUPS, Config


def _flags() -> type:
    """Return a dataclass with every field of Config, None where a flag was not given."""
    annotations: dict[str, Any] = {}
    hints = typing.get_type_hints(Config)
    heading = None
    headings = {first: Group(name, sort_key=k) for k, (first, name) in enumerate(GROUPS.items())}
    for f in dataclasses.fields(Config):
        kind, heading = hints[f.name], headings.get(f.name, heading)
        parameter = Parameter(
            help=f.metadata["help"],
            group=heading,
            consume_multiple=typing.get_origin(kind) is tuple,
        )
        annotations[f.name] = Annotated[kind | None, parameter]
    body = {"__annotations__": annotations, "__module__": __name__} | dict.fromkeys(annotations)
    return dataclasses.dataclass(frozen=True)(type("Flags", (), body))


Flags = _flags()


def _several(help_: str) -> Any:
    return Annotated[
        tuple[str, ...],
        Parameter(help=help_, consume_multiple=True, show_default=False),
    ]


@dataclasses.dataclass(frozen=True)
class Columns:
    """How to read the columns of tables that are measured, not trained on."""

    drop: _several("Columns to leave out.") = ()  # type: ignore[valid-type]
    type: _several(Config.__dataclass_fields__["type"].metadata["help"]) = ()  # type: ignore[valid-type]
    missing: _several(Config.__dataclass_fields__["missing"].metadata["help"]) = ()  # type: ignore[valid-type]

    @property
    def options(self) -> Options:
        """Return these as the options of readers."""
        return Options(drop=self.drop, type=self.type, missing=self.missing, lenient=True)


Device = Annotated[
    str | None,
    Parameter(
        help="Device to compute on: cpu, cuda or mps; by default that of training, or the CPU if "
        "that is not available."
    ),
]
Flag = Annotated[bool, Parameter(show_default=False)]
Json = Annotated[bool, Parameter(name="--json", show_default=False)]
Output = Annotated[Path | None, Parameter(name=["-o", "--output"])]
Written = Annotated[Path, Parameter(name=["-o", "--output"])]
Overwrite = Annotated[
    bool,
    Parameter(help="Replace the output if it exists.", show_default=False),
]
Where = Annotated[tuple[str, ...], Parameter(show_default=False)]
