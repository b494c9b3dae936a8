"""``surveyor translate``: translate or enlarge pictures with a run trained for that task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from surveyor import api
from surveyor.cli.console import app
from surveyor.cli.flags import Device, Output, Overwrite
from surveyor.cli.output import sample_output_problems, write_samples
from surveyor.errors import InputError


@app.command
def translate(
    run: Path,
    source: str,
    /,
    *,
    output: Output = None,
    seed: int = 0,
    device: Device = None,
    overwrite: Overwrite = False,
) -> int:
    """Translate or enlarge pictures, or turn vectors into pictures, with a run trained to do so.

    Parameters
    ----------
    run
        The run folder, trained with --task.
    source
        What to translate: a picture, a folder of pictures, or arrays.
    output
        The file to write, in the format of its suffix, by default translated.png; a name without a
        suffix is a folder of pictures.
    seed
        Random seed; equal seeds give equal results.
    """
    model = api.load(run, device=device)
    files, default_name = model.run.kind.files, "translated.png"
    if problems := sample_output_problems(output, files, default_name, overwrite):
        raise InputError(*problems)
    output = output or Path(default_name)
    apart = None if output.suffix else files.of_several_sizes(source, model.run.options)
    made: Any = model.translate(source, seed) if apart is None else _each(model, apart, seed)
    write_samples(made, files, output, files.names_in(source))
    return 0


def _each(model: api.Model, pictures: list[np.ndarray], seed: int) -> list[dict[str, Any]]:
    """Translate pictures of several sizes, in one batch per size."""
    made: dict[int, dict[str, Any]] = {}
    for shape in dict.fromkeys(p.shape for p in pictures):
        own = [k for k, p in enumerate(pictures) if p.shape == shape]
        found = model.translate(np.stack([pictures[k] for k in own]), seed)
        made |= {k: {n: v[j : j + 1] for n, v in found.items()} for j, k in enumerate(own)}
    return [made[k] for k in sorted(made)]
