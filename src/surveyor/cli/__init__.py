"""The command line.

Exit codes: 0 done, 1 diverged, 2 bad input, 3 distance above the limit, 130 interrupted.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import cyclopts

from surveyor import options
from surveyor.cli import (
    claims,
    distance,
    federate,
    fill,
    judge,
    measure,
    reference,
    sample,
    train,
    translate,
    walk,
)
from surveyor.cli.console import app, discard_output, print_error, print_notices
from surveyor.errors import Diverged, InputError, Interrupted, SurveyorError
from surveyor.process_state import default_settings

__all__ = [
    "claims",
    "distance",
    "entry",
    "federate",
    "fill",
    "judge",
    "main",
    "measure",
    "reference",
    "sample",
    "train",
    "translate",
    "walk",
]


COMMANDS = {"--answer": "surveyor translate RUN PICTURES", "--walk": "surveyor walk RUN"}
RENAMED = {
    "sample": COMMANDS,
    "train": {
        f"--{old.replace('_', '-')}": f"--{new.replace('_', '-')} {example}"
        for old, (new, example) in options.RENAMED.items()
    },
}
"""Former flags of each command, with their replacements."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        known = RENAMED.get(words[0], {}) if words else {}
        if moved := known.keys() & {word.partition("=")[0] for word in words[1:]}:
            raise InputError(*(f"{flag}: did you mean {known[flag]}?" for flag in sorted(moved)))
        with print_notices(), default_settings():
            return int(app(words, exit_on_error=False, print_error=False) or 0)
    except Interrupted as error:
        return _report(error, 130)
    except KeyboardInterrupt:
        return _report(SurveyorError("interrupted"), 130)
    except Diverged as error:
        return _report(error, 1)
    except (SurveyorError, cyclopts.CycloptsError) as error:
        return _report(error, 2)
    except BrokenPipeError:
        discard_output()
        return 0
    except MemoryError as error:
        return _report(SurveyorError(f"out of memory ({str(error) or 'allocation failed'})"), 2)
    except OSError as error:
        return _report(SurveyorError(f"{error.filename or 'output'}: {error.strerror or error}"), 2)


def _report(error: Exception, code: int) -> int:
    if os.environ.get("RANK", "0") != "0" and not isinstance(error, InputError):
        return code  # only the first of several processes prints
    problems = error.problems if isinstance(error, SurveyorError) else (str(error),)
    lines = [line for problem in problems for line in problem.strip().splitlines()]
    for line in problems if isinstance(error, InputError) else lines:
        print_error(line.strip())
    return code


def entry() -> None:
    """Run the ``surveyor`` command and exit."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # for characters outside the locale
    code = main()
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        discard_output()
        if not isinstance(error, BrokenPipeError) and code == 0:
            code = _report(SurveyorError(f"output: {error.strerror}"), 2)
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        sys.exit(code)
    # Threads of a process group may outlive it, and abort the interpreter at shutdown.
    if sys.stderr is not None:
        sys.stderr.flush()
    os._exit(code)
