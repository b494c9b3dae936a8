"""The command line. Exit codes: 0 done, 1 diverged, 2 bad input, 130 interrupted and saved."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import cyclopts
import numpy as np
import pandas as pd
from cyclopts import App, Parameter
from rich.console import Console
from rich.markup import escape

import surveyor
import surveyor.run as runs
from surveyor import api
from surveyor.batch import Draws
from surveyor.config import Config, read_options
from surveyor.data import load as load_data
from surveyor.data.images import Images, sheet
from surveyor.errors import Diverged, InputError, Interrupted, SurveyorError
from surveyor.progress import progress

app = App(
    name="surveyor",
    help="Wasserstein GANs on your own data, with an honest distance.",
    version=surveyor.__version__,
    result_action="return_value",
)
out = Console()


def _flags() -> type:
    """Return a dataclass with every field of Config, None where a flag was not given."""
    annotations: dict[str, Any] = {}
    hints = Config.__annotations__
    for f in dataclasses.fields(Config):
        kind = eval(hints[f.name], vars(sys.modules[Config.__module__]))
        parameter = Parameter(
            help=f.metadata["help"],
            negative=(),
            consume_multiple=str(hints[f.name]).startswith("tuple"),
        )
        annotations[f.name] = Annotated[kind | None, parameter]
    body = {"__annotations__": annotations, "__module__": __name__} | dict.fromkeys(annotations)
    return dataclasses.dataclass(frozen=True)(type("Flags", (), body))


Flags = _flags()


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
    if resume is not None:
        return _resume(data, resume, out, said or config)
    problems = []
    if not data:
        problems.append("train: no data given; write surveyor train DATA --out RUN")
    if out is None:
        problems.append("train: no --out given; name a folder for the run")
    else:
        try:
            runs.refuse_existing(out)
        except InputError as error:
            problems.extend(error.problems)
    options = (read_options(config) if config is not None else {}) | said
    try:
        loaded, resolved = api.prepare(data, options) if data else (None, None)
    except InputError as error:
        problems.extend(error.problems)
    if problems or out is None or loaded is None or resolved is None:
        raise InputError(*problems)
    return _follow(runs.start(loaded, data, resolved, out))


train.__annotations__["flags"] = Annotated[Flags, Parameter(name="*")]
train.__kwdefaults__ = {**(train.__kwdefaults__ or {}), "flags": Flags()}
app.command(train)


def _resume(data: str, path: Path, target: Path | None, said: object) -> int:
    if said:
        raise InputError(
            "--resume goes on with the run's own configuration; leave other options out"
        )
    if target is not None and target != path:
        raise InputError(f"--out {target}: a resumed run stays in {path}; leave --out away")
    config, name = runs.described(path)
    source = data or name
    if not source:
        raise InputError(f"{path}: was trained on data in memory; resume it from Python")
    return _follow(
        runs.resume(path, load_data(source, api.options_of(config), config.holdout, config.seed))
    )


def _follow(session: runs.Session) -> int:
    for finding in session.findings:
        _finding(vars(finding))
    with progress(session, out) as watch:
        model = api.finish(session, watch)
    result = model.evaluation
    out.print(f"\n[bold]{escape(result['verdict'])}[/]")
    for finding in result["findings"]:
        _finding(finding)
    out.print(
        f"W1 is exact transport on {result['n']:,} held-out points, in {result['unit']}.",
        style="dim",
    )
    if model.run.kind.name == "images":
        out.print(f"sheet   {_sheet(model)}", highlight=False, soft_wrap=True)
    out.print(f"report  {session.path / 'report.html'}", highlight=False, soft_wrap=True)
    return 0


def _finding(finding: Mapping[str, Any]) -> None:
    told, remedy = escape(finding["finding"]), escape(finding["remedy"])
    out.print(f"[yellow]{finding['code']}[/] {told}. [dim]{remedy}.[/]")


def _sheet(model: api.Model, n: int = 100) -> Path:
    """Write a sheet of samples, one row a condition where there are few."""
    codec = model.run.codec
    path = model.run.path / "samples.png"
    columns = codec.conditions.columns
    if (len(columns) == 1 and not columns[0].ordered) or (
        len(columns) == 1 and columns[0].size <= 20
    ):
        rows = [
            model.sample(
                10, {columns[0].name: columns[0].decode(np.array([k]), Draws(0))[0]}, seed=k
            )
            for k in range(min(columns[0].size, 20))
        ]
        main = next(iter(rows[0]))
        pictures = np.concatenate([row[main] for row in rows])
    else:
        made = model.sample(n)
        pictures = made[next(iter(made))]
    sheet(pictures, columns=10, zoom=max(1, 40 // pictures.shape[1])).save(path)
    return path


@app.command
def sample(
    run: Path,
    /,
    *,
    n: Annotated[int, Parameter(name=["-n", "--number"])] = 1000,
    where: tuple[str, ...] = (),
    output: Annotated[Path | None, Parameter(name=["-o", "--output"])] = None,
    seed: int = 0,
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Draw samples from a trained run.

    Parameters
    ----------
    run
        The run folder.
    n
        How many.
    where
        COL=VALUE, repeatable; true in every sample returned.
    output
        The file to write; its suffix says the format. A table goes to the screen without it.
    seed
        Equal seeds give equal samples.
    overwrite
        Replace the file if it exists.
    """
    conditions = _where(where)
    model = api.load(run)
    kind = model.run.kind
    endings = (*kind.suffixes, ".csv") if kind.name != "images" else (*kind.suffixes,)
    problems = _writable(output, endings, overwrite)
    if n < 1:
        problems.append(f"-n {n}: give at least 1")
    if problems:
        raise InputError(*problems)
    made = model.sample(n, conditions, seed)
    if output is None and isinstance(made, pd.DataFrame):
        made.to_csv(sys.stdout, index=False)
        return 0
    output = output or Path("samples.png" if isinstance(kind, Images) else "samples.npz")
    problems = _writable(output, endings, overwrite)
    if problems:
        raise InputError(*problems)
    kind.write(made, output)
    out.print(f"{n:,} samples in {output}", highlight=False, soft_wrap=True)
    return 0


def _where(items: Sequence[str]) -> dict[str, str]:
    result: dict[str, str] = {}
    problems = []
    for item in items:
        name, equals, value = item.partition("=")
        if not equals or not name:
            problems.append(f"--where {item}: write COL=VALUE")
        elif name in result and result[name] != value:
            problems.append(
                f"--where {name}: both {result[name]!r} and {value!r} asked for; choose one"
            )
        result[name] = value
    if problems:
        raise InputError(*problems)
    return result


def _writable(path: Path | None, endings: Sequence[str], overwrite: bool) -> list[str]:
    if path is None:
        return []
    if not path.name.lower().endswith(tuple(endings)):
        return [f"-o {path}: unknown format; known: {' '.join(dict.fromkeys(endings))}"]
    if not path.parent.is_dir():
        return [f"-o {path}: no folder {path.parent}; make it first"]
    if path.exists() and not overwrite:
        return [f"-o {path}: exists already; choose another name or add --overwrite"]
    return []


@app.command
def evaluate(
    run: Path,
    /,
    *,
    against: str | None = None,
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
) -> int:
    """Measure a run against its held-out data, or against other data.

    Parameters
    ----------
    run
        The run folder.
    against
        Data of the same kind; the run's own held-out part without it.
    json_
        Print all numbers as JSON.
    """
    result = api.load(run).evaluate(against)
    if json_:
        print(json.dumps(result, indent=1))
        return 0
    out.print(f"[bold]{escape(result['verdict'])}[/]")
    for part in (*result["conditions"], *result["groups"]):
        w1, floor = (
            "never generated" if v is None else f"{v:.4g}" for v in (part["w1"], part["floor"])
        )
        out.print(f"  {escape(part['name'])}: W1 {w1}, floor {floor}", highlight=False)
    for finding in result["findings"]:
        _finding(finding)
    return 0


@app.command
def report(run: Path, /, *, data: str | None = None) -> int:
    """Write the report of a run again.

    Parameters
    ----------
    run
        The run folder.
    data
        The data it was trained on, where they have moved.
    """
    out.print(str(api.load(run).report(data)), highlight=False, soft_wrap=True)
    return 0


@app.command
def distance(
    a: str,
    b: str,
    /,
    *,
    method: str = "auto",
    json_: Annotated[bool, Parameter(name="--json", negative=())] = False,
    seed: int = 0,
) -> int:
    """Measure W1 between two data sets of the same columns or shape.

    Parameters
    ----------
    a
        The first data set; its own halves give the floor.
    b
        The second.
    method
        auto, exact or sliced.
    json_
        Print the numbers as JSON.
    seed
        Seed of subsamples and directions.
    """
    measured = api.distance(a, b, method, seed)
    if json_:
        print(json.dumps(dataclasses.asdict(measured)))
        return 0
    out.print(f"[bold]{escape(api.compared(measured))}[/]")
    out.print(
        f"W1 {measured.value:.4g}, floor {measured.floor:.4g} ({measured.floor_n:,} rows against "
        f"of the first), 95% interval {measured.low:.4g} to {measured.high:.4g}\n"
        f"method: {measured.method}, on {measured.n[0]:,} and {measured.n[1]:,} rows",
        highlight=False,
    )
    return 0


@app.command
def score(
    run: Path,
    data: str,
    /,
    *,
    output: Annotated[Path, Parameter(name=["-o", "--output"])],
    overwrite: Annotated[bool, Parameter(negative=())] = False,
) -> int:
    """Write the critic's score of every row: low where a row is unlike the training data.

    Parameters
    ----------
    run
        The run folder.
    data
        Rows to score.
    output
        A .csv with one score a row, in the order of the rows.
    overwrite
        Replace the file if it exists.
    """
    problems = _writable(output, (".csv",), overwrite)
    if problems:
        raise InputError(*problems)
    scores = api.load(run).score(data)
    pd.DataFrame({"score": scores}).to_csv(output, index=False)
    out.print(
        f"{len(scores):,} scores in {output}; low is unlike the data",
        highlight=False,
        soft_wrap=True,
    )
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = app(words, exit_on_error=False, print_error=False)
        return int(code or 0)
    except Interrupted as error:
        return _say(error, 130)
    except KeyboardInterrupt:
        return _say(SurveyorError("interrupted"), 130)
    except Diverged as error:
        return _say(error, 1)
    except (SurveyorError, cyclopts.CycloptsError) as error:
        return _say(error, 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        return _say(SurveyorError(f"{error.filename or 'system'}: {error.strerror or error}"), 2)


def _say(error: Exception, code: int) -> int:
    for line in str(error).strip().splitlines():
        print(f"surveyor: {line.strip()}", file=sys.stderr)
    return code


def entry() -> None:
    """Be the ``surveyor`` command."""
    sys.exit(main())
