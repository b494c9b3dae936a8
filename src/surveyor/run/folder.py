"""The run folder: what is written, read and refused; training that survives a kill.

config.toml            everything needed to repeat the run
codec.json, codec.safetensors      how to turn samples back into user units
generator.safetensors, critic.safetensors      the best by held-out W1
checkpoint/state.safetensors       the latest full state, replaced atomically
history.jsonl          one JSON object a measurement
timing.jsonl           the clock, kept apart so that all else repeats byte for byte
evaluation.json, report.html

The folder of a run with differential privacy holds nothing of rows but what its account covers: no
history, no clock, and of the evaluation the account alone. What is measured on rows lies beside it,
in NAME.measured.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from surveyor.build import game_of, options_of
from surveyor.config import Config, loads
from surveyor.data import Codec, Data, Kind, Options, kinds
from surveyor.data import load as load_data
from surveyor.diagnostics import Finding
from surveyor.errors import InputError, NotWritten
from surveyor.training import Game, Measurement
from surveyor.training.checkpoint import load_module, read_tensors
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
    evaluation: dict[str, Any] | None

    @property
    def options(self) -> Options:
        """Return how the run reads data."""
        return options_of(self.config)

    @property
    def measured(self) -> Path:
        """Return where evaluation and report lie."""
        return measured_in(self.path, self.config)


def measured_in(path: Path, config: Config) -> Path:
    """Return the folder of what is measured on rows: the run's own, or the one beside it."""
    return path if config.epsilon is None else path.with_name(f"{path.name}.measured")


def refuse_existing(path: Path) -> None:
    """Raise InputError where ``path`` is taken, or a name that files cannot hold."""
    if problems := unnameable(path, "--out "):
        raise InputError(*problems)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise InputError(
            f"--out {path}: exists already and is left as it is; "
            f"choose another name, or go on with --resume {path}"
        )


def load(path: Path, generator: nn.Module | None = None, critic: nn.Module | None = None) -> Run:
    """Read a run folder; nothing in it can execute.

    Raises:
        InputError: no run there, another version, or files that are damaged or do not fit.
    """
    config, data_name, meta = opened(path)
    kind, codec = _codec(path, meta)
    if not (path / "generator.safetensors").exists():
        raise InputError(
            f"{path}: nothing measured yet; go on with: surveyor train --resume {path}"
        )
    game = game_of(config, codec, generator, critic)
    weights = best_weights(path)
    load_module(game.generator, weights[0], path / "generator.safetensors")
    load_module(game.critic, weights[1], path / "critic.safetensors")
    game.generator.eval().requires_grad_(False)
    measured, told = measured_in(path, config) / "evaluation.json", path / "evaluation.json"
    evaluation = measured if measured.exists() else told
    result = read_json(evaluation) if evaluation.exists() else None
    history = read_history(path / "history.jsonl")
    return Run(path, config, data_name, kind, codec, game, history, result)


def described(path: Path) -> tuple[Config, str]:
    """Return the configuration of a run and the name of its data.

    Raises:
        InputError: no run there.
    """
    config, data_name, _ = opened(path)
    return config, data_name


def opened(path: Path) -> tuple[Config, str, dict[str, Any]]:
    """Return configuration, name of the data, and the codec's description.

    Raises:
        InputError: no run there, or a damaged one.
    """
    if not path.is_dir() or not (path / "config.toml").exists():
        raise InputError(f"{path}: no run in this folder (no config.toml)")
    config, data_name = loads((path / "config.toml").read_text(), str(path / "config.toml"))
    return config, data_name, read_json(path / "codec.json")


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


def own_data(path: Path, source: Any) -> Data:
    """Read ``source`` as the run's own data, split as they were for training.

    The codec is fitted to them again. With differential privacy it is the run's own: another one
    would be other noise, and spend again.

    Raises:
        InputError: no run there, or data that cannot be read or are others.
    """
    config, _, meta = opened(path)
    codec = None if config.epsilon is None else _codec(path, meta)[1]
    data = load_data(source, options_of(config), config.holdout, config.seed, codec)
    same_data(path, data)
    return data


def same_data(path: Path, data: Data) -> None:
    """Raise InputError where ``data`` are not those that the run was trained on."""
    if opened(path)[2].get("fingerprint") != fingerprint(data):
        raise InputError(f"{path}: was trained on other data than those given; pass the same file")


def fingerprint(data: Data) -> str:
    """Return a digest of the codec and the encoded rows: equal data, equal text.

    With differential privacy of the codec and the number of rows alone: a digest of rows would
    confirm a guess of one.
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


def keep_evaluation(
    path: Path,
    config: Config,
    result: dict[str, Any],
    history: Sequence[Measurement],
    found: Sequence[Finding],
) -> dict[str, Any]:
    """Write ``evaluation.json`` with what belongs to the run as a whole; return it."""
    steps = config.steps, config.steps  # of a run that measures nothing on its way
    if history:
        steps = best_of(history).step, history[-1].step
    result |= {"best_step": steps[0], "steps": steps[1]}
    result["preflight"] = [asdict(f) for f in found]
    place = measured_in(path, config)
    if place != path:
        covered = {k: result[k] for k in ("privacy", "best_step", "steps")}
        write_json(path / "evaluation.json", covered)
        place.mkdir(exist_ok=True)
    write_json(place / "evaluation.json", result)
    return result


def best_weights(path: Path) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """Return the weights of the best generator and its critic."""
    return tuple(read_tensors(path / f"{net}.safetensors")[0] for net in ("generator", "critic"))  # type: ignore[return-value]


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one line of JSON, on disk before this returns.

    Raises:
        NotWritten: the disk is full or refuses.
    """
    try:
        with path.open("a") as file:
            file.write(json.dumps(row, sort_keys=True) + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise NotWritten(f"{path}: cannot be written: {cause(error, path)}") from error


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a whole JSON file or nothing."""
    write_bytes(path, json.dumps(content, indent=1, sort_keys=False).encode())


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON object.

    Raises:
        InputError: missing, damaged, or no object.
    """
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing; the run folder is incomplete") from error
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it or train again") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: damaged (no JSON object); restore it or train again")
    return content


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
