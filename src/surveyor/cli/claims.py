"""``surveyor claims``: run claims of the theory and write a gallery, one page each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor.claims import claims as every
from surveyor.claims import find, judge
from surveyor.claims.gallery import INDEX, key_figure, outcomes, status, verdict_sentence, write
from surveyor.cli.console import app, out, place
from surveyor.errors import InputError


@app.command
def claims(
    *names: str,
    out_: Annotated[Path, Parameter(name="--out")] = Path("gallery"),
    all_: Annotated[bool, Parameter(name="--all", negative=())] = False,
    seed: int = 1,
    quick: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """List the claims of the theory, or run some and write a page for each.

    Parameters
    ----------
    names
        Claims to run, such as c04-clipping, 4 or clipping; without names, list all claims.
    out_
        Folder for the pages.
    all_
        Run every claim.
    seed
        The first seed.
    quick
        Run fewer steps and one seed.
    """
    chosen = _chosen(tuple(every()) if all_ else names, seed, out_)
    run = {outcome.name: outcome for outcome in outcomes(out_)}
    if not chosen:
        for name, claim in every().items():
            place(f"{name:<28}{status(run[name], claim) if name in run else claim.title}")
        return 0
    whole = [name for name in chosen if quick and name in run and not run[name].quick]
    if whole:
        raise InputError(
            f"--quick: {out_} has full runs of {', '.join(whole)}; give another folder with --out"
        )
    for k, name in enumerate(chosen):
        if len(chosen) > 1:
            out.print(f"[dim]{k + 1} of {len(chosen)}[/] {name}", highlight=False)
        claim = every()[name]
        outcome, found = judge(name, seed, quick, os.cpu_count() or 1)
        path = write(out_, outcome, found)
        place(f"{claim.title}: {verdict_sentence(outcome, claim)}")
        place(f"  {key_figure(outcome, claim)}; {outcome.seconds:.0f} s; {path}")
    place(f"index: {out_ / INDEX}")
    return 0


def _chosen(names: Sequence[str], seed: int, folder: Path) -> list[str]:
    """Return the full names of the claims, each once.

    Raises:
        InputError: a name is unknown, or the seed or folder is invalid; all problems at once.
    """
    found: list[str] = []
    problems: list[str] = []
    for name in names:
        try:
            found.append(find(name))
        except InputError as error:
            problems += error.problems
    if not 0 <= seed < 2**32:
        problems.append(f"--seed {seed}: give a number from 0 to 2^32")
    if not all(path.is_dir() for path in (folder, *folder.parents) if path.exists()):
        problems.append(f"--out {folder}: a file is in the way; give a folder")
    if problems:
        raise InputError(*problems)
    return list(dict.fromkeys(found))
