"""The application that commands join, and the console they speak to."""

from __future__ import annotations

import contextlib
import os
import sys
import unicodedata
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import cyclopts
from cyclopts import App, Parameter, Token
from rich.console import Console
from rich.markup import escape

import surveyor
from surveyor.errors import Notice


class Screen(Console):
    """A console that is silent from the moment on when nobody reads it or it cannot be written.

    So that ``surveyor train ... | head -1`` trains to its end.
    """

    def print(self, *objects: Any, **how: Any) -> None:
        """Print, or be silent from now on."""
        try:
            super().print(*objects, **how)
        except OSError:
            self.on_broken_pipe()

    def on_broken_pipe(self) -> None:
        """Be silent from now on."""
        self.quiet = True
        unheard()


def unheard() -> None:
    """Let whatever is still printed go nowhere, what is buffered too."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def typed(kind: Any, tokens: Sequence[Token]) -> Any:
    """Convert words as cyclopts does, which would round a number with decimals to a whole one."""
    for token in tokens if kind in (int, int | None) else ():
        if not _whole(token.value):
            raise ValueError(f"{token.value} is not a whole number")
    return cyclopts.convert(kind, tokens)


def _whole(word: str) -> bool:
    try:
        return float(word).is_integer()
    except ValueError:
        return True  # of other words cyclopts tells


app = App(
    name="surveyor",
    help="Wasserstein GANs on your own data, with an honest distance.",
    version=surveyor.__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(converter=typed),
)
out = Screen()


JOINERS = "\u200c\u200d"  # Persian and emoji need them


def visible(text: object) -> str:
    """Return text whose control characters, line breaks and marks of direction are escapes.

    So that no name or value moves the cursor, forges a line or turns one around.
    """
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in JOINERS
        else c
        for c in str(text)
    )


def shown(text: object) -> str:
    """Return a stranger's text as part of a line for ``out``, without control or markup."""
    return escape(visible(text))


def say(text: str) -> None:
    """Print one line of Surveyor's own to stderr."""
    with contextlib.suppress(OSError):
        print(f"surveyor: {visible(text)}", file=sys.stderr)


@contextlib.contextmanager
def notes() -> Iterator[None]:
    """Print every notice as a line, once; of several processes the first speaks."""
    said: set[str] = set()
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = str(message)
        if not issubclass(category, Notice):
            others(message, category, filename, lineno, file, line)
        elif text not in said and os.environ.get("RANK", "0") == "0":
            said.add(text)
            say(f"note: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        warnings.showwarning = show
        yield


def tell(finding: Mapping[str, Any]) -> None:
    """Print a finding with its remedy."""
    told, remedy = shown(finding["finding"]), shown(finding["remedy"])
    out.print(f"[yellow]{finding['code']}[/] {told}. [dim]{remedy}.[/]")


def place(text: str) -> None:
    """Print a line with a path in it, never broken or coloured."""
    out.print(visible(text), highlight=False, soft_wrap=True, markup=False)


def unwritable(path: Path | None, endings: Sequence[str], overwrite: bool) -> list[str]:
    """Return what stands against writing ``path``, nothing where it can be written.

    An ending "" stands for a folder.
    """
    if path is None:
        return []
    known = " ".join(filter(None, dict.fromkeys(endings)))
    folder = "" in endings and not path.suffix
    if path.name.startswith(".") and not path.suffix:
        return [f"-o {path}: a suffix without a name; known: {known}"]
    if not folder and not path.name.lower().endswith(tuple(e for e in endings if e)):
        return [f"-o {path}: unknown format; known: {known}"]
    if not path.parent.is_dir():
        return [f"-o {path}: no folder {path.parent}; make it first"]
    if path.is_dir() and not folder:
        return [f"-o {path}: a folder of that name is there; choose another name"]
    if os.path.lexists(path) and not overwrite:
        return [f"-o {path}: exists already; choose another name or add --overwrite"]
    return []
