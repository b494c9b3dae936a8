"""``surveyor train``: start a run, or go on with one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

import surveyor.run as runs
from surveyor import api
from surveyor.cli.console import app, out, place, shown, tell
from surveyor.cli.flags import Flags
from surveyor.cli.progress import progress
from surveyor.data import Data
from surveyor.data.types import type_names
from surveyor.errors import InputError
from surveyor.measures import Seen
from surveyor.options import OWN, read_options
from surveyor.report.rehearsal import rehearse
from surveyor.training.ranks import Ranks, joined_ranks, leave_ranks
from surveyor.writing import replacing

MOST_TOLD = 60  # columns in the table of what was understood


def train(
    data: str = "",
    /,
    *,
    out: Path | None = None,
    resume: Path | None = None,
    config: Path | None = None,
    flags: Any = None,
) -> int:
    """Train a generator on DATA and write a run folder.

    Parameters
    ----------
    data
        .csv .parquet .arrow, .npy .npz, a folder of pictures, example:NAME or toy:NAME.
    out
        The run folder to create.
    resume
        A run folder to go on with, after Ctrl-C or a kill.
    config
        A TOML file with options, such as another run's config.toml; flags go before it.
    """
    said = {k: v for k, v in vars(flags).items() if v is not None}
    ranks = joined_ranks()
    if ranks.restarts and out is not None and (out / "config.toml").exists():
        # The launcher began anew after a process was lost: go on from the checkpoint.
        resume, out, said, config = out, None, {}, None
    if resume is not None:
        return _resume(data, resume, out, said or config, ranks)
    options = (read_options(config) if config is not None else {}) | said
    problems = []
    if not data and str(options.get("task")).startswith("translate"):
        data = "."  # source and target are folders of their own
    if not data:
        problems.append("train: no data given; write surveyor train DATA --out RUN")
    if out is None:
        problems.append("train: no --out given; name a folder for the run")
    else:
        try:
            runs.refuse_existing(out)
        except InputError as error:
            problems.extend(error.problems)
    try:
        loaded, resolved = api.prepare(data, options) if data else (None, None)
    except InputError as error:
        problems.extend(error.problems)
    if problems or out is None or loaded is None or resolved is None:
        raise InputError(*problems)
    return follow(runs.start(loaded, data, resolved, out, ranks=ranks, rehearse=rehearse))


train.__annotations__["flags"] = Annotated[Flags, Parameter(name="*")]
train.__kwdefaults__ = {**(train.__kwdefaults__ or {}), "flags": Flags()}
app.command(train)


def _resume(data: str, path: Path, target: Path | None, said: object, ranks: Ranks) -> int:
    if said:
        raise InputError(
            "--resume goes on with the run's own configuration; leave other options out"
        )
    if target is not None and target != path:
        raise InputError(f"--out {target}: a resumed run stays in {path}; leave --out away")
    found = runs.opened(path, resuming=True)
    config, source = found.config, data or found.data_name
    if not source or OWN in (config.generator, config.critic):
        what = "modules of its own" if source else "data in memory"
        raise InputError(
            f"{path}: was trained {'with' if source else 'on'} {what}; "
            f"go on with: {runs.resume_command(path, config, source)}"
        )
    return follow(runs.resume(path, runs.own_data(found, source), ranks=ranks))


def follow(session: runs.Session) -> int:
    """Train to the end with progress, then print the verdict and where things lie.

    Of several processes the leader does all but the training.
    """
    if not session.ranks.is_main:
        for _ in session.records():
            pass
        leave_ranks(session.ranks)
        return 0
    columns_told(session.data)
    before = list(session.findings)
    for finding in before:
        tell(vars(finding))
    with progress(session, out) as watch:
        model = api.finish(session, watch)
    leave_ranks(session.ranks)
    told = model.evaluation
    out.print(f"\n[bold]{shown(told.verdict)}[/]")
    for found in (*session.findings[len(before) :], *told.findings):
        tell(vars(found))
    if kept := _preview(model, session.data):
        place(f"picture {kept}")
    if "auc" in told.by_name:
        said = f"W1 is exact transport on {told.n:,} held-out points, in {told.unit}."
        out.print(said, style="dim")
    place(f"report  {model.run.measured / 'report.html'}")
    return 0


def columns_told(data: Data) -> None:
    """Print what was understood of every column of a table."""
    rows = data.files.describe(data.raw)
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("column", "read as", "such as", ""):
        table.add_column(head, overflow="fold")
    for row in rows[:MOST_TOLD]:
        table.add_row(*(shown(text) for text in row))
    out.print(table)
    more = len(rows) - MOST_TOLD
    rest = f"and {more:,} more columns; " if more > 0 else ""
    out.print(f"{rest}not so? --type COLUMN={'|'.join(type_names())}", style="dim")


def _preview(model: api.Model, data: Data) -> Path | None:
    """Write the picture that a kind keeps in the run folder, where it keeps one."""
    run = model.run
    if run.kind.preview is None:
        return None
    name, picture = run.kind.preview(Seen(run.game, run.game.generator, data, run.config.seed))
    with replacing(run.path / name) as new:
        picture.save(new)
    return run.path / name
