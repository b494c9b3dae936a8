"""The application that commands join, and the console they speak to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cyclopts import App
from rich.console import Console
from rich.markup import escape

import surveyor

app = App(
    name="surveyor",
    help="Wasserstein GANs on your own data, with an honest distance.",
    version=surveyor.__version__,
    result_action="return_value",
)
out = Console()


def tell(finding: Mapping[str, Any]) -> None:
    """Print a finding with its remedy."""
    told, remedy = escape(finding["finding"]), escape(finding["remedy"])
    out.print(f"[yellow]{finding['code']}[/] {told}. [dim]{remedy}.[/]")


def place(text: str) -> None:
    """Print a line with a path in it, never broken or coloured."""
    out.print(text, highlight=False, soft_wrap=True, markup=False)


def unwritable(path: Path | None, endings: Sequence[str], overwrite: bool) -> list[str]:
    """Return what stands against writing ``path``, nothing where it can be written.

    An ending "" stands for a folder.
    """
    if path is None:
        return []
    folder = "" in endings and not path.suffix
    if not folder and not path.name.lower().endswith(tuple(e for e in endings if e)):
        return [
            f"-o {path}: unknown format; known: {' '.join(filter(None, dict.fromkeys(endings)))}"
        ]
    if not path.parent.is_dir():
        return [f"-o {path}: no folder {path.parent}; make it first"]
    if path.exists() and not overwrite:
        return [f"-o {path}: exists already; choose another name or add --overwrite"]
    return []
