"""A training session: it survives a kill, and goes on where it left off."""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save as save_arrays
from torch import nn

from surveyor.batch import Draws
from surveyor.build import OWN, game_of, plan_of, spacing, threads_for, worth_compiling
from surveyor.config import Config, dumps
from surveyor.data import Data, Source
from surveyor.data.table import TableCodec
from surveyor.diagnostics import Finding, preflight
from surveyor.diagnostics.preflight import BATCH_NORMS
from surveyor.errors import InputError, Interrupted, NotWritten
from surveyor.evaluation import Ruler
from surveyor.evaluation.assess import assess
from surveyor.evaluation.paired import PairRuler, assess_pairs
from surveyor.nets import Sampler
from surveyor.run.folder import (
    append,
    best_weights,
    fingerprint,
    keep_evaluation,
    measured_in,
    opened,
    read_history,
    refuse_existing,
    same_data,
    write_json,
)
from surveyor.training import Game, Measurement, Plan, Record, State, measured, steps
from surveyor.training.calibration import calibrate, marginal_gap
from surveyor.training.checkpoint import (
    load_checkpoint,
    load_module,
    read_tensors,
    save_checkpoint,
    write_tensors,
)
from surveyor.training.compiled import compiled
from surveyor.training.interrupt import deferred_signals
from surveyor.training.loop import plateaued
from surveyor.training.privacy import private
from surveyor.training.ranks import Ranks
from surveyor.training.records import best_of
from surveyor.writing import cause, write_bytes

RESUME = "surveyor train --resume"


@dataclass(eq=False)
class Session:
    """A run being trained."""

    path: Path
    config: Config
    data: Data
    game: Game
    plan: Plan
    state: State
    findings: list[Finding]
    ranks: Ranks = field(default_factory=Ranks)
    history: list[Measurement] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    @cached_property
    def ruler(self) -> Ruler | PairRuler:
        """Return the ruler of training: validation rows, the same every time."""
        config, data = self.config, self.data
        unit = data.codec.space.unit
        kind = PairRuler if data.codec.answers else Ruler
        return kind(self.game, data.train, data.validation, config.measure_rows, config.seed, unit)

    @property
    def finished(self) -> bool:
        """Return whether there is nothing left to train."""
        return self._over()

    def _over(self) -> bool:
        excess = [m.excess for m in self.history]
        return self.state.step >= self.plan.steps or plateaued(excess, self.config.patience)

    def records(self) -> Iterator[Record]:
        """Train, keep what is measured, and save; yields every generator step.

        Ctrl-C and a polite kill are heard between steps, when the state is whole.

        Raises:
            Interrupted: the user stopped training; the state has been saved.
            Diverged: a number was not finite; the last good state is on disk.
            NotWritten: the disk is full or refuses; the last good state is on disk.
        """
        try:
            yield from self._records()
        except NotWritten as error:
            kept = (self.path / "checkpoint").is_dir()
            remedy = f". The last good state is kept; go on with: {RESUME} {self.path}"
            raise NotWritten(f"{error}{remedy if kept else ''}") from error

    def _records(self) -> Iterator[Record]:
        if self.finished:
            return
        torch.set_num_threads(self.config.threads or 1)
        every = self.config.measure_every or 1
        ranks, train = self.ranks, self.data.train
        index = train.index[ranks.rank :: ranks.size]
        shard = replace(train, index=index, balance=self.config.balance)
        source = steps(self._quick(shard), shard, self.plan, self.state, ranks.reduce)
        private = self.plan.privacy is not None  # what is measured on rows is not in the account
        if ranks.leader and not private:
            source = measured(
                source, lambda r: self.ruler(self.state.average, r), every, self.plan.steps
            )
        with deferred_signals() as stopped:
            for record in source:
                if record.measurement is not None or (private and self._over()):
                    self._keep(record.measurement)
                yield record
                # One question a step; what it was about is asked only where the answer is yes.
                if ranks.any(self._over() or bool(stopped())):
                    if ranks.any(self._over()):
                        return
                    self._stop()

    def _quick(self, shard: Source) -> Game:
        """Return the game with compiled steps where the configuration says so."""
        if self.config.compile != "yes":
            return self.game
        game, refused = compiled(self.game, shard.draw(self.plan.batch, Draws(0)))
        if refused is not None:
            remedy = "Nothing is lost but time; --compile no says so from the start"
            self.findings.append(Finding("uncompiled", "note", refused, remedy))
        return game

    def _stop(self) -> None:
        if self.ranks.leader:
            self._checkpoint()
        raise Interrupted(
            f"stopped at step {self.state.step:,} of {self.plan.steps:,}, saved; "
            f"go on with: {RESUME} {self.path}"
        )

    def finish(self) -> dict[str, Any]:
        """Evaluate the best generator and write ``evaluation.json``; return it."""
        generator, critic = best_weights(self.path)
        load_module(self.game.generator, generator, self.path / "generator.safetensors")
        load_module(self.game.critic, critic, self.path / "critic.safetensors")
        calibration = self._calibrated()
        measure = assess_pairs if self.data.codec.answers else assess
        result = measure(self.game, self.game.generator, self.data, self.config.seed)
        if calibration is not None:
            result["calibration"] = calibration
        if self.plan.privacy is not None:
            result["privacy"] = asdict(self.plan.privacy)
        return keep_evaluation(self.path, self.config, result, self.history, self.findings)

    def _calibrated(self) -> dict[str, float] | None:
        """Calibrate the best generator, once; return its marginals' error without and with."""
        game, codec, seed = self.game, self.data.codec, self.config.seed
        if self.config.calibrate == "no" or not isinstance(game.generator, Sampler):
            return None
        assert isinstance(codec, TableCodec)
        path = self.path / "generator.safetensors"
        meta = read_tensors(path)[1]
        game.generator.eval()
        if "calibration" not in meta:
            without = marginal_gap(game, self.data.validation, seed)
            calibrate(game, codec, seed)
            found = {"without": without, "with": marginal_gap(game, self.data.validation, seed)}
            meta = {"calibration": found}
            write_tensors(path, game.generator.state_dict(), meta)
        kept: dict[str, float] = meta["calibration"]
        return kept

    def _keep(self, measurement: Measurement | None) -> None:
        """Save what is best so far, and the state; without a measurement the last step is best."""
        if measurement is not None:
            self.history.append(measurement)
        if measurement is None or best_of(self.history) is measurement:
            write_tensors(self.path / "generator.safetensors", self.state.average.state_dict())
            write_tensors(self.path / "critic.safetensors", self.game.critic.state_dict())
        if measurement is not None:
            append(self.path / "history.jsonl", asdict(measurement))
            seconds = round(time.monotonic() - self.started, 3)
            append(self.path / "timing.jsonl", {"step": self.state.step, "seconds": seconds})
        self._checkpoint()

    def _checkpoint(self) -> None:
        size = (self.path / "history.jsonl").stat().st_size if self.history else 0
        save_checkpoint(
            self.path / "checkpoint" / "state.safetensors", self.game, self.state, {"history": size}
        )


def start(
    data: Data,
    data_name: str,
    config: Config,
    path: Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    ranks: Ranks | None = None,
    rehearse: Callable[[Session], None] = lambda session: None,
) -> Session:
    """Create a run folder, whole or not at all; of several processes the leader writes it.

    ``rehearse`` tries before that what is done after training.

    Raises:
        InputError: the folder exists, preflight or ``rehearse`` refuse, or processes disagree on
            data or configuration; nothing has been written.
    """
    ranks = ranks or Ranks()
    refuse_existing(path)
    refuse_existing(measured_in(path, config))
    if ranks.size > 1 and config.minutes is not None:
        raise InputError("--minutes: not with several processes, whose clocks differ; give --steps")
    session = _session(data, config, path, generator, critic, ranks)
    refused = [str(f) for f in session.findings if f.level == "refuse"]
    if refused:
        raise InputError(*refused)
    rehearse(session)
    config = session.config
    if config.minutes is not None:
        config = replace(config, steps=_steps_in(session, config.minutes), minutes=None)
        if config.measure_every is None:
            config = replace(config, measure_every=spacing(config.steps))
        session = _session(data, config, path, generator, critic, ranks)
    _agreed(session)
    if ranks.leader:
        _create(path, data, data_name, config)
    ranks.wait()
    return session


def _agreed(session: Session) -> None:
    session.ranks.agree("a configuration", dumps(session.config, ""))
    if session.ranks.size > 1:
        session.ranks.agree("data", fingerprint(session.data))


def _create(path: Path, data: Data, data_name: str, config: Config) -> None:
    meta, arrays = data.codec.state()
    meta = {"kind": data.kind.name, "fingerprint": fingerprint(data), "codec": meta}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        (temporary / "checkpoint").mkdir()
        contiguous = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
        write_bytes(temporary / "codec.safetensors", save_arrays(contiguous))
        write_json(temporary / "codec.json", meta)
        write_bytes(temporary / "config.toml", dumps(config, data_name).encode())
        temporary.chmod(0o755)
        if path.is_dir():
            path.rmdir()  # empty, as refuse_existing has seen
        temporary.rename(path)
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {cause(error, path)}") from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)  # gone already where it was renamed


def resume(
    path: Path,
    data: Data,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    ranks: Ranks | None = None,
) -> Session:
    """Continue a run where its last checkpoint left it.

    Raises:
        InputError: no run there, a damaged one, or other data than it was started on.
    """
    config, _, _ = opened(path)
    same_data(path, data)
    ranks = ranks or Ranks()
    session = _session(data, config, path, generator, critic, ranks)
    _agreed(session)
    checkpoint = path / "checkpoint" / "state.safetensors"
    history, saved = path / "history.jsonl", {"history": 0}
    if checkpoint.exists():
        saved = load_checkpoint(checkpoint, session.game, session.state)
        if history.exists() and history.stat().st_size < saved["history"]:
            raise InputError(
                f"{history}: shorter than its checkpoint says; restore it or train again"
            )
    ranks.wait()  # nobody writes before all have read
    if ranks.leader:
        _cut(session, saved["history"])
    return session


def _cut(session: Session, size: int) -> None:
    """Cut history and clock back to the checkpoint."""
    path, history = session.path, session.path / "history.jsonl"
    if history.exists():
        os.truncate(history, size)
        session.history = list(read_history(history))
    timing = path / "timing.jsonl"
    if timing.exists():
        clock = [json.loads(line) for line in timing.read_text().splitlines() if line.endswith("}")]
        clock = [row for row in clock if row["step"] <= session.state.step]
        write_bytes(timing, "".join(json.dumps(row) + "\n" for row in clock).encode())
        session.started -= clock[-1]["seconds"] if clock else 0


def _session(
    data: Data,
    config: Config,
    path: Path,
    generator: nn.Module | None,
    critic: nn.Module | None,
    ranks: Ranks,
) -> Session:
    given = {"generator": OWN} if generator is not None else {}
    given |= {"critic": OWN} if critic is not None else {}
    config = replace(config, **given)  # type: ignore[arg-type]
    game, plan = game_of(config, data.codec, generator, critic), plan_of(config)
    threads = threads_for(config, game, math.prod(data.codec.space.shape[-2:]))
    if config.threads is None and ranks.size > 1:
        threads = max(1, min(threads, (os.cpu_count() or 1) // ranks.size))
    config = replace(config, threads=threads, compile=worth_compiling(config, game))
    torch.set_num_threads(threads)
    if config.epsilon is not None:
        if ranks.size > 1:
            raise InputError("--epsilon: in one process only; leave torchrun out")
        if any(
            isinstance(m, BATCH_NORMS) for m in (*game.critic.modules(), *game.generator.modules())
        ):
            raise InputError("--epsilon: BatchNorm mixes rows; use another normalisation or none")
        rows = plan.batch, len(data.train), plan.updates
        account = private(config.epsilon, config.delta, config.row_norm, *rows, data.codec.account)
        plan = replace(plan, privacy=account)
    found = preflight(game, data, plan)
    plan = replace(plan, rank=ranks.rank, batch=ranks.share(plan.batch))
    return Session(path, config, data, game, plan, State.start(game, plan), found, ranks)


def _steps_in(session: Session, minutes: float, trial: int = 20) -> int:
    """Return the steps that fit into ``minutes``, from a trial on nets that are then thrown away.

    A tenth of the time is left for measuring.
    """
    plan, share = session.plan, min(1.0, session.plan.warm / session.plan.steps)
    each = 0.0
    for part, warm in ((share, plan.steps), (1 - share, 0)):
        if part > 0:
            each += part * _seconds(session, replace(plan, warm=warm), trial, 0.05 * 60 * minutes)
    return max(1, int(0.9 * 60 * minutes / each))


def _seconds(session: Session, plan: Plan, trial: int, most: float) -> float:
    """Return the seconds of a step, from at most ``trial`` of them after the first."""
    state = State.start(session.game, plan)
    records = steps(session.game, session.data.train, plan, state)
    next(records)
    begun = time.monotonic()
    for _, _ in zip(range(trial), records, strict=False):
        if time.monotonic() - begun > most:
            break
    return (time.monotonic() - begun) / max(state.step - 1, 1)
