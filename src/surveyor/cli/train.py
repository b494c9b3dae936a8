"""``surveyor train``: start a run, or resume one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter
from rich.table import Table

import surveyor.run as runs
from surveyor import api, federated
from surveyor.cli.console import app, escaped, out, print_finding, print_path
from surveyor.cli.flags import Flags
from surveyor.cli.progress import progress
from surveyor.data import Data
from surveyor.data.types import type_names
from surveyor.errors import InputError
from surveyor.measures import SeenRun
from surveyor.options import OWN, read_options
from surveyor.report.rehearsal import rehearse
from surveyor.training.ranks import Ranks, joined_ranks, leave_ranks
from surveyor.writing import replacing

MOST_COLUMNS = 60  # columns listed before training


def train(
    data: Annotated[str, Parameter(show_default=False)] = "",
    /,
    *,
    out: Path | None = None,
    resume: Path | None = None,
    config: Path | None = None,
    flags: Any = None,
) -> int:
    """Train a generator on DATA and write a run folder.

    Defaults depend on the kind of data; config.toml in the run folder lists the values used.

    Parameters
    ----------
    data
        A .csv, .parquet, .arrow, .npy or .npz file, a folder of pictures, example:NAME or toy:NAME.
    out
        The run folder to create.
    resume
        The folder of an interrupted run to resume.
    config
        A TOML file with options, such as another run's config.toml; flags override it.
    """
    given = {k: v for k, v in vars(flags).items() if v is not None}
    ranks = joined_ranks()
    if ranks.restarts and out is not None and (out / "config.toml").exists():
        # The launcher restarted after a process was lost: continue from the checkpoint.
        resume, out, given, config = out, None, {}, None
    if resume is not None:
        return _resume(data, resume, out, given or config, ranks)
    options = (read_options(config) if config is not None else {}) | given
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
    return run_session(runs.start(loaded, data, resolved, out, ranks=ranks, rehearse=rehearse))


train.__annotations__["flags"] = Annotated[Flags, Parameter(name="*")]
train.__kwdefaults__ = {**(train.__kwdefaults__ or {}), "flags": Flags()}
app.command(train)


def _resume(data: str, path: Path, target: Path | None, given: object, ranks: Ranks) -> int:
    if given:
        raise InputError("--resume uses the run's own configuration; remove all other options")
    if target is not None and target != path:
        raise InputError(f"--out {target}: a resumed run stays in {path}; remove --out")
    if not data and federated.members_in(path) is not None:
        return run_session(federated.resume(path))
    found = runs.opened(path, resuming=True)
    config, source = found.config, data or found.data_name
    if not source or OWN in (config.generator, config.critic):
        what = "with modules passed from Python" if source else "on data in memory"
        raise InputError(
            f"{path}: was trained {what}; "
            f"resume it with: {runs.resume_command(path, config, source)}"
        )
    return run_session(runs.resume(path, runs.own_data(found, source), ranks=ranks))


def run_session(session: runs.Session) -> int:
    """Train to the end with progress, then print the verdict, findings and paths.

    Of several processes, only rank 0 prints and evaluates.
    """
    if not session.ranks.is_main:
        for _ in session.records():
            pass
        leave_ranks(session.ranks)
        return 0
    print_columns(session.data)
    before = list(session.findings)
    for finding in before:
        print_finding(vars(finding))
    with progress(session, out) as watch:
        model = api.finish(session, watch)
    leave_ranks(session.ranks)
    evaluation = model.evaluation
    out.print(f"\n[bold]{escaped(evaluation.verdict)}[/]")
    for found in (*session.findings[len(before) :], *evaluation.findings):
        print_finding(vars(found))
    if preview := _preview(model, session.data):
        print_path(f"picture {preview}")
    if "auc" in evaluation.by_name:
        n, unit = evaluation.n, evaluation.unit
        out.print(f"W1 is exact transport on {n:,} held-out points, in {unit}.", style="dim")
    print_path(f"report  {model.run.measured / 'report.html'}")
    return 0


def print_columns(data: Data) -> None:
    """Print how every column of a table was read."""
    rows = data.files.describe(data.raw)
    if not rows:
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for head in ("column", "read as", "example", ""):
        table.add_column(head, overflow="fold")
    for row in rows[:MOST_COLUMNS]:
        table.add_row(*(escaped(text) for text in row))
    out.print(table)
    more = len(rows) - MOST_COLUMNS
    rest = f"and {more:,} more columns; " if more > 0 else ""
    out.print(f"{rest}to change a type: --type COLUMN={'|'.join(type_names())}", style="dim")
    kept, rejected = data.codec.kept_rules, data.codec.rejected_rules
    if kept:
        out.print(f"kept in every row: {escaped('; '.join(kept))}")
    if rejected:
        told = escaped("; ".join(rejected))
        out.print(f"kept by throwing away the rows that break them: {told}")
    if kept or rejected:
        out.print("to learn without these rules: --rules no", style="dim")


def _preview(model: api.Model, data: Data) -> Path | None:
    """Write the preview picture of the run, if its kind of data has one; return its path."""
    run = model.run
    if run.kind.preview is None:
        return None
    name, picture = run.kind.preview(SeenRun(run.game, run.game.generator, data, run.config.seed))
    with replacing(run.path / name) as new:
        picture.save(new)
    return run.path / name
