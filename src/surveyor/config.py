"""One dataclass: the fields are the keys of config.toml and the flags of the command line."""

from __future__ import annotations

import dataclasses
import math
import reprlib
import tomllib
import typing
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import Any, Literal

import numpy as np
import tomli_w

from surveyor.arguments import shown
from surveyor.errors import InputError, did_you_mean
from surveyor.reading import of_file

VERSION = 5


def _option(default: Any, text: str, low: float | None = None, high: float | None = None) -> Any:
    return field(default=default, metadata={"help": text, "low": low, "high": high})


@dataclass(frozen=True)
class Config:
    """Everything that decides a run. What is not said is filled in by the kind of data."""

    condition: tuple[str, ...] = _option((), "Columns or labels that samples can be asked for.")
    group: str | None = _option(None, "Column whose groups are reported one by one.")
    balance: bool = _option(
        False, "Train on every group alike; an autoregressive generator's shares are brought back."
    )
    drop: tuple[str, ...] = _option((), "Columns of a table to leave out.")
    type: tuple[str, ...] = _option(
        (),
        "What a column holds, COLUMN=TYPE: text, category, number, date, date:FORMAT or formula.",
    )
    missing: tuple[str, ...] = _option(
        (), "Words of a table that stand for a missing value, such as ? or unknown."
    )
    label_noise: float = _option(
        0.0,
        "Share of the labels of conditions that are wrong; samples have right ones.",
        0,
        0.9,
    )
    task: Literal["generate", "super-resolution", "translate"] = _option(
        "generate", "What pictures are for: generate, super-resolution or translate."
    )
    scale: int | None = _option(
        None, "Of super-resolution: so many times the pixels a side; 4 if not said.", 2, 16
    )
    from_: str | None = _option(
        None, "Of translation: where the pictures to translate are, in DATA or a folder."
    )
    to: str | None = _option(None, "Of translation: where what becomes of each is.")
    content: float = _option(
        0.0, "Weight of the content loss, by which a task's answers follow those wanted.", 0
    )
    content_loss: Literal["absolute", "squared"] = _option(
        "absolute", "What the content loss takes of each pixel's difference."
    )
    size: int | None = _option(
        None, "Bring pictures to so many pixels a side, cut square.", 4, 4096
    )
    white: int | None = _option(
        None,
        "Value of white in pictures of more than 8 bits, where it is not the one guessed.",
        1,
        2**16 - 1,
    )
    augment: float = _option(
        0.0, "Share of pictures that the critic sees shifted; samples are not.", 0, 0.7
    )
    whiten: bool = _option(False, "Bring every direction of vectors or pictures to equal spread.")
    epsilon: float | None = _option(
        None, "Train with differential privacy: samples and run folder tell so much of a row.", 1e-3
    )
    delta: float | None = _option(
        None, "Probability that --epsilon fails; 1 / (10 rows) if not said.", 1e-15, 0.1
    )
    row_norm: float = _option(
        1.0, "Norm to which a row's gradient is clipped, with --epsilon.", 1e-9
    )
    holdout: float = _option(0.2, "Share of rows held out for every measurement.", 0.01, 0.5)

    objective: str = _option("wasserstein", "wasserstein, minimax, hinge or relativistic.")
    constraint: tuple[str, ...] = _option(
        ("gradient-penalty",),
        "gradient-penalty, clip, spectral, orthogonal, condition-penalty; NAME:FIELD=VALUE,...",
    )
    generator: str = _option(
        "mlp", "autoregressive, mlp, conv, residual, unet or upscale; NAME:FIELD=VALUE,..."
    )
    critic: str = _option(
        "mlp", "mlp, conv, residual, patch, committee or packed; NAME:FIELD=VALUE,..."
    )
    latent_normal: int = _option(64, "Gaussian entries of the latent.", 0, 2**16)
    latent_bits: int = _option(0, "Entries of the latent that are -1 or +1.", 0, 2**16)
    latent_spread: float = _option(1.0, "Deviation of the Gaussian entries.", 1e-9)
    smooth: tuple[float, ...] = _option(
        (), "Noise on both sides of the critic: START, END, and the share of training it lasts."
    )
    smooth_auc: float | None = _option(
        None,
        "Adapt that noise, between START and END, to hold the critic's AUC near this, such as .7.",
        0.5,
        0.99,
    )

    steps: int = _option(10_000, "Generator steps.", 1, 10**9)
    warm_start: float = _option(
        0.0,
        "Share of the steps, the first ones, without a critic: by likelihood, or by content loss.",
        0,
        1,
    )
    warm_rate: float = _option(2e-3, "Learning rate of the warm start, which falls to 0.", 1e-12)
    calibrate: Literal["yes", "no"] = _option(
        "yes", "Bring an autoregressive generator's columns to the training rows' frequencies."
    )
    minutes: float | None = _option(
        None, "Training time instead of steps, measured at the start.", 0.01, 525_600
    )
    batch: int = _option(256, "Rows a step.", 2, 2**20)
    critic_steps: int = _option(2, "Critic steps a generator step.", 1, 1000)
    generator_rate: float = _option(1e-3, "Learning rate of the generator.", 1e-12)
    critic_rate: float = _option(1e-3, "Learning rate of the critic.", 1e-12)
    optimizer: str = _option("adam", "adam, rmsprop or sgd; NAME:FIELD=VALUE,...")
    average: float = _option(0.999, "Weight of the past in the averaged generator.", 0, 0.999999)
    hold: float = _option(0.3, "Share of the steps at full learning rate.", 0, 1)
    final: float = _option(0.0, "Learning rate at the end, as a share of the first.", 0, 1)
    critic_final: float | None = _option(
        None, "The same for the critic; as --final if not said.", 0, 1
    )
    schedule: Literal["cosine", "linear", "exponential"] = _option(
        "cosine", "How the rates fall: cosine, linear or exponential."
    )

    measure_every: int | None = _option(
        None, "Steps between measurements; 40 in all if not said.", 1, 10**9
    )
    measure_rows: int = _option(512, "Held-out rows a measurement.", 2, 10_000)
    patience: int = _option(0, "Stop after so many measurements without a better W1; 0 never.", 0)
    seed: int = _option(0, "Seed of everything random.", 0, 2**63 - 1)
    threads: int | None = _option(
        None, "Processor threads; chosen by the size of the nets.", 1, 1024
    )
    device: str = _option("cpu", "cpu, cuda or mps.")
    precision: Literal["auto", "float32", "bfloat16"] = _option(
        "float32", "Of training's products; auto is bfloat16 where the hardware multiplies it."
    )
    compile: Literal["auto", "yes", "no"] = _option(
        "auto", "Generate code for the steps; auto does where a run earns the compilation back."
    )


def resolve(said: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> Config:
    """Return a configuration: what was said, over the defaults of the kind of data.

    Raises:
        InputError: unknown names ("did you mean"), wrong types, values out of range; all at once.
    """
    hints = typing.get_type_hints(Config)
    problems, values = [], dict(defaults or {})
    fields = {f.name: f for f in dataclasses.fields(Config)}
    for name, value in said.items():
        if name not in fields:
            problems.append(f"unknown option {name!r}{did_you_mean(name, fields)}")
            continue
        try:
            values[name] = _typed(value, hints[name])
        except (TypeError, ValueError, OverflowError) as error:
            problems.append(f"{_flag(name)} {shown(value)}: {error}")
            continue
        problems += _range(name, values[name], fields[name].metadata)
    if isinstance(values.get("smooth"), tuple) and len(values["smooth"]) not in (0, 2, 3):
        problems.append("--smooth: give START END, and optionally the share of training")
    elif any(not 0 < number < math.inf for number in values.get("smooth", ())):
        problems.append("--smooth: START, END and the share must be above 0")
    if values.get("smooth_auc") is not None:
        start, end = [*values.get("smooth", ()), 0.0, 0.0][:2]
        if not start:
            problems.append("--smooth-auc: there is no noise to adapt; give --smooth START END too")
        elif start < end:
            problems.append("--smooth-auc: the noise adapts downwards; give START above END")
    if problems:
        raise InputError(*problems)
    return Config(**values)


def _range(name: str, value: Any, limits: Mapping[str, Any]) -> list[str]:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return []
    low, high = limits["low"], limits["high"]
    if isinstance(value, float) and not math.isfinite(value):
        return [f"{_flag(name)} {value}: give a finite number"]
    if low is not None and not value >= low:
        return [f"{_flag(name)} {reprlib.repr(value)}: must be at least {low:,}"]
    if high is not None and not value <= high:
        return [f"{_flag(name)} {reprlib.repr(value)}: must be at most {high:,}"]
    return []


def _flag(name: str) -> str:
    return "--" + name.strip("_").replace("_", "-")


def _typed(value: Any, hint: Any) -> Any:
    options = typing.get_args(hint)
    if value is None and type(None) in options:
        return None
    if type(None) in options:
        hint = next(o for o in options if o is not type(None))
    if typing.get_origin(hint) is Literal:
        if not isinstance(value, str) or value not in typing.get_args(hint):
            raise ValueError(f"not known{did_you_mean(str(value), typing.get_args(hint))}")
        return str(value)
    if typing.get_origin(hint) is tuple:
        inner = typing.get_args(hint)[0]
        return tuple(_typed(item, inner) for item in _items(value, inner))
    if isinstance(value, (bool, np.bool_)) != (hint is bool):
        raise TypeError(f"must be {TYPES[hint]}")
    if hint is bool:
        return bool(value)
    if hint in (int, float) and isinstance(value, Real):
        number = int(value) if isinstance(value, Integral) else float(value)
        if not math.isfinite(number):
            raise ValueError("must be finite")
        if hint is float or number == int(number):
            return hint(number)
    if hint is str and isinstance(value, (str, PurePath)):
        return str(value)
    raise TypeError(f"must be {TYPES[hint]}")


TYPES: Mapping[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "True or False",
    str: "text",
}


def _items(value: Any, inner: Any) -> list[Any]:
    """Return the items of an option that takes several; one may stand alone."""
    if isinstance(value, (str, Real)):
        return [value]
    # A set has no order, and what depends on it would not repeat; an iterator is used up.
    if isinstance(value, (bytes, Set, Mapping)) or not (
        isinstance(value, Sequence) or hasattr(value, "__array__")
    ):
        raise TypeError(f"must be {TYPES[inner]}, or a list of it")
    return list(value)


def dumps(config: Config, data: str) -> str:
    """Return ``config.toml`` as text."""
    values = {
        k: list(v) if isinstance(v, tuple) else v for k, v in vars(config).items() if v is not None
    }
    return tomli_w.dumps({"version": VERSION, "data": data, "run": values})


def loads(content: Mapping[str, Any], where: str) -> tuple[Config, str]:
    """Take what a ``config.toml`` holds; return the configuration and the data's name.

    Raises:
        InputError: another version, or fields that do not fit.
    """
    version = content.get("version")
    if version != VERSION:
        raise InputError(
            f"{where}: a run of version {reprlib.repr(version)}, and this Surveyor reads version "
            f"{VERSION}; train again, or use the Surveyor that wrote it"
        )
    run, data = content.get("run"), content.get("data")
    if not isinstance(run, dict) or not isinstance(data, str):
        raise InputError(f"{where}: damaged (no [run] table or no data); {RESTORE}")
    needed = [f.name for f in dataclasses.fields(Config) if f.default is not None]
    absent = [name for name in needed if name not in run]
    if absent and set(run) <= {f.name for f in dataclasses.fields(Config)}:
        raise InputError(f"{where}: damaged (no {absent[0]}); {RESTORE}")
    try:
        return resolve(run), data
    except InputError as error:
        raise of_file(where, error) from error


RESTORE = "restore it or train again"


def read_options(path: Path) -> dict[str, Any]:
    """Return the options in a TOML file a person wrote, or in a run's ``config.toml``.

    Raises:
        InputError: the file is missing or no TOML.
    """
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise InputError(f"--config {path}: no such file") from error
    except (ValueError, RecursionError, OSError) as error:
        raise InputError(f"--config {path}: not readable as TOML ({error})") from error
    run = content.get("run", content)
    if not isinstance(run, dict):
        raise InputError(f"--config {path}: run is no table; write [run]")
    return {"from_" if k == "from" else k.replace("-", "_"): v for k, v in run.items()}
