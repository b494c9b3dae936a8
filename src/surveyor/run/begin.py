"""Starting a run, and resuming it after a kill."""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from msgspec import Meta
from safetensors.numpy import save as save_arrays
from torch import nn

from surveyor.build import game_of, plan_of, threads_for, worth_compiling
from surveyor.catalog import text_of
from surveyor.data import Data
from surveyor.diagnostics import preflight
from surveyor.diagnostics.preflight import BATCH_NORMS
from surveyor.diagnostics.trial import tried, untrainable
from surveyor.errors import InputError, NotWritten
from surveyor.kinds import kind_of
from surveyor.options import OWN, Config, dumps, part_of
from surveyor.reading import damaged, json_of, read_bytes, read_header, read_text
from surveyor.run.folder import fingerprint, measured_in, read_history, refuse_existing, same_data
from surveyor.run.lock import Lock, make
from surveyor.run.minutes import steps_in
from surveyor.run.opening import (
    ARRAYS,
    BEST,
    CHECKPOINT,
    CODEC,
    CONFIG,
    HISTORY,
    LONGEST_HISTORY,
    TIMING,
    Opened,
    digest_of,
    fits,
    opened,
)
from surveyor.run.session import Session
from surveyor.training import Measurement, Plan, State
from surveyor.training.checkpoint import checkpoint_header, load_checkpoint
from surveyor.training.gradients import Apart
from surveyor.training.privacy import Privacy, privacy_for
from surveyor.training.ranks import Ranks
from surveyor.writing import tidy_files, write_bytes


def start(
    data: Data,
    data_name: str,
    config: Config,
    path: Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    ranks: Ranks | None = None,
    rehearse: Callable[[Session], None] = lambda session: None,
    beside: Mapping[str, bytes] = {},
) -> Session:
    """Create a run folder atomically; only the leader of several processes writes.

    ``rehearse`` first tries everything that follows training. ``beside`` are further files of the
    folder.

    Raises:
        InputError: the folder exists, the preflight or ``rehearse`` refuses, or processes disagree
            on data or configuration; nothing has been written.
    """
    ranks = ranks or Ranks()
    refuse_existing(path)
    refuse_existing(measured_in(path, config))
    if ranks.size > 1 and config.minutes is not None:
        raise InputError(
            "--minutes: not with several processes, whose clocks differ; give --steps instead"
        )
    session = _session(data, config, path, generator, critic, ranks)
    refused = [str(f) for f in session.findings if f.level == "refuse"]
    if refused:
        raise InputError(*refused)
    rehearse(session)
    config = session.config
    if config.minutes is not None:
        fitting = steps_in(session.game, session.data.train, session.plan, config.minutes)
        measuring = part_of(config, "measure").over(fitting)
        config = replace(config, steps=fitting, minutes=None, measure=text_of(measuring))
        session = _session(data, config, path, generator, critic, ranks)
    session.data_name = data_name
    _agreed(session)
    if ranks.is_main:
        files = {**_files(data), **beside}
        session.codec = digest_of(files)
        files[CONFIG] = dumps(config, data_name).encode()
        session.lock = make(path, files, [CHECKPOINT.partition("/")[0]])
    ranks.wait()
    return session


def _agreed(session: Session) -> None:
    session.ranks.agree("other settings", dumps(session.config, ""))
    if session.ranks.size > 1:
        session.ranks.agree("other data", fingerprint(session.data))


def _files(data: Data) -> dict[str, bytes]:
    """Return the files of a codec."""
    meta, arrays = data.codec.state()
    meta = {"kind": data.codec.kind, "fingerprint": fingerprint(data), "codec": meta}
    contiguous = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
    return {CODEC: json.dumps(meta, indent=1).encode(), ARRAYS: save_arrays(contiguous)}


def resume(
    path: Path,
    data: Data,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    ranks: Ranks | None = None,
) -> Session:
    """Continue a run from its last checkpoint.

    Everything in the folder is read and checked before anything is built or written.

    Raises:
        InputError: there is no run, it is damaged, another process is writing to it, or the data
            are not those that it was started with.
    """
    ranks = ranks or Ranks()
    found = opened(path, resuming=True)
    lock = Lock(path) if ranks.is_main else None
    try:
        session = _resumed(found, data, generator, critic, ranks)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
    session.lock = lock
    return session


def _resumed(
    found: Opened,
    data: Data,
    generator: nn.Module | None,
    critic: nn.Module | None,
    ranks: Ranks,
) -> Session:
    path = found.path
    if not (path / CHECKPOINT).parent.is_dir() or (path / CHECKPOINT).parent.is_symlink():
        raise damaged((path / CHECKPOINT).parent, "no folder")
    same_data(path, found.fingerprint, data)
    begun = os.path.lexists(path / CHECKPOINT)
    history: tuple[Measurement, ...] = ()
    if begun:
        header = checkpoint_header(path / CHECKPOINT, read_header(path / CHECKPOINT).meta)
        history = read_history(path / HISTORY, header.history)
        fits(found, [CHECKPOINT, *(BEST.values() if history else ())], generator, critic)
    session = _session(data, found.config, path, generator, critic, ranks)
    _agreed(session)
    if begun:
        header = load_checkpoint(path / CHECKPOINT, session.game, session.state, session.plan)
        if history and history[-1].step > header.step:
            raise damaged(path / HISTORY, "continues beyond its checkpoint")
    session.history, session.codec = list(history), found.digest
    session.data_name = found.data_name
    ranks.wait()  # write only after all processes have read
    if ranks.is_main:
        _cut(session, header.history if begun else 0)
    return session


def _cut(session: Session, size: int) -> None:
    """Truncate history and clock to the checkpoint, and remove the remains of a killed process."""
    path, history = session.path, session.path / HISTORY
    for folder in (path, (path / CHECKPOINT).parent):
        tidy_files(folder)
    if os.path.lexists(history):
        write_bytes(history, read_bytes(history, LONGEST_HISTORY)[:size])
    clock, rows = path / TIMING, []
    if not os.path.lexists(clock):
        return
    with contextlib.suppress(InputError):  # the clock is not essential
        read = [json_of(line, Timed, clock) for line in read_text(clock).splitlines()]
        rows = [row for row in read if row.step <= session.state.step]
    with contextlib.suppress(NotWritten):
        write_bytes(clock, "".join(json.dumps(asdict(row)) + "\n" for row in rows).encode())
    session.started -= rows[-1].seconds if rows else 0


@dataclass(frozen=True)
class Timed:
    """A line of ``timing.jsonl``."""

    step: int
    seconds: Annotated[float, Meta(ge=0, le=1e10)]


def _session(
    data: Data,
    config: Config,
    path: Path,
    generator: nn.Module | None,
    critic: nn.Module | None,
    ranks: Ranks,
) -> Session:
    modules = {"generator": generator, "critic": critic}
    own = {name: module for name, module in modules.items() if module is not None}
    if problems := untrainable(own):
        raise InputError(*problems)
    config = replace(config, **dict.fromkeys(own, OWN))  # type: ignore[arg-type]
    game, plan = game_of(config, data.codec, generator, critic), plan_of(config)
    if own and (problems := tried(game, data.train, data.codec.space, plan.batch, own)):
        raise InputError(*problems)
    threads = threads_for(config, game, math.prod(data.codec.space.shape[-2:]))
    if config.threads is None and ranks.size > 1:
        threads = max(1, min(threads, (os.cpu_count() or 1) // ranks.size))
    config = replace(config, threads=threads, compile=worth_compiling(config, game))
    torch.set_num_threads(threads)
    if config.private:
        if ranks.size > 1:
            raise InputError("--privacy: works in one process only; run without torchrun")
        if any(
            isinstance(m, BATCH_NORMS) for m in (*game.critic.modules(), *game.generator.modules())
        ):
            raise InputError("--privacy: BatchNorm mixes rows; use another normalisation or none")
        plan = replace(plan, privacy=privacy_of(config, plan, data))
    found = preflight(game, data, plan, kind_of(data.codec).checks)
    plan = replace(plan, rank=ranks.rank, batch=ranks.share(plan.batch))
    return Session(path, config, data, game, plan, State.start(game, plan), found, ranks)


def privacy_of(config: Config, plan: Plan, data: Data) -> Privacy | None:
    """Return the privacy account of a run on these data; None without --privacy."""
    asked = part_of(config, "privacy")
    if asked is None:
        return None
    if isinstance(data.train, Apart):
        return data.train.privacy(plan)
    rows = plan.batch, len(data.train), plan.updates
    return privacy_for(asked.epsilon, asked.delta, asked.max_grad_norm, *rows, data.codec.account)
