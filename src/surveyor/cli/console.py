"""The application that the commands register with, and its console output."""

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
    """A console that goes silent once its output is closed or cannot be written.

    So ``surveyor train ... | head -1`` trains to the end.
    """

    def print(self, *objects: Any, **how: Any) -> None:
        """Print, or go silent if printing fails."""
        try:
            super().print(*objects, **how)
        except OSError:
            self.on_broken_pipe()

    def on_broken_pipe(self) -> None:
        """Go silent."""
        self.quiet = True
        discard_output()


def discard_output() -> None:
    """Discard all further output to stdout, including what is buffered."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def convert(kind: Any, tokens: Sequence[Token]) -> Any:
    """Convert words as cyclopts does, but refuse decimals that it would round to an integer."""
    for token in tokens if kind in (int, int | None) else ():
        if not _is_whole(token.value):
            raise ValueError(f"{token.value} is not a whole number")
    return cyclopts.convert(kind, tokens)


def _is_whole(word: str) -> bool:
    try:
        return float(word).is_integer()
    except ValueError:
        return True  # cyclopts reports other words


app = App(
    name="surveyor",
    help="Train Wasserstein GANs on your own data, and measure how far two data sets are apart.",
    version=surveyor.__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
    default_parameter=Parameter(converter=convert, negative=()),
)
out = Screen()


JOINERS = "\u200c\u200d"  # needed by Persian and emoji


def visible(text: object) -> str:
    """Return text with control characters, line breaks and direction marks escaped.

    So no name or value can move the cursor, forge a line or reverse one.
    """
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c not in JOINERS
        else c
        for c in str(text)
    )


def escaped(text: object) -> str:
    """Return untrusted text with control characters and markup escaped, for a line of ``out``."""
    return escape(visible(text))


def print_error(text: str) -> None:
    """Print one line to stderr, with the program's name."""
    with contextlib.suppress(OSError):
        print(f"surveyor: {visible(text)}", file=sys.stderr)


@contextlib.contextmanager
def print_notices() -> Iterator[None]:
    """Print each notice once, as a line; only the first of several processes prints."""
    printed: set[str] = set()
    others = warnings.showwarning

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        text = str(message.args[0] if isinstance(message, Notice) else message)
        if not issubclass(category, Notice):
            others(message, category, filename, lineno, file, line)
        elif text not in printed and os.environ.get("RANK", "0") == "0":
            printed.add(text)
            print_error(f"note: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", Notice)
        warnings.showwarning = show
        yield


def print_finding(finding: Mapping[str, Any]) -> None:
    """Print a finding with its remedy."""
    text, remedy = escaped(finding["finding"]), escaped(finding["remedy"])
    out.print(f"[yellow]{finding['code']}[/] {text}. [dim]{remedy}.[/]")


def print_path(text: str) -> None:
    """Print a line that contains a path, without wrapping or colour."""
    out.print(visible(text), highlight=False, soft_wrap=True, markup=False)


def print_table(rows: Sequence[Sequence[str]], text: Sequence[int] = (0,)) -> None:
    """Print rows of equally many cells; columns of ``text`` are aligned at the left."""
    columns = [[visible(cell) for cell in column] for column in zip(*rows, strict=True)]
    for k, column in enumerate(columns):
        width = max(map(len, column))
        columns[k] = [c.ljust(width) if k in text else c.rjust(width) for c in column]
    for row in zip(*columns, strict=True):
        print_path("  ".join(row).rstrip())


def output_problems(path: Path | None, endings: Sequence[str], overwrite: bool) -> list[str]:
    """Return the problems with writing to ``path``; the ending "" allows a folder."""
    if path is None:
        return []
    known = " ".join(filter(None, dict.fromkeys(endings)))
    folder = "" in endings and not path.suffix
    if path.name.startswith(".") and not path.suffix:
        return [f"-o {path}: a suffix without a name; give a name before it; known: {known}"]
    if not folder and not path.name.lower().endswith(tuple(e for e in endings if e)):
        return [f"-o {path}: unknown format; known: {known}"]
    if not path.parent.is_dir():
        return [f"-o {path}: folder {path.parent} does not exist; create it first"]
    if path.is_dir() and not folder:
        return [f"-o {path}: a folder has that name; choose another name"]
    if os.path.lexists(path) and not overwrite:
        return [f"-o {path}: already exists; choose another name or add --overwrite"]
    return []


def html_problems(path: Path | None, overwrite: bool) -> list[str]:
    """Return the problems with writing a page to ``path``."""
    return [p.replace("-o ", "--html ") for p in output_problems(path, (".html",), overwrite)]
