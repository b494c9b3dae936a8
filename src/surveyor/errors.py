"""Errors and notices that say what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
import re
import sys
import warnings
from collections.abc import Iterable
from pathlib import Path

PACKAGE = str(Path(__file__).parent / "_")[:-1]


OPTION = re.compile(r"(?<![\w/-])--([a-z]+(?:-[a-z]+)*)")


def in_python(text: str) -> str:
    """Return a message with options as Python names them.

    Messages are written with the command line's ``--label-noise``; in Python the same option is
    ``label_noise``. A quoted command is left unchanged.
    """
    message, command, rest = text.partition("surveyor ")
    return OPTION.sub(lambda found: found[1].replace("-", "_"), message) + command + rest


class SurveyorError(Exception):
    """Base of every error that Surveyor raises on purpose.

    As text it names options as Python does; ``problems`` names them as the command line does.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems

    def __str__(self) -> str:
        """Return the problems, one per line."""
        return "\n".join(map(in_python, self.problems))


class InputError(SurveyorError, ValueError):
    """The input cannot be used; ``problems`` lists every problem found, one line each."""


class Diverged(SurveyorError, ArithmeticError):
    """Training produced a number that is not finite; the message names term, layer and step."""


class NotWritten(SurveyorError):
    """A file could not be written; the previous file, if any, is unchanged."""


class Interrupted(SurveyorError):
    """Training was stopped by the user after its state had been saved."""


class Notice(UserWarning):
    """A warning that something was guessed, left out or changed."""

    def __str__(self) -> str:
        """Return the text, with options as Python names them."""
        return in_python(str(self.args[0]))


def notify(text: str) -> None:
    """Issue a ``Notice`` at the line that called Surveyor; the command line prints it as a note."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(PACKAGE):
        level, frame = level + 1, frame.f_back
    warnings.warn(text, Notice, stacklevel=level)


def did_you_mean(word: str, known: Iterable[object]) -> str:
    """Return ``"; did you mean 'x'?"`` for a near miss, otherwise the list of known names."""
    names = [str(name) for name in known]
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]!r}?"
    shown = ", ".join(names[:12]) + (f", ... ({len(names)} in all)" if len(names) > 12 else "")
    return f"; known: {shown}" if names else ""
