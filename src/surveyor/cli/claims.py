"""``surveyor claims``: the gallery, a page a claim."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor.claims import claims as every
from surveyor.claims import find, judge
from surveyor.claims.gallery import INDEX, headline, outcomes, sentence, write
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
    """List the claims of the theory, or run some and write their pages.

    Parameters
    ----------
    names
        Claims to run: c04-clipping, 4 or clipping; without any they are listed.
    out_
        Folder of the pages.
    all_
        Run every claim.
    seed
        The first seed.
    quick
        Fewer steps, one seed.
    """
    if not 0 <= seed < 2**32:
        raise InputError(f"--seed {seed}: give a number from 0 to 2^32")
    if out_.exists() and not out_.is_dir():
        raise InputError(f"--out {out_}: is a file; give a folder")
    chosen = list(every()) if all_ else list(dict.fromkeys(find(name) for name in names))
    if not chosen:
        run = {outcome.name: outcome for outcome in outcomes(out_)}
        for name, claim in every().items():
            place(f"{name:<24}{run[name].verdict if name in run else claim.title}")
        return 0
    for k, name in enumerate(chosen):
        if len(chosen) > 1:
            out.print(f"[dim]{k + 1} of {len(chosen)}[/] {name}", highlight=False)
        outcome, found = judge(name, seed, quick)
        path = write(out_, outcome, found)
        place(f"{every()[name].title}: {sentence(outcome, every()[name])}")
        place(f"  {headline(outcome)}; {outcome.seconds:.0f} s; {path}")
    place(f"index: {out_ / INDEX}")
    return 0
