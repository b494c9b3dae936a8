"""The data sets that ``surveyor distance`` compares with the first, and what is found of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from surveyor.arguments import collecting
from surveyor.cli.progress import progress_bar
from surveyor.data import Options
from surveyor.data.sources import resolve
from surveyor.errors import InputError, notify
from surveyor.judgement.reading import names_of
from surveyor.kinds.loading import recognise, tables_in
from surveyor.ruler import Budget, Drift, ReferenceDrift, against, drift, read_reference
from surveyor.ruler.reference import is_reference
from surveyor.two_sample.statistics import FEWEST_ROWS

Found = Drift | ReferenceDrift
Measured = Mapping[str, Found | str]
"""What was found of each data set, by name, or why there is no verdict."""


@dataclass(frozen=True, eq=False)
class Sets:
    """A first data set, and those to compare it with.

    ``first`` names the one, ``source`` is its path, and ``others`` are the sources of the others by
    name. They are ``several`` if the user asked for more than one, even if there is one, and can be
    parts of one data set ``by`` a column.
    """

    first: str
    source: str
    others: Mapping[str, Any]
    several: bool
    by: str | None = None


def second_sets(a: str, b: Sequence[str]) -> Sets:
    """Return the data sets to compare with ``a``, folders of tables expanded.

    Raises:
        InputError: the first does not exist, or a folder has no tables.
    """
    tabular = is_reference(a) or recognise(resolve(a)).files.tabular
    paths: list[str] = []
    problems: list[str] = []
    for path in b:
        if not (tabular and path and Path(path).is_dir()):
            paths.append(path)
            continue
        with collecting(problems):
            inside = tables_in(Path(path))
            apart = [file for file in inside if file.resolve() != Path(a).resolve()]
            if len(apart) < len(inside):
                notify(f"{a}: is in {path} as well, and not compared with itself")
            paths += map(str, apart)
    if problems:
        raise InputError(*problems)
    names = names_of({str(k): path for k, path in enumerate([a, *paths])})
    others = {names[str(k)]: path for k, path in enumerate(paths, 1)}
    return Sets(names["0"], a, others, list(b) != paths or len(paths) > 1)


def parts_of(sets: Sets, by: str) -> Sets:
    """Return the parts of a single second data set by the values of a column.

    Raises:
        InputError: there are several, or it cannot be split so.
    """
    if sets.several:
        raise InputError("--by: splits one data set; give one file after the first")
    (source,) = (resolve(other) for other in sets.others.values())
    parts = recognise(source).files.split(source, by)
    others = {f"{by} = {value}": part for value, part in parts.items()}
    return Sets(sets.first, sets.source, others, True, by)


def measured(sets: Sets, method: str, budget: Budget, options: Options) -> Measured:
    """Compare every data set with the first; of parts with few rows say that they are too few.

    Raises:
        InputError: data sets that cannot be read, or not compared; the problems of all.
    """
    if sets.by is not None:
        options = replace(options, drop=tuple(dict.fromkeys([*options.drop, sets.by])))
    if is_reference(sets.source):
        reference = read_reference(Path(sets.source))
        test = partial(against, reference, options=options, seed=budget.seed)
    found: dict[str, Found | str] = {}
    problems: list[str] = []
    for name, source in sets.others.items():
        own: list[str] = []
        if sets.by is not None and len(source) < FEWEST_ROWS:
            rows = f"{len(source)} row{'s' * (len(source) != 1)}"
            found[name] = f"{rows}, too few for a verdict; at least {FEWEST_ROWS} are needed"
            continue
        with collecting(own), progress_bar("critic", Console(stderr=True)) as watch:
            if is_reference(sets.source):
                found[name] = test(source, (sets.first, name))
            else:
                found[name] = drift(
                    sets.source,
                    source,
                    method,  # type: ignore[arg-type]
                    budget.seed,
                    budget=budget,
                    watch=watch,
                    options=options,
                )
        if own and sets.by is not None:  # all parts have the same columns
            raise InputError(*own)
        problems += own if not sets.several else [p if name in p else f"{name}: {p}" for p in own]
    if problems:
        raise InputError(*problems)
    return found
