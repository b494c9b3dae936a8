"""The run folder: its files, and how they are written, read and checked.

config.toml            everything needed to repeat the run
codec.json, codec.safetensors      the map from samples back to user units
generator.safetensors, critic.safetensors      the best on validation rows
checkpoint/state.safetensors       the latest full state, replaced atomically
history.jsonl          one JSON object per measurement
timing.jsonl           the clock, kept apart so that all other files are reproducible to the byte
evaluation.json, report.html

With differential privacy the folder contains nothing about rows beyond its account: no history, no
clock, and in the evaluation only the account. Whatever is measured on rows is kept beside it, in
NAME.measured.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from torch import nn

from surveyor.arguments import MODULES
from surveyor.build import game_of, options_of
from surveyor.data import Codec, Data, Options
from surveyor.errors import InputError, NotWritten
from surveyor.findings import Finding
from surveyor.kinds import Kind
from surveyor.kinds.loading import load as load_data
from surveyor.measures import Evaluation
from surveyor.options import OWN, Config
from surveyor.reading import (
    damaged,
    json_of,
    read_bytes,
    read_header,
    read_json,
)
from surveyor.run.opening import BEST, EVALUATION, HISTORY, LONGEST_HISTORY, Opened, fits, opened
from surveyor.run.temporary import Temporary
from surveyor.training import Game, Measurement
from surveyor.training.calibration import Calibration
from surveyor.training.checkpoint import load_module
from surveyor.training.privacy import Privacy
from surveyor.training.records import best_of
from surveyor.writing import cause, unnameable, write_bytes


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
    evaluation: Evaluation | None
    calibration: Calibration | None = None
    fingerprint: str = ""
    temporary: Temporary | None = None

    @property
    def options(self) -> Options:
        """Return the run's options for reading data."""
        return options_of(self.config)

    @property
    def measured(self) -> Path:
        """Return the folder of evaluation and report."""
        return measured_in(self.path, self.config)


def measured_in(path: Path, config: Config) -> Path:
    """Return the folder for measurements on rows: the run's own, or the one beside it."""
    return path.with_name(f"{path.name}.measured") if config.private else path


def refuse_existing(path: Path) -> None:
    """Raise InputError if ``path`` exists or is not a valid file name."""
    if problems := unnameable(path, "--out "):
        raise InputError(*problems)
    try:
        taken = path.exists() and (not path.is_dir() or any(path.iterdir()))
        if file := next((p for p in path.parents if p.exists() and not p.is_dir()), None):
            raise InputError(f"--out {path}: {file} is a file; choose another name")
    except OSError as error:
        raise InputError(f"--out {path}: cannot be used ({error.strerror})") from error
    if taken:
        raise InputError(
            f"--out {path}: already exists and was not changed; "
            f"choose another name, or resume it with --resume {path}"
        )


def load(
    path: Path,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
    device: str | None = None,
) -> Run:
    """Read a run folder without executing anything in it; check it before building anything.

    A run whose device is not available is opened on the CPU, with a notice.

    Raises:
        InputError: there is no run, it is of another version, or files are damaged or do not fit.
    """
    found = opened(path, device)
    history = read_history(path / HISTORY)
    measured = history or found.config.private
    if not measured or not os.path.lexists(path / BEST["generator"]):
        raise InputError(
            f"{path}: has no measurement yet; "
            f"resume it with: {resume_command(path, found.config, found.data_name)}"
        )
    fits(found, list(BEST.values()), generator, critic)
    result = read_evaluation(found)
    game = game_of(found.config, found.codec, generator, critic)
    calibration = calibration_in(path / BEST["generator"])
    load_module(game.generator, path / BEST["generator"])
    load_module(game.critic, path / BEST["critic"])
    game.generator.eval().requires_grad_(False)
    return Run(
        path,
        found.config,
        found.data_name,
        found.kind,
        found.codec,
        game,
        history,
        result,
        calibration,
        found.fingerprint,
    )


def resume_command(path: Path, config: Config, data_name: str) -> str:
    """Return the command that resumes a run, or the Python call if no command can.

    Data in memory and user-defined modules are not in the folder and must be passed again.
    """
    own = [f"{name}=module" for name in MODULES if getattr(config, name) == OWN]
    if data_name and not own:
        return f"surveyor train --resume {shlex.quote(str(path))}"
    arguments = [repr(str(path)), *([] if data_name else ["data"]), *own]
    return f"surveyor.resume({', '.join(arguments)})"


def instruction(path: Path, config: Config, data_name: str) -> str:
    """Return the command or call that resumes a run, and for a call the reason."""
    call = resume_command(path, config, data_name)
    if data_name:
        return call
    command = f"surveyor train --resume {shlex.quote(str(path))}"
    return f"{call}, since the data were in memory ({command} cannot read them)"


def other_modules(path: Path, config: Config, own: Collection[str]) -> list[str]:
    """Return problems: modules passed for named nets, or missing for user-defined ones."""
    problems = []
    for name in MODULES:
        built = getattr(config, name)
        if name in own and built != OWN:
            problems.append(f"{path}: its {name} is {built}; leave {name} out")
        elif name not in own and built == OWN:
            problems.append(f"{path}: the {name} is your own module; pass it again: {name}=module")
    return problems


def calibration_in(path: Path) -> Calibration | None:
    """Return the effect of calibration stored with a generator; None if it was not calibrated.

    Raises:
        InputError: the file is damaged.
    """
    try:
        return msgspec.convert(read_header(path).meta.get("calibration"), Calibration | None)
    except msgspec.ValidationError as error:
        raise damaged(path, error) from error


def read_history(path: Path, size: int | None = None) -> tuple[Measurement, ...]:
    """Read ``history.jsonl``, or its first ``size`` bytes.

    Raises:
        InputError: a line is not a measurement, or the file is shorter.
    """
    if not os.path.lexists(path) and not size:
        return ()
    content = read_bytes(path, LONGEST_HISTORY)
    if size is not None and len(content) < size:
        raise InputError(f"{path}: shorter than its checkpoint says; restore it or train again")
    content = content[:size]
    whole = content[: content.rfind(b"\n") + 1]  # a killed process leaves half a line
    if size is not None and len(whole) < size:
        raise damaged(path, "does not match its checkpoint")
    try:
        lines = whole.decode().splitlines()
    except UnicodeDecodeError as error:
        raise damaged(path, "not UTF-8") from error
    found = tuple(json_of(line, Measurement, path) for line in lines)
    if any(not m.finite for m in found):
        raise damaged(path, "numbers that are not finite")
    if any(b.step <= a.step for a, b in zip(found, found[1:], strict=False)):
        raise damaged(path, "steps out of order")
    return found


UNMEASURED = "Measurements on rows are not part of a private run's folder."


@dataclass(frozen=True)
class Covered:
    """The part of an evaluation that the folder of a differentially private run contains."""

    privacy: Privacy
    best_step: int
    steps: int


def read_evaluation(found: Opened) -> Evaluation | None:
    """Read ``evaluation.json``; None if there is none.

    For a differentially private run that was shared without its measurements, the evaluation has
    only the account and no figures.

    Raises:
        InputError: the file is damaged; ``surveyor evaluate`` writes it again.
    """
    path = measured_in(found.path, found.config) / EVALUATION
    remedy = f"delete it and write it again with: surveyor evaluate {found.path}"
    account = None
    if found.config.private and os.path.lexists(found.path / EVALUATION):
        account = read_json(found.path / EVALUATION, Covered, remedy)
    if not os.path.lexists(path) and account is not None:
        own = account.privacy, account.best_step, account.steps
        return Evaluation(UNMEASURED, 0, "", (), (), (), own[1], own[2], own[0])
    if not os.path.lexists(path):
        return None
    evaluation = read_json(path, Evaluation, remedy)
    if "w1" not in evaluation.by_name:
        raise damaged(path, "no w1", remedy)
    return evaluation


def same_data(path: Path, known: str, data: Data) -> None:
    """Raise InputError unless ``data`` match the fingerprint ``known`` of a run."""
    if known != fingerprint(data):
        raise InputError(f"{path}: was trained on different data; pass the same file")


def own_data(run: Opened | Run | Path, source: Any) -> Data:
    """Read ``source`` as the run's own data, split as for training.

    The codec is fitted again, except under differential privacy: fitting again would draw new noise
    and spend the budget twice.

    Raises:
        InputError: there is no run, or the data cannot be read or are different ones.
    """
    found = opened(run) if isinstance(run, Path) else run
    config, codec = found.config, found.codec if found.config.private else None
    data = load_data(source, options_of(config), config.holdout, config.seed, codec)
    same_data(found.path, found.fingerprint, data)
    return data


def fingerprint(data: Data) -> str:
    """Return a digest of the codec and the encoded rows, equal for equal data.

    With differential privacy it covers only the codec and the number of rows: a digest of the rows
    would confirm a guessed row.
    """
    meta, arrays = data.codec.state()
    digest = hashlib.sha256(json.dumps(meta, sort_keys=True).encode())
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    for name, rows in sorted(data.train.rows.items()):
        digest.update(f"{name} {rows.shape} {rows.dtype}".encode())
        for start_ in range(0, len(rows), 100_000) if data.codec.account is None else ():
            digest.update(np.ascontiguousarray(rows[start_ : start_ + 100_000]).tobytes())
    return digest.hexdigest()


def completed(
    config: Config, evaluation: Evaluation, history: Sequence[Measurement], found: Sequence[Finding]
) -> Evaluation:
    """Return an evaluation with the run's steps and preflight findings."""
    best, last = config.steps, config.steps  # for runs without measurements during training
    if history:
        best, last = best_of(history).step, history[-1].step
    return replace(evaluation, best_step=best, steps=last, preflight=tuple(found))


def keep_evaluation(path: Path, config: Config, evaluation: Evaluation) -> None:
    """Write ``evaluation.json``; for a private run also the covered part into its own folder."""
    place = measured_in(path, config)
    if place != path and evaluation.privacy is not None:
        covered = asdict(Covered(evaluation.privacy, evaluation.best_step, evaluation.steps))
        write_bytes(path / EVALUATION, json.dumps(covered, indent=1).encode())
        place.mkdir(exist_ok=True)
    write_bytes(place / EVALUATION, json.dumps(evaluation.numbers(), indent=1).encode())


def append(path: Path, row: dict[str, Any]) -> None:
    """Append one line of JSON and flush it to disk.

    Raises:
        NotWritten: the disk is full or refuses the write.
    """
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with os.fdopen(os.open(path, flags, 0o666), "ab") as file:
            file.write(json.dumps(row, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {cause(error, path)}") from error
