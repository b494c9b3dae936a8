"""Conditions and output files of the commands that generate samples."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surveyor.cli.console import output_problems, print_path
from surveyor.cli.spreadsheet import guard_formulas
from surveyor.data import Codec, Files
from surveyor.errors import InputError
from surveyor.writing import replacing


def sample_output_problems(
    output: Path | None, files: Files, default_name: str, overwrite: bool
) -> list[str]:
    """Return the problems with writing to ``output``, or by default to ``usual``."""
    endings = (*files.suffixes, *files.outputs)
    return output_problems(output or Path(default_name), endings, overwrite)


def spelt(made: Any, codec: Codec, output: Path | None, safe: bool) -> Any:
    """Return samples as a text file or, without ``output``, the terminal has them.

    Other formats keep them unchanged. With ``safe``, text that a spreadsheet would run is quoted.
    """
    if output is not None and not output.name.lower().endswith((".csv", ".csv.gz")):
        return made
    return guard_formulas(codec.as_text(made), safe, str(output or "the samples"))


def write_samples(made: Any, files: Files, output: Path, names: Sequence[str] = ()) -> None:
    """Write samples to a file, or to a folder if ``output`` has no suffix, and print where."""
    if output.suffix:
        with replacing(output) as new:
            files.write(made, new)
        print_path(f"{_count(made):,} samples in {output}")
    else:
        files.write_folder(made, output, names)
        print_path(f"{_count(made):,} samples in {output}")


def _count(made: Any) -> int:
    parts = made if isinstance(made, list) else [made]
    return sum(len(part[next(iter(part))]) for part in parts)


def parse_where(items: Sequence[str], columns: Sequence[str]) -> dict[str, str]:
    """Return the condition on each column in ``--where``; column names may contain an equals sign.

    Raises:
        InputError: an item is malformed, or a column has two conditions; all problems at once.
    """
    result: dict[str, str] = {}
    problems = []
    for item in items:
        fits = [c for c in columns if "=" in c and item.startswith(f"{c}=")]
        name = max(fits, key=len, default=item.partition("=")[0])
        equals, value = item[len(name) : len(name) + 1], item[len(name) + 1 :]
        if not equals or not name:
            problems.append(f"--where {item}: write COLUMN=VALUE")
        elif name in result and result[name] != value:
            problems.append(
                f"--where {name}: given both {result[name]!r} and {value!r}; choose one"
            )
        result[name] = value
    if problems:
        raise InputError(*problems)
    return result
