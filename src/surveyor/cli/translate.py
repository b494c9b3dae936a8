"""``surveyor translate``: translate or enlarge pictures with a run trained for it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from cyclopts import Parameter

from surveyor import api
from surveyor.cli.console import app
from surveyor.cli.flags import Device
from surveyor.cli.output import checked, written
from surveyor.errors import InputError


@app.command
def translate(
    run: Path,
    source: str,
    /,
    *,
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    seed: int = 0,
    device: Device = None,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Translate or enlarge pictures, or depict vectors, with a run trained for that task.

    Parameters
    ----------
    run
        The run folder, trained with --task.
    source
        The source: a picture, a folder of pictures, or arrays.
    output
        The file to write; its suffix sets the format, a name without a suffix is a folder.
    seed
        Equal seeds give equal results.
    overwrite
        Replace the file if it exists.
    """
    model = api.load(run, device=device)
    files, usual = model.run.kind.files, "translated.png"
    if problems := checked(output, files, usual, overwrite):
        raise InputError(*problems)
    output = output or Path(usual)
    apart = None if output.suffix else files.of_several_sizes(source, model.run.options)
    made: Any = model.translate(source, seed) if apart is None else _each(model, apart, seed)
    written(made, files, output, files.names_in(source))
    return 0


def _each(model: api.Model, pictures: list[np.ndarray], seed: int) -> list[dict[str, Any]]:
    """Translate pictures of several sizes, in one batch per size."""
    made: dict[int, dict[str, Any]] = {}
    for shape in dict.fromkeys(p.shape for p in pictures):
        own = [k for k, p in enumerate(pictures) if p.shape == shape]
        found = model.translate(np.stack([pictures[k] for k in own]), seed)
        made |= {k: {n: v[j : j + 1] for n, v in found.items()} for j, k in enumerate(own)}
    return [made[k] for k in sorted(made)]
