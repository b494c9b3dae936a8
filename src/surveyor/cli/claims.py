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
from surveyor.cli.console import app, out, print_path
from surveyor.cli.flags import Flag
from surveyor.errors import InputError


@app.command
def claims(
    *names: str,
    out_: Annotated[Path, Parameter(name="--out")] = Path("gallery"),
    all_: Annotated[bool, Parameter(name="--all", show_default=False)] = False,
    seed: int = 1,
    quick: Flag = False,
) -> int:
    """List claims of WGAN theory, or test some by experiment and write a page for each.

    Parameters
    ----------
    names
        Claims to test, such as c04-clipping, 4 or clipping; without names, list all claims.
    out_
        Folder for the pages.
    all_
        Test every claim.
    seed
        The first seed; each claim runs on several consecutive seeds.
    quick
        Run fewer steps, on one seed.
    """
    chosen = _chosen(tuple(every()) if all_ else names, seed, out_)
    run = {outcome.name: outcome for outcome in outcomes(out_)}
    if not chosen:
        for name, claim in every().items():
            print_path(f"{name:<28}{status(run[name], claim) if name in run else claim.title}")
        return 0
    whole = [name for name in chosen if quick and name in run and not run[name].quick]
    if whole:
        raise InputError(
            f"--quick: would replace full runs of {', '.join(whole)} in {out_}; choose another "
            "folder with --out"
        )
    for k, name in enumerate(chosen):
        if len(chosen) > 1:
            out.print(f"[dim]{k + 1} of {len(chosen)}[/] {name}", highlight=False)
        claim = every()[name]
        outcome, found = judge(name, seed, quick, os.cpu_count() or 1)
        path = write(out_, outcome, found)
        print_path(f"{claim.title}: {verdict_sentence(outcome, claim)}")
        print_path(f"  {key_figure(outcome, claim)}; {outcome.seconds:.0f} s; {path}")
    print_path(f"index: {out_ / INDEX}")
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
        problems.append(f"--seed {seed}: give a number from 0 to 2^32 - 1")
    if not all(path.is_dir() for path in (folder, *folder.parents) if path.exists()):
        problems.append(f"--out {folder}: a file has that name; choose a folder")
    if problems:
        raise InputError(*problems)
    return list(dict.fromkeys(found))
