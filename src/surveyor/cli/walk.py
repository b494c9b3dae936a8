"""``surveyor walk``: samples along a closed path through the latent space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app, output_problems, print_path
from surveyor.cli.flags import Device, Output, Overwrite, Where
from surveyor.cli.output import parse_where
from surveyor.errors import InputError
from surveyor.writing import replacing


@app.command
def walk(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 60,
    where: Where = (),
    output: Output = None,
    seed: int = 0,
    device: Device = None,
    overwrite: Overwrite = False,
) -> int:
    """Draw samples along a closed path through the latent space, as an animation.

    Parameters
    ----------
    run
        The folder of a run on pictures or vectors.
    n
        Number of frames.
    where
        COLUMN=A|B|C, repeatable: the walk passes through these values in turn.
    output
        The file to write: .gif, .webp or .png for pictures, otherwise a file of samples.
    seed
        Random seed; equal seeds give equal walks.
    """
    model = api.load(run, device=device)
    stops = _stops(parse_where(where, model.run.codec.selectable_names))
    files = model.run.kind.files
    endings = (*files.animations, *files.suffixes, *(o for o in files.outputs if o))
    output = output or Path(f"walk{endings[0]}")
    if problems := output_problems(output, endings, overwrite):
        raise InputError(*problems)
    made = model.walk(n, stops, seed=seed)
    with replacing(output) as new:
        moves = output.suffix.lower() in files.animations
        files.animate(made, new) if moves else files.write(made, new)
    print_path(f"{n:,} frames in {output}")
    return 0


def _stops(conditions: dict[str, str]) -> list[dict[str, str]]:
    """Return the conditions of each stop, from lists such as A|B|C."""
    lists = {name: text.split("|") for name, text in conditions.items()}
    count = max(map(len, lists.values()), default=0)
    return [{name: texts[k % len(texts)] for name, texts in lists.items()} for k in range(count)]
