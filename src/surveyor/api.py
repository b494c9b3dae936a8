"""The Python interface for notebooks: fit, resume, load."""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from torch import nn

import surveyor.run as runs
from surveyor import federated
from surveyor.arguments import (
    MODULES,
    collecting,
    conditions,
    function,
    integer,
    modules,
    pair,
    path_of,
    positive,
    seed_of,
    shown,
)
from surveyor.build import head_of, plan_of
from surveyor.data.measured import columns_read
from surveyor.data.memory import copy_arrays
from surveyor.data.sources import resolve
from surveyor.diagnostics import preflight
from surveyor.errors import InputError, Interrupted, NotWritten, notify
from surveyor.kinds.assess import assess
from surveyor.measures import ROWS, Evaluation, SeenRun
from surveyor.options import OWN
from surveyor.process_state import preserve_random_state, with_default_settings
from surveyor.report import build_report
from surveyor.report.rehearsal import rehearse
from surveyor.run.preparing import prepare as prepare
from surveyor.run.scoring import By
from surveyor.training import Record
from surveyor.training.interrupt import interruptible

Watch = Callable[[runs.Session, Record], None]
LEAST = 8  # the fewest rows per side of a distance


@dataclass(frozen=True, eq=False)
class Model:
    """A trained generator with its critic and its evaluation.

    A model is pickled as the path of its run folder; copies share that folder.
    """

    run: runs.Run

    def __reduce__(self) -> tuple[Any, ...]:
        config = self.run.config
        own = [name for name in MODULES if getattr(config, name) == OWN]
        if own:
            raise InputError(
                f"a model with a user-defined {own[0]} cannot be pickled; keep its folder, and "
                f"open it with surveyor.load({str(self.run.path)!r}, {own[0]}=module)"
            )
        return load, (str(self.run.path.absolute()),)

    def __copy__(self) -> Model:
        return Model(self.run)

    def __deepcopy__(self, memo: dict[int, Any]) -> Model:
        return Model(copy.deepcopy(self.run, memo))

    @property
    def evaluation(self) -> Evaluation:
        """Return the verdict and the final figures, each beside its floor."""
        if self.run.evaluation is None:
            raise InputError(f"{self.run.path}: not evaluated yet; call evaluate(data)")
        return self.run.evaluation

    @with_default_settings
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

        ``where`` holds in every row: a value, several values (a list, or ``"a|b"``), or for
        numbers and dates a range (``"30..40"``). The run's conditions are inputs of the generator;
        conditions on other columns of a table are met by rejection
        sampling or, if rare, by sequential Monte Carlo. With ``parity``
        (outcome, group) the outcome is equally frequent in every group; nothing changes within
        group and outcome. No row of a table equals one of ``apart_from``, a DataFrame or a file.
        ``truncate`` below 1 narrows the latent of pictures and vectors, for more typical but less
        varied samples.

        Raises:
            InputError: n is below 1, a column is unknown, or a value is unseen or too rare.
        """
        problems: list[str] = []
        with collecting(problems):
            n = integer("-n", n, 1)
        with collecting(problems):
            seed = seed_of(seed)
        with collecting(problems):
            where = conditions("--where", where)
        with collecting(problems):
            truncate = positive("--truncate", truncate, 1)
        with collecting(problems):
            parity = None if parity is None else pair("--parity", parity)
        if problems:
            raise InputError(*problems)
        if parity is not None:
            return runs.with_parity(self.run, n, *parity, dict(where or {}), seed, apart_from)
        return runs.draw_samples(self.run, n, dict(where or {}), seed, apart_from, truncate)

    @with_default_settings
    def translate(self, pictures: Any, seed: int = 0) -> dict[str, np.ndarray]:
        """Return ``pictures`` translated or enlarged by a run with a task.

        ``pictures`` are arrays, or anything that ``fit`` reads, of any size, with values in the
        range of the training data.

        Raises:
            InputError: the run has no task, or cannot take these pictures.
        """
        return runs.answered(self.run, pictures, seed_of(seed))

    @with_default_settings
    def walk(
        self, frames: int, where: Sequence[Mapping[str, Any]] = (), stops: int = 4, seed: int = 0
    ) -> dict[str, np.ndarray]:
        """Return ``frames`` samples along a closed walk through the latent, arrays by name.

        It passes through ``stops`` draws of the latent, and moves from each condition in ``where``
        to the next.

        Raises:
            InputError: the run is of a table or lacks these conditions, or there are too few
                frames.
        """
        frames, stops = integer("frames", frames, 2), integer("stops", stops, 1)
        seed = seed_of(seed)
        if isinstance(where, Mapping) or not isinstance(where, Sequence):
            raise InputError(f"--where {shown(where)}: give a list of dictionaries, one per stop")
        through = [conditions("--where", stop) for stop in where]
        return runs.walk(self.run, frames, through, stops, seed)

    @with_default_settings
    def evaluate(
        self,
        data: Any = None,
        rows: int = ROWS,
        *,
        drop: Sequence[str] = (),
        type: Sequence[str] = (),
        missing: Sequence[str] = (),
    ) -> Evaluation:
        """Measure the generator against ``data``, or the run's own held-out rows; store the latter.

        Other ``data`` are split in half to measure the floor, and figures of training rows are left
        out. For a table, ``drop`` leaves columns out, ``type`` (``"COLUMN=TYPE"``) sets the
        spelling of dates and numbers, and ``missing`` lists words for a missing value.
        """
        run, rows = self.run, integer("rows", rows, LEAST)
        options = columns_read(drop, type, missing)
        if data is None and options != columns_read():
            raise InputError("--drop, --type, --missing: only together with other data")
        measured = (
            federated.trained_on(run) if data is None else runs.other_data(run, data, options)
        )
        own = data is None
        game = replace(run.game, head=head_of(measured.codec, run.game.generator))
        with runs.threads(run.config.threads):
            result = assess(SeenRun(game, game.generator, measured, run.config.seed, rows, own))
        if not own:
            return result
        plan = plan_of(run.config)
        result = replace(result, privacy=runs.privacy_of(run.config, plan, measured))
        result = runs.with_calibration(result, run.calibration)
        found = preflight(run.game, measured, plan, run.kind.checks)
        result = runs.completed(run.config, result, run.history, found)
        try:
            with runs.Lock(run.path):
                runs.keep_evaluation(run.path, run.config, result)
        except (InputError, NotWritten) as error:
            notify(f"the evaluation was not saved in the run: {error}")
        return result

    @with_default_settings
    def score(self, data: Any, by: By = "auto") -> np.ndarray:
        """Return a score for every row, (n,), low for rows unlike the training data.

        The score is not a distance. ``by`` is ``likelihood`` (the generator's log likelihood),
        ``critic`` (the critic's score) or ``auto`` (the likelihood if available).

        Raises:
            InputError: ``by`` is unknown, or the generator has no likelihood.
        """
        return runs.scored(self.run, data, by)

    @with_default_settings
    def impute(
        self, data: Any, draws: int = 0, seed: int = 0, show: runs.Show = runs.silent
    ) -> pd.DataFrame:
        """Return the rows of a table with missing values filled in; all others stay as they are.

        A missing label becomes the most probable one given the row, a number its median. With
        ``draws`` of at least 1, that many tables are returned, one below the other and numbered by
        a first column ``draw``, in which missing values are drawn given the row (multiple
        imputation; Rubin 1987). ``show`` is called with the rows done and all rows.

        Raises:
            InputError: the generator has no likelihood, or a condition of the run is missing.
        """
        draws = integer("--draws", draws, 0)
        return runs.imputed(self.run, data, draws, seed_of(seed), show)

    @with_default_settings
    def predict(
        self, data: Any, target: str, seed: int = 0, show: runs.Show = runs.silent
    ) -> pd.DataFrame:
        """Return what the run says of column ``target``, given the other columns of each row.

        Of labels these are the most probable one and the probability of each, ``p(LABEL)``; of
        numbers the median, the mean, and the quantiles of 5 and 95%. They follow from the
        generator's likelihood without approximation where the rest of the row is there; other
        missing values are averaged over. ``show`` is called with the rows done and all rows.

        Raises:
            InputError: the generator has no likelihood, or the column is unknown or computed from
                others by a rule.
        """
        return runs.predicted(self.run, data, target, seed_of(seed), show)

    def save(self, path: str | Path) -> Path:
        """Copy the run folder to ``path``.

        Raises:
            InputError: ``path`` already exists.
            NotWritten: the disk is full or refuses the write.
        """
        target = path_of("save", path)
        runs.refuse_existing(target)
        try:
            shutil.copytree(self.run.path, target, dirs_exist_ok=True)
        except OSError as error:
            raise NotWritten(f"{target}: cannot be written ({error.strerror or error})") from error
        return target

    @with_default_settings
    def report(self, data: Any = None) -> Path:
        """Rewrite ``report.html`` and return its path."""
        return build_report(self.run, federated.trained_on(self.run, data))


@with_default_settings
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
    ``generator`` and ``critic`` are names with options (``"conv:width=16"``) or your own modules,
    (z, cond) to raw output and (x, cond) to scores (n,); without conditions both take one
    argument. ``watch`` is called with the session and a record after every step. Without ``out``
    the run folder is temporary and removed with the model, but kept if Ctrl-C interrupts training.

    Raises:
        InputError: all problems with data, options and modules, at once.
        Interrupted: Ctrl-C; the state has been saved, and the message says how to resume.
        Diverged: a number was not finite.
    """
    problems: list[str] = []
    with collecting(problems):
        if (path := None if out is None else path_of("--out", out)) is not None:
            runs.refuse_existing(path)
    nets = {"generator": generator, "critic": critic}
    named = {name: value for name, value in nets.items() if isinstance(value, str)}
    own = modules(problems, **{n: v for n, v in nets.items() if n not in named})
    function(problems, "watch", watch)
    with collecting(problems):
        loaded, config = prepare(data, options | named | dict.fromkeys(own, OWN))
    if problems:
        raise InputError(*problems)
    name = os.fspath(data) if isinstance(data, (str, os.PathLike)) else ""
    home = runs.Temporary() if path is None else None
    try:
        where = home.path / "run" if home else Path(str(path))
        passed = own.get("generator"), own.get("critic")
        session = runs.start(loaded, str(name), config, where, *passed, rehearse=rehearse)
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
        Interrupted: Ctrl-C or SIGTERM, at any time; the message says how to resume.
    """
    with interruptible(session.interruption):
        with preserve_random_state():
            for record in session.records():
                if watch is not None:
                    watch(session, record)
            session.finish()
        own = {n: getattr(session.game, n) for n in MODULES if getattr(session.config, n) == OWN}
        run = replace(runs.load(session.path, **own), temporary=session.temporary)
        build_report(run, session.data)
    return Model(run)


@with_default_settings
def resume(
    path: str | Path,
    data: Any = None,
    *,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    watch: Watch | None = None,
) -> Model:
    """Resume an interrupted run; the result equals that of an uninterrupted one.

    Data in memory and your own modules must be passed again.

    Raises:
        InputError: there is no run, the data are different, or modules are missing.
    """
    problems: list[str] = []
    own = modules(problems, generator=generator, critic=critic)
    function(problems, "watch", watch)
    with collecting(problems):
        folder = path_of("resume", path)
        found = runs.opened(folder, resuming=True)
        source = found.data_name
        problems += runs.other_modules(folder, found.config, own)
        if data is None and not source:
            call = runs.resume_command(folder, found.config, source)
            problems.append(
                f"{folder}: was trained on data in memory; pass the same data again: {call}"
            )
    if problems:
        raise InputError(*problems)
    loaded = runs.own_data(found, copy_arrays(resolve(source if data is None else data)))
    session = runs.resume(folder, loaded, own.get("generator"), own.get("critic"))
    return finish(session, watch)


@with_default_settings
def load(
    path: str | Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    device: str | None = None,
) -> Model:
    """Open a run folder; your own modules must be passed again.

    ``device`` defaults to the device of the run, or to the CPU if that is not available.

    Raises:
        InputError: there is no run, it is damaged, or modules are missing.
    """
    problems: list[str] = []
    own = modules(problems, generator=generator, critic=critic)
    with collecting(problems):
        folder = path_of("load", path)
    if problems:
        raise InputError(*problems)
    return Model(runs.load(folder, own.get("generator"), own.get("critic"), device))
