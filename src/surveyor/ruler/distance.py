"""``surveyor.distance`` and ``surveyor.reference``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from surveyor.arguments import choice, collecting, integer, path_of, seed_of
from surveyor.data.measured import columns_read
from surveyor.errors import InputError
from surveyor.process_state import with_default_settings
from surveyor.ruler.comparison import LIMIT, METHODS, Comparison, Method, compare
from surveyor.ruler.critic import Budget
from surveyor.ruler.drift import drift
from surveyor.ruler.reference import (
    SUFFIX,
    against,
    is_reference,
    read_reference,
    summarised,
    write_reference,
)

LEAST = 8  # the fewest rows per side


@with_default_settings
def distance(
    a: Any,
    b: Any,
    method: Method = "auto",
    seed: int = 0,
    limit: int = LIMIT,
    *,
    steps: int = Budget.steps,
    batch: int = Budget.batch,
    drop: Sequence[str] = (),
    type: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Comparison:
    """Measure W1 between two data sets of one kind, in the units of ``evaluation``.

    ``a`` and ``b`` are anything that ``fit`` takes, or callables ``draw(n) -> (n, d)`` that return
    fresh samples. ``method`` is ``auto`` or ``exact`` (transport, with a lower bound from its dual
    potentials), ``critic`` (a critic trained for ``steps`` of ``batch`` rows per side), or
    ``sliced``. ``drop``, ``type``, ``missing`` are as in ``Model.evaluate``. The result brackets W1
    between ``low`` and ``high``; its ``critic``, (n, d) to (n,), has slope at most ``bound`` and
    high scores on ``a``.

    ``a`` can be the path of a reference that ``surveyor.reference`` has written. Then the tests of
    columns and pairs are all there is: ``low`` is 0, ``high`` infinite, ``value`` not a number.

    Raises:
        InputError: columns or shapes differ, or the data or the reference cannot be read.
    """
    problems: list[str] = []
    with collecting(problems):
        seed, limit = seed_of(seed), integer("--limit", limit, LEAST)
    with collecting(problems):
        steps, batch = integer("--steps", steps, 1), integer("--batch", batch, 2)
    with collecting(problems):
        options = columns_read(drop, type, missing)
    with collecting(problems):
        method = choice("--method", method, METHODS)  # type: ignore[assignment]
    problems += reference_problems(a, b, method)
    if problems:
        raise InputError(*problems)
    if is_reference(a):
        known, names = read_reference(path_of("reference", a)), (str(a), name_of(b))
        return against(known, b, names, options, seed).comparison
    budget = Budget(steps=steps, batch=batch, seed=seed)
    if callable(a) != callable(b):
        raise InputError("only one of the two is a callable; give two callables or two data sets")
    if callable(a):
        return compare(a, b, method, seed, limit, budget)
    return drift(a, b, method, seed, limit, budget, explain=False, options=options).comparison


@with_default_settings
def reference(
    data: Any,
    path: str | Path,
    *,
    drop: Sequence[str] = (),
    type: Sequence[str] = (),
    missing: Sequence[str] = (),
    overwrite: bool = False,
) -> Path:
    """Write a reference of a table to ``path``, NAME.ref, for ``distance`` to compare others with.

    It holds the types of the columns, counts of their values, and moments of pairs of columns, but
    no rows: a value that fewer than 20 rows have is not in it. That is no guarantee of differential
    privacy.

    Raises:
        InputError: the data cannot be read, are no table or have fewer than 50 rows, or ``path``
            exists.
        NotWritten: the disk is full or refuses the write.
    """
    problems: list[str] = []
    with collecting(problems):
        path = path_of("path", path)
        if not is_reference(path):
            problems.append(f"path {path}: give a name that ends in {SUFFIX}")
        elif os.path.lexists(path) and not overwrite:
            problems.append(f"path {path}: already exists; choose another, or add overwrite=True")
    with collecting(problems):
        options = columns_read(drop, type, missing)
    if problems:
        raise InputError(*problems)
    write_reference(summarised(data, options), Path(path))
    return Path(path)


def name_of(source: Any) -> str:
    """Return what to call a data set in messages."""
    return str(source) if isinstance(source, (str, os.PathLike)) else "the data"


def reference_problems(a: Any, b: Any, method: str = "auto") -> list[str]:
    """Return problems of comparing two data sets, one of which may be a reference."""
    if is_reference(b):
        return [f"{b}: a reference; give it first, and data after it"]
    if is_reference(a) and method != "auto":
        return [f"--method {method}: W1 needs rows, and {a} holds none; leave --method out"]
    return []
