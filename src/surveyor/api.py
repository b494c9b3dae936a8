"""What a notebook uses: fit, load, distance. Thin: it only joins the rooms below."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from torch import nn

import surveyor.run as runs
from surveyor.arguments import (
    MODULES,
    choice,
    conditions,
    function,
    modules,
    noted,
    pair,
    path_of,
    real,
    seed_of,
    shown,
    whole,
)
from surveyor.build import head_of, plan_of
from surveyor.data.memory import kept
from surveyor.data.sources import resolve
from surveyor.diagnostics import preflight
from surveyor.errors import InputError, Interrupted, NotWritten, tell
from surveyor.kinds.assess import assess
from surveyor.measures import ROWS, Evaluation, Seen
from surveyor.outline import OWN
from surveyor.report import build_report
from surveyor.report.rehearsal import rehearse
from surveyor.ruler import Budget, Comparison, compare, drift
from surveyor.ruler.comparison import LIMIT, METHODS, Method
from surveyor.run.preparing import prepare as prepare
from surveyor.run.reading import columns_read
from surveyor.run.scoring import By
from surveyor.surroundings import in_usual, same_randomness
from surveyor.training import Record
from surveyor.training.interrupt import interruptible

Watch = Callable[[runs.Session, Record], None]
LEAST = 8  # rows a side that a distance is measured on


@dataclass(frozen=True, eq=False)
class Model:
    """A trained generator with its critic and its numbers.

    It is pickled by the path of its run, which is opened again; a copy shares the folder.
    """

    run: runs.Run

    def __reduce__(self) -> tuple[Any, ...]:
        config = self.run.config
        own = [name for name in MODULES if getattr(config, name) == OWN]
        if own:
            raise InputError(
                f"a model with a {own[0]} of its own class cannot be pickled; keep its folder, and "
                f"open it with surveyor.load({str(self.run.path)!r}, {own[0]}=module)"
            )
        return load, (str(self.run.path.absolute()),)

    def __copy__(self) -> Model:
        return Model(self.run)

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return Model(copy.deepcopy(self.run, memo))

    @property
    def evaluation(self) -> Evaluation:
        """Return the final figures, each beside its floor; ``verdict`` is the sentence."""
        if self.run.evaluation is None:
            raise InputError(f"{self.run.path}: not evaluated yet; call evaluate(data)")
        return self.run.evaluation

    @in_usual
    def sample(
        self,
        n: int,
        where: Mapping[str, Any] | None = None,
        seed: int = 0,
        parity: tuple[str, str] | None = None,
        apart_from: Any = None,
        truncate: float = 1.0,
    ) -> Any:
        """Return ``n`` samples in user units: a DataFrame, or arrays by name.

        ``where`` holds in every row: a value, several (a list, or ``"a|b"``), or of numbers and
        dates a range (``"30..40"``). Conditions of the run are given to the generator, other
        columns of a table are met by rejection. With ``parity`` (outcome, group) the outcome is as
        frequent in every group as in all rows; within group and outcome nothing changes. No row of
        a table equals one of ``apart_from``, a DataFrame or a file. ``truncate`` below 1 narrows
        the latent of pictures and vectors: more typical samples, less varied.

        Raises:
            InputError: n below 1, unknown columns, values never seen, or too rare to be met.
        """
        problems: list[str] = []
        with noted(problems):
            n = whole("-n", n, 1)
        with noted(problems):
            seed = seed_of(seed)
        with noted(problems):
            where = conditions("--where", where)
        with noted(problems):
            truncate = real("--truncate", truncate, 1)
        with noted(problems):
            parity = None if parity is None else pair("--parity", parity)
        if problems:
            raise InputError(*problems)
        if parity is not None:
            return runs.with_parity(self.run, n, *parity, dict(where or {}), seed, apart_from)
        return runs.draw_samples(self.run, n, dict(where or {}), seed, apart_from, truncate)

    @in_usual
    def translate(self, pictures: Any, seed: int = 0) -> dict[str, np.ndarray]:
        """Return what a run with a task makes of ``pictures``: enlarged, or translated.

        Arrays, or anything that ``fit`` reads; in the range of those trained on, of any size.

        Raises:
            InputError: a run without a task, or pictures it cannot take.
        """
        return runs.answered(self.run, pictures, seed_of(seed))

    @in_usual
    def walk(
        self, frames: int, where: Sequence[Mapping[str, Any]] = (), stops: int = 4, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Return ``frames`` samples along a closed walk through the latent, arrays by name.

        It passes ``stops`` draws of the latent, and goes from each condition of ``where`` to the
        next.

        Raises:
            InputError: a table, too few frames, or conditions that the run does not have.
        """
        frames, stops, seed = whole("frames", frames, 2), whole("stops", stops, 1), seed_of(seed)
        if isinstance(where, Mapping) or not isinstance(where, Sequence):
            raise InputError(f"--where {shown(where)}: give a list of dictionaries, one a stop")
        asked = [conditions("--where", stop) for stop in where]
        return runs.walk(self.run, frames, asked, stops, seed)

    @in_usual
    def evaluate(
        self,
        data: Any = None,
        rows: int = ROWS,
        *,
        drop: Sequence[str] = (),
        type: Sequence[str] = (),
        missing: Sequence[str] = (),
    ) -> Evaluation:
        """Measure the generator against ``data``, or the run's own held-out rows, and keep that.

        Given data serve as both sides of the floor, half and half, and nothing is said of training
        rows; of a table ``drop`` leaves columns out, ``type`` (``"COLUMN=TYPE"``) says how dates
        and numbers are spelt there, ``missing`` which words stand for a missing value.
        """
        run, rows = self.run, whole("rows", rows, LEAST)
        options = columns_read(drop, type, missing)
        if data is None and options != columns_read():
            raise InputError("--drop, --type, --missing: say it of data that are given")
        measured = runs.trained_on(run) if data is None else runs.other_data(run, data, options)
        own = data is None
        game = replace(run.game, head=head_of(measured.codec, run.game.generator))
        with runs.threads(run.config.threads):
            told = assess(Seen(game, game.generator, measured, run.config.seed, rows, own))
        if not own:
            return told
        plan = plan_of(run.config)
        told = replace(told, privacy=runs.privacy_of(run.config, plan, measured))
        told = runs.with_calibration(told, run.calibration)
        found = preflight(run.game, measured, plan, run.kind.checks)
        told = runs.completed(run.config, told, run.history, found)
        try:
            with runs.Lock(run.path):
                runs.keep_evaluation(run.path, run.config, told)
        except (InputError, NotWritten) as error:
            tell(f"the numbers are not kept in the run: {error}")
        return told

    @in_usual
    def score(self, data: Any, by: By = "auto") -> np.ndarray:
        """Return a score of every row, (n,), no distance: low where rows are unlike the real ones.

        ``by`` the log likelihood of the generator or the score of the critic; ``auto`` takes the
        likelihood where there is one.

        Raises:
            InputError: ``by`` unknown, or a likelihood asked of a generator that has none.
        """
        return runs.scored(self.run, data, by)

    def save(self, path: str | Path) -> Path:
        """Copy the run folder to ``path``.

        Raises:
            InputError: something is there already.
            NotWritten: the disk is full or refuses.
        """
        target = path_of("save", path)
        runs.refuse_existing(target)
        try:
            shutil.copytree(self.run.path, target, dirs_exist_ok=True)
        except OSError as error:
            raise NotWritten(f"{target}: cannot be written ({error.strerror or error})") from error
        return target

    @in_usual
    def report(self, data: Any = None) -> Path:
        """Write ``report.html`` again and return its path."""
        return build_report(self.run, runs.trained_on(self.run, data))


@in_usual
def fit(
    data: Any,
    out: str | Path | None = None,
    *,
    generator: nn.Module | str | None = None,
    critic: nn.Module | str | None = None,
    watch: Watch | None = None,
    **options: Any,
) -> Model:
    """Train on a DataFrame, array, dictionary of arrays, or anything ``surveyor train`` reads.

    ``options`` are those of the command line (``condition=["digit"]``, ``steps=2000``).
    ``generator`` and ``critic`` are names with options (``"conv:width=16"``) or modules of your
    own, (z, cond) to raw output and (x, cond) to scores (n,); without conditions both take one
    argument. ``watch`` is called with the session and a record after every step. Without ``out``
    the run lives as long as the model; where Ctrl-C interrupts it, its folder is kept and named.

    Raises:
        InputError: all that is wrong with data, options and modules, at once.
        Interrupted: Ctrl-C; the state has been saved, and the message says how to go on.
        Diverged: a number was not finite.
    """
    problems: list[str] = []
    with noted(problems):
        if (path := None if out is None else path_of("--out", out)) is not None:
            runs.refuse_existing(path)
    given = {"generator": generator, "critic": critic}
    named = {name: value for name, value in given.items() if isinstance(value, str)}
    own = modules(problems, **{n: v for n, v in given.items() if n not in named})
    function(problems, "watch", watch)
    with noted(problems):
        loaded, config = prepare(data, options | named | dict.fromkeys(own, OWN))
    if problems:
        raise InputError(*problems)
    name = os.fspath(data) if isinstance(data, (str, os.PathLike)) else ""
    home = runs.Temporary() if path is None else None
    try:
        where = home.path / "run" if home else Path(str(path))
        nets = own.get("generator"), own.get("critic")
        session = runs.start(loaded, str(name), config, where, *nets, rehearse=rehearse)
        session.temporary = home
        return finish(session, watch)
    except BaseException as error:
        if home is not None:
            resumable = isinstance(error, (Interrupted, NotWritten)) and where.exists()
            home.keep() if resumable else home.remove()
        raise


def finish(session: runs.Session, watch: Watch | None = None) -> Model:
    """Train a session to its end, evaluate it and write its report.

    Raises:
        Interrupted: Ctrl-C or a polite kill, at any time; the message says how to go on.
    """
    with interruptible(session.interruption):
        with same_randomness():
            for record in session.records():
                if watch is not None:
                    watch(session, record)
            session.finish()
        own = {n: getattr(session.game, n) for n in MODULES if getattr(session.config, n) == OWN}
        run = replace(runs.load(session.path, **own), temporary=session.temporary)
        build_report(run, session.data)
    return Model(run)


@in_usual
def resume(
    path: str | Path,
    data: Any = None,
    *,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    watch: Watch | None = None,
) -> Model:
    """Go on with an interrupted run where it stopped; it ends as the undisturbed one would have.

    Data that were in memory are passed again, as are modules of your own classes.

    Raises:
        InputError: no run there, other data than it was trained on, or modules missing.
    """
    problems: list[str] = []
    own = modules(problems, generator=generator, critic=critic)
    function(problems, "watch", watch)
    with noted(problems):
        folder = path_of("resume", path)
        found = runs.opened(folder, resuming=True)
        source = found.data_name
        problems += runs.other_modules(folder, found.config, own)
        if data is None and not source:
            call = runs.goes_on(folder, found.config, source)
            problems.append(f"{folder}: was trained on data in memory; pass the same again: {call}")
    if problems:
        raise InputError(*problems)
    loaded = runs.own_data(found, kept(resolve(source if data is None else data)))
    session = runs.resume(folder, loaded, own.get("generator"), own.get("critic"))
    return finish(session, watch)


@in_usual
def load(
    path: str | Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    device: str | None = None,
) -> Model:
    """Open a run folder. Modules of your own classes must be passed again.

    ``device`` is where it is computed; the run's own without it, or the processor where that is
    not here.

    Raises:
        InputError: no run there, a damaged one, or modules missing.
    """
    problems: list[str] = []
    own = modules(problems, generator=generator, critic=critic)
    with noted(problems):
        folder = path_of("load", path)
    if problems:
        raise InputError(*problems)
    return Model(runs.load(folder, own.get("generator"), own.get("critic"), device))


@in_usual
def distance(
    a: Any,
    b: Any,
    method: Method = "auto",
    seed: int = 0,
    limit: int = LIMIT,
    *,
    steps: int = Budget.steps,
    batch: int = Budget.batch,
    drop: Sequence[str] = (),
    type: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Comparison:
    """Measure W1 between two data sets of one kind, in the units of ``evaluation``.

    Either everything that ``fit`` takes, or callables ``draw(n) -> (n, d)`` that give fresh
    samples. ``method`` is ``auto`` or ``exact`` (transport; from below a critic made from its dual
    potentials), ``critic`` (a trained one, in ``steps`` of ``batch`` rows a side), or ``sliced``.
    ``drop``, ``type``, ``missing`` are as in ``Model.evaluate``. The result brackets W1 between
    ``low`` and ``high``; its ``critic``, (n, d) to (n,), has slope ``bound`` and is high on ``a``.

    Raises:
        InputError: different columns or shapes, or data that cannot be read.
    """
    problems: list[str] = []
    with noted(problems):
        seed, limit = seed_of(seed), whole("--limit", limit, LEAST)
    with noted(problems):
        steps, batch = whole("--steps", steps, 1), whole("--batch", batch, 2)
    with noted(problems):
        options = columns_read(drop, type, missing)
    with noted(problems):
        method = choice("--method", method, METHODS)  # type: ignore[assignment]
    if problems:
        raise InputError(*problems)
    budget = Budget(steps=steps, batch=batch, seed=seed)
    if callable(a) != callable(b):
        raise InputError("one is a callable, the other is not; give two of either")
    if callable(a):
        return compare(a, b, method, seed, limit, budget)
    return drift(a, b, method, seed, limit, budget, explain=False, options=options).comparison
