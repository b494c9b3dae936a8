"""How data are read that are measured, not trained on."""

from __future__ import annotations

from typing import Any

from surveyor.arguments import strings
from surveyor.data import Options


def columns_read(drop: Any = (), type: Any = (), missing: Any = ()) -> Options:
    """Return the options for reading the columns of a table that is only measured.

    Raises:
        InputError: an option is not text.
    """
    drop, type = strings("--drop", drop), strings("--type", type)
    return Options(drop=drop, type=type, missing=strings("--missing", missing), lenient=True)
