"""The run folder: what is written, read and refused; training that survives a kill.

config.toml            everything needed to repeat the run
codec.json, codec.safetensors      how to turn samples back into user units
generator.safetensors, critic.safetensors      the best by held-out W1
checkpoint/state.safetensors       the latest full state, replaced atomically
history.jsonl          one JSON object a measurement
timing.jsonl           the clock, kept apart so that all else repeats byte for byte
evaluation.json, report.html
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save as save_arrays
from torch import nn

from surveyor.build import OWN, game_of, plan_of, spacing, threads_for
from surveyor.config import Config, dumps, loads
from surveyor.data import Codec, Data, Kind, kinds
from surveyor.diagnostics import Finding, preflight
from surveyor.errors import InputError, Interrupted, SurveyorError
from surveyor.evaluation import Ruler
from surveyor.evaluation.assess import assess
from surveyor.training import Game, Measurement, Plan, Record, State, measured, steps, until_plateau
from surveyor.training.checkpoint import (
    load_checkpoint,
    load_module,
    read_tensors,
    save_checkpoint,
    write_bytes,
    write_tensors,
)
from surveyor.training.interrupt import deferred_signals
from surveyor.training.loop import plateaued


@dataclass(frozen=True, eq=False)
class Run:
    """A trained run: its configuration, codec, and a game whose generator is the best one."""

    path: Path
    config: Config
    data_name: str
    kind: Kind
    codec: Codec
    game: Game
    history: tuple[Measurement, ...]
    evaluation: dict[str, Any] | None


@dataclass(eq=False)
class Session:
    """A run being trained."""

    path: Path
    config: Config
    data: Data
    game: Game
    plan: Plan
    state: State
    ruler: Ruler
    findings: list[Finding]
    history: list[Measurement] = field(default_factory=list)
    best: float = float("inf")
    started: float = field(default_factory=time.monotonic)

    @property
    def finished(self) -> bool:
        """Return whether there is nothing left to train."""
        return self.state.step >= self.plan.steps or plateaued(
            [m.excess for m in self.history], self.config.patience
        )

    def records(self) -> Iterator[Record]:
        """Train, keep what is measured, and save; yields every generator step.

        Ctrl-C and a polite kill are heard between steps, when the state is whole.

        Raises:
            Interrupted: the user stopped training; the state has been saved.
            Diverged: a number was not finite; the last good state is on disk.
        """
        if self.finished:
            return
        torch.set_num_threads(self.config.threads or 1)
        every = self.config.measure_every or 1
        source = steps(self.game, self.data.train, self.plan, self.state)
        source = measured(
            source, lambda r: self.ruler(self.state.average, r), every, self.plan.steps
        )
        with deferred_signals() as stopped:
            for record in until_plateau(source, self.config.patience, tuple(self.history)):
                if record.measurement is not None:
                    self._keep(record.measurement)
                yield record
                if stopped() and not self.finished:
                    self._checkpoint()
                    raise Interrupted(
                        f"stopped at step {self.state.step:,} of {self.plan.steps:,}, saved; "
                        f"go on with: surveyor train --resume {self.path}"
                    )

    def finish(self) -> dict[str, Any]:
        """Evaluate the best generator and write ``evaluation.json``; return it."""
        generator, critic = _best(self.path)
        load_module(self.game.generator, generator, self.path / "generator.safetensors")
        load_module(self.game.critic, critic, self.path / "critic.safetensors")
        result = assess(self.game, self.game.generator, self.data, self.config.seed)
        return keep_evaluation(self.path, result, self.history, self.findings)

    def _keep(self, measurement: Measurement) -> None:
        self.history.append(measurement)
        if measurement.excess < self.best:
            self.best = measurement.excess
            write_tensors(self.path / "generator.safetensors", self.state.average.state_dict())
            write_tensors(self.path / "critic.safetensors", self.game.critic.state_dict())
        _append(self.path / "history.jsonl", asdict(measurement))
        seconds = round(time.monotonic() - self.started, 3)
        _append(self.path / "timing.jsonl", {"step": measurement.step, "seconds": seconds})
        self._checkpoint()

    def _checkpoint(self) -> None:
        size = (self.path / "history.jsonl").stat().st_size if self.history else 0
        save_checkpoint(
            self.path / "checkpoint" / "state.safetensors", self.game, self.state, {"history": size}
        )


def keep_evaluation(
    path: Path, result: dict[str, Any], history: Sequence[Measurement], found: Sequence[Finding]
) -> dict[str, Any]:
    """Write ``evaluation.json`` with what belongs to the run as a whole; return it."""
    best = min(history, key=lambda m: m.excess)
    result |= {"best_step": best.step, "steps": history[-1].step}
    result["preflight"] = [asdict(f) for f in found]
    _write_json(path / "evaluation.json", result)
    return result


def start(
    data: Data,
    data_name: str,
    config: Config,
    path: Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
) -> Session:
    """Create a run folder, whole or not at all.

    Raises:
        InputError: the folder exists, or the preflight refuses; nothing has been written.
    """
    refuse_existing(path)
    session = _session(data, config, path, generator, critic)
    refused = [str(f) for f in session.findings if f.level == "refuse"]
    if refused:
        raise InputError(*refused)
    config = session.config
    if config.minutes is not None:
        config = replace(config, steps=_steps_in(session, config.minutes), minutes=None)
        if config.measure_every is None:
            config = replace(config, measure_every=spacing(config.steps))
        session = _session(data, config, path, generator, critic)
    meta, arrays = data.codec.state()
    meta = {"kind": data.kind.name, "fingerprint": fingerprint(data), "codec": meta}
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        (temporary / "checkpoint").mkdir()
        contiguous = {k: np.ascontiguousarray(v) for k, v in arrays.items()}
        write_bytes(temporary / "codec.safetensors", save_arrays(contiguous))
        _write_json(temporary / "codec.json", meta)
        write_bytes(temporary / "config.toml", dumps(config, data_name).encode())
        temporary.chmod(0o755)
        if path.is_dir():
            path.rmdir()  # empty, as refuse_existing has seen
        temporary.rename(path)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        raise SurveyorError(f"{path}: cannot be written ({error.strerror})") from error
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise
    return session


def refuse_existing(path: Path) -> None:
    """Raise InputError where ``path`` is taken."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(
            f"--out {path}: exists already and is left as it is; "
            f"choose another name, or go on with --resume {path}"
        )


def resume(
    path: Path, data: Data, generator: nn.Module | None = None, critic: nn.Module | None = None
) -> Session:
    """Continue a run where its last checkpoint left it.

    Raises:
        InputError: no run there, a damaged one, or other data than it was started on.
    """
    config, _, _ = _described(path)
    same_data(path, data)
    session = _session(data, config, path, generator, critic)
    checkpoint = path / "checkpoint" / "state.safetensors"
    if checkpoint.exists():
        saved = load_checkpoint(checkpoint, session.game, session.state)
        history = path / "history.jsonl"
        if history.exists() and history.stat().st_size < saved["history"]:
            raise InputError(
                f"{history}: shorter than its checkpoint says; restore it or train again"
            )
        if history.exists():
            os.truncate(history, saved["history"])
        session.history = list(read_history(history))
        session.best = min((m.excess for m in session.history), default=float("inf"))
    else:
        (path / "history.jsonl").unlink(missing_ok=True)
    timing = path / "timing.jsonl"
    if timing.exists():
        clock = [json.loads(line) for line in timing.read_text().splitlines() if line.endswith("}")]
        clock = [row for row in clock if row["step"] <= session.state.step]
        write_bytes(timing, "".join(json.dumps(row) + "\n" for row in clock).encode())
        session.started -= clock[-1]["seconds"] if clock else 0
    return session


def load(path: Path, generator: nn.Module | None = None, critic: nn.Module | None = None) -> Run:
    """Read a run folder; nothing in it can execute.

    Raises:
        InputError: no run there, another version, or files that are damaged or do not fit.
    """
    config, data_name, meta = _described(path)
    kind, codec = _codec(path, meta)
    if not (path / "generator.safetensors").exists():
        raise InputError(
            f"{path}: nothing measured yet; go on with: surveyor train --resume {path}"
        )
    game = game_of(config, codec, generator, critic)
    weights = _best(path)
    load_module(game.generator, weights[0], path / "generator.safetensors")
    load_module(game.critic, weights[1], path / "critic.safetensors")
    game.generator.eval().requires_grad_(False)
    evaluation = path / "evaluation.json"
    result = _read_json(evaluation) if evaluation.exists() else None
    history = read_history(path / "history.jsonl")
    return Run(path, config, data_name, kind, codec, game, history, result)


def described(path: Path) -> tuple[Config, str]:
    """Return the configuration of a run and the name of its data.

    Raises:
        InputError: no run there.
    """
    config, data_name, _ = _described(path)
    return config, data_name


def read_history(path: Path) -> tuple[Measurement, ...]:
    """Read ``history.jsonl``.

    Raises:
        InputError: a line that is no measurement.
    """
    if not path.exists():
        return ()
    try:
        return tuple(Measurement(**json.loads(line)) for line in path.read_text().splitlines())
    except (ValueError, TypeError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it or train again") from error


def same_data(path: Path, data: Data) -> None:
    """Raise InputError where ``data`` are not those that the run was trained on."""
    if _described(path)[2].get("fingerprint") != fingerprint(data):
        raise InputError(f"{path}: was trained on other data than those given; pass the same file")


def fingerprint(data: Data) -> str:
    """Return a digest of the codec and the encoded rows: equal data, equal text."""
    meta, arrays = data.codec.state()
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    for name, rows in sorted(data.train.rows.items()):
        digest.update(f"{name} {rows.shape} {rows.dtype}".encode())
        for start_ in range(0, len(rows), 100_000):
            digest.update(np.ascontiguousarray(rows[start_ : start_ + 100_000]).tobytes())
    return digest.hexdigest()


def _session(
    data: Data, config: Config, path: Path, generator: nn.Module | None, critic: nn.Module | None
) -> Session:
    own = {"generator": OWN} if generator is not None else {}
    own |= {"critic": OWN} if critic is not None else {}
    config = replace(config, **own)  # type: ignore[arg-type]
    game, plan = game_of(config, data.codec, generator, critic), plan_of(config)
    config = replace(config, threads=threads_for(config, game))
    torch.set_num_threads(config.threads or 1)
    state = State.start(game, plan)
    unit = data.codec.space.unit
    ruler = Ruler(game, data.train, data.validation, config.measure_rows, config.seed, unit)
    return Session(path, config, data, game, plan, state, ruler, preflight(game, data, plan))


def _steps_in(session: Session, minutes: float, trial: int = 20) -> int:
    """Return the steps that fit into ``minutes``, from a trial on nets that are then thrown away.

    A tenth of the time is left for measuring.
    """
    records = steps(session.game, session.data.train, session.plan, session.state)
    next(records)
    begun = time.monotonic()
    for _, _ in zip(range(trial), records, strict=False):
        if time.monotonic() - begun > 0.05 * 60 * minutes:
            break
    each = (time.monotonic() - begun) / max(session.state.step - 1, 1)
    return max(1, int(0.9 * 60 * minutes / each))


def _described(path: Path) -> tuple[Config, str, dict[str, Any]]:
    if not path.is_dir() or not (path / "config.toml").exists():
        raise InputError(f"{path}: no run in this folder (no config.toml)")
    config, data_name = loads((path / "config.toml").read_text(), str(path / "config.toml"))
    return config, data_name, _read_json(path / "codec.json")


def _codec(path: Path, meta: dict[str, Any]) -> tuple[Kind, Codec]:
    kind = kinds().get(str(meta.get("kind")))
    if kind is None:
        raise InputError(f"{path / 'codec.json'}: unknown kind of data {meta.get('kind')!r}")
    tensors, _ = read_tensors(path / "codec.safetensors")
    try:
        arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
        return kind, kind.codec.restore(meta["codec"], arrays)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise InputError(
            f"{path / 'codec.json'}: damaged ({error!r}); restore it or train again"
        ) from error


def _best(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    return tuple(read_tensors(path / f"{net}.safetensors")[0] for net in ("generator", "critic"))  # type: ignore[return-value]


def _append(path: Path, row: dict[str, Any]) -> None:
    try:
        with path.open("a") as file:
            file.write(json.dumps(row, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise SurveyorError(
            f"{path}: cannot be written ({error.strerror}); the last good state is kept. "
            f"Free some space and go on with: surveyor train --resume {path.parent}"
        ) from error


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_bytes(path, json.dumps(content, indent=1, sort_keys=False).encode())


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing; the run folder is incomplete") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it or train again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged (no JSON object); restore it or train again")
    return content
