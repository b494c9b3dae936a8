"""A training session, which survives a kill and resumes where it left off."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from surveyor.batch import Draws
from surveyor.data import Data, Source
from surveyor.data.resident import resident
from surveyor.errors import Diverged, InputError, Interrupted, NotWritten, SurveyorError
from surveyor.findings import Finding
from surveyor.generators import TabularLikelihood
from surveyor.kinds import kind_of
from surveyor.kinds.assess import assess
from surveyor.measures import Evaluation, Figure, SeenRun
from surveyor.measures.ruler import Ruler
from surveyor.options import Config, part_of
from surveyor.run.folder import (
    append,
    calibration_in,
    completed,
    instruction,
    keep_evaluation,
)
from surveyor.run.lock import Lock
from surveyor.run.opening import BEST, CHECKPOINT, HISTORY, TIMING, origin
from surveyor.run.temporary import Temporary
from surveyor.training import Game, Measurement, Plan, Record, State, steps, with_measurements
from surveyor.training.backends.compiled import compiled
from surveyor.training.calibration import Calibration, calibrate, marginal_gap
from surveyor.training.checkpoint import (
    load_module,
    save_checkpoint,
    write_tensors,
)
from surveyor.training.interrupt import deferred_signals
from surveyor.training.loop import plateaued
from surveyor.training.measuring import Measuring
from surveyor.training.ranks import Ranks
from surveyor.training.records import best_of
from surveyor.training.step import REMEDY, no_reduce


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """Use ``count`` threads for computing; the last digits of sums depend on their number."""
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def with_calibration(evaluation: Evaluation, calibration: Calibration | None) -> Evaluation:
    """Return an evaluation with the marginals' error before and after calibration, if any."""
    if calibration is None:
        return evaluation
    before = Figure("marginals", calibration["without"], of="before calibration", by="other")
    after = Figure("marginals", calibration["with"], better="lower")
    return replace(evaluation, figures=(*evaluation.figures, after, before))


@dataclass(eq=False)
class Session:
    """A run in training; ``codec`` is the digest of its codec's files."""

    path: Path
    config: Config
    data: Data
    game: Game
    plan: Plan
    state: State
    findings: list[Finding]
    ranks: Ranks = field(default_factory=Ranks)
    history: list[Measurement] = field(default_factory=list)
    data_name: str = ""
    temporary: Temporary | None = None
    lock: Lock | None = None
    codec: str = ""
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def measuring(self) -> Measuring:
        """Return how often and on how many rows to measure, and when to stop for it."""
        found: Measuring = part_of(self.config, "measure")
        return found

    @cached_property
    def ruler(self) -> Ruler:
        """Return the measure of validation W1 during training."""
        config, data = self.config, self.data
        unit = data.codec.space.unit
        rows = data.train, data.validation, self.measuring.rows
        return kind_of(data.codec).ruler(self.game, *rows, config.seed, unit)

    @property
    def origin(self) -> dict[str, Any]:
        """Return the origin to store with the run's weights."""
        return origin(self.config, self.codec)

    @property
    def resume_command(self) -> str:
        """Return the command or call that resumes this run."""
        return instruction(self.path, self.config, self.data_name)

    @property
    def finished(self) -> bool:
        """Return whether training is complete."""
        return self._over()

    def _over(self) -> bool:
        values = [m.criterion for m in self.history]
        return self.state.step >= self.plan.steps or plateaued(values, self.measuring.patience)

    def records(self) -> Iterator[Record]:
        """Train, record measurements and save; yield a record of every generator step.

        Ctrl-C and SIGTERM take effect between steps, when the state is consistent. Meanwhile no
        other process can write to the run.

        Raises:
            Interrupted: the user stopped training; the state has been saved.
            Diverged: a number was not finite; the last good state is on disk.
            NotWritten: the disk is full or refuses the write; the last good state is on disk.
        """
        self._lock()
        done = False
        try:
            yield from self._records()
            done = True
        except NotWritten as error:
            saved = (self.path / CHECKPOINT).exists()
            remedy = f". The last good state is saved; resume it with: {self.resume_command}"
            raise NotWritten(f"{error}{remedy if saved else ''}") from error
        except torch.OutOfMemoryError as error:
            raise SurveyorError(
                f"{self.game.device} ran out of memory; lower --batch or the width of the nets. "
                f"The last good state is in {self.path}"
            ) from error
        except Diverged as error:
            saved = bool(self.history) and self.temporary is None
            where = f". The last good state is in {self.path}" if saved else ""
            raise Diverged(f"{error}{where}") from error
        finally:
            if not done:
                self.release()

    def interruption(self) -> str:
        """Return the message for a run that was stopped at once."""
        return f"stopped; resume it from the last checkpoint with: {self.resume_command}"

    def _lock(self) -> None:
        if self.ranks.is_main and (self.lock is None or not self.lock.held):
            self.lock = Lock(self.path)

    def release(self) -> None:
        """Let other processes write to the run."""
        if self.lock is not None:
            self.lock.release()

    def _records(self) -> Iterator[Record]:
        if self.finished:
            return
        torch.set_num_threads(self.config.threads or 1)
        every = self.measuring.every or 1
        ranks, train = self.ranks, self.data.train
        index = train.index[ranks.rank :: ranks.size]
        shard = replace(train, index=index, balance=self.config.balance)
        game, rows = self._quick(shard), resident(shard, self.game.device)
        source = steps(
            game, rows, self.plan, self.state, ranks.reduce if ranks.size > 1 else no_reduce
        )
        private = self.plan.privacy is not None  # the account does not cover measurements on rows
        if ranks.is_main and not private:
            source = with_measurements(source, self._measure, every, self.plan.steps)
        with deferred_signals() as stopped:
            for record in source:
                if record.measurement is not None or (private and self._over()):
                    self._keep(record.measurement)
                yield record
                # One exchange between processes per step; a second only if something is to be done.
                if ranks.any(self._over() or bool(stopped())):
                    if ranks.any(self._over()):
                        return
                    self._stop()

    def _quick(self, shard: Source) -> Game:
        """Return the game, with compiled steps if configured."""
        if self.config.compile != "yes":
            return self.game
        game, refused = compiled(
            self.game, shard.draw(self.plan.batch, Draws(0)).to(self.game.device)
        )
        if refused is not None:
            remedy = "Only time is lost; --compile no avoids the attempt"
            self.findings.append(Finding("uncompiled", "note", refused, remedy))
        return game

    def _stop(self) -> None:
        self.state.settle()
        if self.ranks.is_main:
            self._checkpoint()
        raise Interrupted(
            f"stopped at step {self.state.step:,} of {self.plan.steps:,} and saved; "
            f"resume it with: {self.resume_command}"
        )

    def finish(self) -> Evaluation:
        """Evaluate the best generator, write ``evaluation.json`` and return the evaluation."""
        self._lock()
        try:
            return self._finish()
        finally:
            self.release()

    def _finish(self) -> Evaluation:
        load_module(self.game.generator, self.path / BEST["generator"])
        load_module(self.game.critic, self.path / BEST["critic"])
        calibration = self._calibrated()
        found = assess(SeenRun(self.game, self.game.generator, self.data, self.config.seed))
        found = with_calibration(replace(found, privacy=self.plan.privacy), calibration)
        found = completed(self.config, found, self.history, self.findings)
        keep_evaluation(self.path, self.config, found)
        return found

    def _calibrated(self) -> Calibration | None:
        """Calibrate the best generator once; return the error of its marginals before and after."""
        game, codec, seed = self.game, self.data.codec, self.config.seed
        if self.config.calibrate == "no" or not isinstance(game.generator, TabularLikelihood):
            return None
        path = self.path / BEST["generator"]
        game.generator.eval()
        found = calibration_in(path)
        if found is None:
            without = marginal_gap(game, self.data.validation, seed)
            calibrate(game, codec, seed)
            found = {"without": without, "with": marginal_gap(game, self.data.validation, seed)}
            meta = {**self.origin, "calibration": found}
            write_tensors(path, game.generator.state_dict(), meta)
        return found

    def _measure(self, record: Record) -> Measurement:
        self.state.settle()
        try:
            found = self.ruler(self.state.average, record)
        except InputError as error:  # points that are not finite
            why = str(error)
        else:
            if found.finite:
                return found
            why = "a measurement is not finite"
        raise Diverged(f"step {record.step}: {why}. {REMEDY}")

    def _keep(self, measurement: Measurement | None) -> None:
        """Save the best nets so far and the state; without measurements the last step is best."""
        if measurement is not None:
            self.history.append(measurement)
        if measurement is None or best_of(self.history) is measurement:
            best = {"generator": self.state.average, "critic": self.game.critic}
            for name, module in best.items():
                write_tensors(self.path / BEST[name], module.state_dict(), self.origin)
        if measurement is not None:
            append(self.path / HISTORY, asdict(measurement))
            seconds = round(time.monotonic() - self.started, 3)
            with contextlib.suppress(NotWritten):  # the clock is not essential
                append(self.path / TIMING, {"step": self.state.step, "seconds": seconds})
        self._checkpoint()

    def _checkpoint(self) -> None:
        size = (self.path / HISTORY).stat().st_size if self.history else 0
        save_checkpoint(self.path / CHECKPOINT, self.game, self.state, size, self.origin)
