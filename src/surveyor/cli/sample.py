"""``surveyor sample``: draw samples from a trained run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

import surveyor.run as runs
from surveyor import api
from surveyor.cli.arrivals import sample_network
from surveyor.cli.console import app, out, print_path
from surveyor.cli.flags import Device, Flag, Output, Overwrite, Where
from surveyor.cli.output import parse_where, sample_output_problems, spelt, write_samples
from surveyor.cli.progress import progress_bar
from surveyor.cli.spreadsheet import print_csv
from surveyor.errors import InputError
from surveyor.writing import replacing


@app.command
def sample(
    run: Path | None = None,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 1000,
    where: Where = (),
    output: Output = None,
    parity: str | None = None,
    apart_from: Path | None = None,
    truncate: float = 1.0,
    seed: int = 0,
    device: Device = None,
    safe_csv: Flag = False,
    overwrite: Overwrite = False,
    network: Path | None = None,
) -> int:
    """Draw samples from a trained run, or new nodes of a network.

    Parameters
    ----------
    run
        The run folder.
    n
        Number of samples.
    where
        COLUMN=VALUE, COLUMN=A|B or COLUMN=LOW..HIGH, repeatable; holds in every sample.
    output
        The file to write, in the format of its suffix; a name without a suffix is a folder of
        pictures or graphs. By default tables are printed, and other samples written to a file.
    parity
        OUTCOME:GROUP, such as income:sex: make the outcome equally frequent in every group.
    apart_from
        A table, such as the training data: return no row that equals one of its rows.
    truncate
        Scale the latent of pictures and vectors by this; below 1, samples are more typical and
        less varied.
    seed
        Random seed; equal seeds give equal samples.
    safe_csv
        In a .csv, put ' before text that a spreadsheet would run as a formula.
    network
        A file of a network's edges, in place of RUN: new nodes, each joined to nodes of the
        network as these are to each other, an edge a row.
    """
    if network is not None:
        others = {
            "RUN": run, "--where": where, "--parity": parity, "--apart-from": apart_from,
            "--truncate": truncate != 1, "--device": device, "--safe-csv": safe_csv,
        }  # fmt: skip
        return sample_network(network, n, seed, others, output, overwrite)
    if run is None:
        raise InputError("sample: give RUN, or --network EDGES")
    model = api.load(run, device=device)
    conditions, files = parse_where(where, model.run.codec.selectable_names), model.run.kind.files
    fair, problems = _parse_parity(parity)
    default_name = f"samples{files.suffix_for(model.run.codec)}"
    printed = output is None and files.tabular
    problems += [] if printed else sample_output_problems(output, files, default_name, overwrite)
    if problems:
        raise InputError(*problems)
    long = n > runs.PART and fair is None and model.run.codec.repeats
    if output is not None and files.tabular and long:
        return _in_parts(model, n, conditions, seed, apart_from, output, safe_csv)
    made: Any = model.sample(n, conditions, seed, fair, apart_from, truncate)
    if printed:
        print_csv(spelt(made, model.run.codec, output, safe_csv))
        return 0
    made = made if output is None else spelt(made, model.run.codec, output, safe_csv)
    write_samples(made, files, output or Path(default_name))
    return 0


def _in_parts(
    model: api.Model,
    n: int,
    where: dict[str, str],
    seed: int,
    apart_from: Path | None,
    output: Path,
    safe: bool,
) -> int:
    """Write a table of any length, a part at a time."""

    def parts(show: Callable[[int, int], None]) -> Iterator[Any]:
        done = 0
        for part in runs.draw_parts(model.run, n, where, seed, apart_from):
            done += len(part)
            yield spelt(part, model.run.codec, output, safe)
            show(done, n)

    with progress_bar("sampling", out) as show, replacing(output) as new:
        model.run.kind.files.write_parts(parts(show), new)
    print_path(f"{n:,} samples in {output}")
    return 0


def _parse_parity(parity: str | None) -> tuple[tuple[str, str] | None, list[str]]:
    """Return the pair that OUTCOME:GROUP names, and the problems with it."""
    outcome, _, group = (parity or "").partition(":")
    if parity is None:
        return None, []
    wrong = (
        [] if outcome and group else [f"--parity {parity}: write OUTCOME:GROUP, such as income:sex"]
    )
    return (outcome, group), wrong
