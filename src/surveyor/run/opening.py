"""Read a run folder's configuration and codec, and check them against its weights."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from torch import nn

from surveyor.batch import Batch, Draws
from surveyor.data import Codec
from surveyor.data.bounds import check_memory
from surveyor.errors import InputError
from surveyor.kinds import Kind, kind_of, kinds
from surveyor.options import Config, loads, on_device
from surveyor.outline import outline
from surveyor.reading import (
    LONGEST,
    MIB,
    UNPARSABLE,
    check_form,
    damaged,
    in_file,
    read_bytes,
    read_header,
    read_json,
    read_tensors,
    read_toml,
)

CONFIG, CODEC, ARRAYS = "config.toml", "codec.json", "codec.safetensors"
BEST = {"generator": "generator.safetensors", "critic": "critic.safetensors"}
CHECKPOINT, HISTORY, TIMING = "checkpoint/state.safetensors", "history.jsonl", "timing.jsonl"
EVALUATION = "evaluation.json"
LONGEST_HISTORY, LONGEST_ARRAYS = 256 * MIB, 4096 * MIB
FEW = 8  # rows to try a codec on
CALLS_AT_LEAST, CALLS_A_TENSOR = 4096, 200  # PyTorch calls allowed for building the nets


@dataclass(frozen=True, eq=False)
class Opened:
    """The contents of a run folder apart from its weights: configuration, data and codec."""

    path: Path
    config: Config
    data_name: str
    kind: Kind
    codec: Codec
    fingerprint: str
    digest: str


class _CodecFile(msgspec.Struct):
    """``codec.json``."""

    kind: str
    fingerprint: str
    codec: dict[str, Any]


def opened(path: Path, device: str | None = None, resuming: bool = False) -> Opened:
    """Read configuration and codec, and check that the nets were trained with this codec.

    Raises:
        InputError: there is no run, or it is damaged.
    """
    if not path.is_dir() or not os.path.lexists(path / CONFIG):
        raise InputError(f"{path}: no run in this folder (no config.toml)")
    config, data_name = loads(read_toml(path / CONFIG), str(path / CONFIG))
    meta, arrays = read_bytes(path / CODEC), path / ARRAYS
    read_header(arrays)  # checks the file's length
    digest = digest_of({CODEC: meta, ARRAYS: read_bytes(arrays, LONGEST_ARRAYS)})
    trained = {
        name: read_header(path / name).meta
        for name in (*BEST.values(), *([CHECKPOINT] if resuming else []))
        if os.path.lexists(path / name)
    }
    if any(own.get("codec") != digest for own in trained.values()):
        raise InputError(
            f"{path}: {CODEC} or {ARRAYS} damaged (the nets were trained with others); "
            "restore them or train again"
        )
    kind, codec, known = _codec(path)
    config = on_device(config, device)
    return Opened(path, config, data_name, kind, codec, known, digest)


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return a digest of a codec's files."""
    return hashlib.sha256(files[CODEC] + files[ARRAYS]).hexdigest()


def _codec(path: Path) -> tuple[Kind, Codec, str]:
    file = read_json(path / CODEC, _CodecFile)
    kind = kinds().get(file.kind)
    if kind is None:
        raise InputError(f"{path / CODEC}: unknown kind of data {file.kind[:LONGEST]!r}")
    tensors, _ = read_tensors(path / ARRAYS)
    if odd := [n for n, t in tensors.items() if t.is_floating_point() and not t.isfinite().all()]:
        raise damaged(path / ARRAYS, f"{odd[0][:LONGEST]}: numbers that are not finite")
    try:
        codec = kind.codec.restore(file.codec, {k: t.numpy() for k, t in tensors.items()})
        _tried(codec)
    except (*UNPARSABLE, KeyError, IndexError, AttributeError, RuntimeError) as error:
        raise damaged(path / CODEC, repr(error)) from error
    return kind_of(codec), codec, file.fingerprint


def _tried(codec: Codec) -> None:
    """Decode a few rows of noise: digests can be forged, and a bad codec should fail at once."""
    space, draws = codec.space, Draws(0)
    check_memory(
        FEW * 4 * (space.width + math.prod(space.raw)), "the codec's points take", "restore it"
    )
    codes = codec.condition.draw(FEW, draws)
    with np.errstate(all="ignore"):
        x = codec.head(draws.normal(FEW, *space.raw), draws)
        codec.as_text(codec.decode(Batch(x, codec.condition.embed(codes)), codes, draws))


def fits(
    found: Opened,
    names: Sequence[str],
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
) -> None:
    """Check weight files against the configuration before nets are built.

    Raises:
        InputError: names, shapes or types differ, or the configuration changed since training.
    """
    lists = {name: read_header(found.path / name) for name in names}
    calls = CALLS_A_TENSOR * max((len(one.form) for one in lists.values()), default=0)
    try:
        forms = outline(
            found.config, found.codec, generator is None, critic is None, calls + CALLS_AT_LEAST
        )
    except InputError as error:
        raise in_file(found.path / CONFIG, error) from error
    if "generator" in forms:
        forms["average"] = forms["generator"]
    for name, one in lists.items():
        for net, form in forms.items():
            if name == CHECKPOINT:
                wanted = {f"{net}/{key}": own for key, own in form.items()}
                there = {k: own for k, own in one.form.items() if k.startswith(f"{net}/")}
                check_form(found.path / name, wanted, there)
            elif name == BEST.get(net):
                check_form(found.path / name, form, one.form)
        _unchanged(found.path / CONFIG, found.config, one.meta)


def _unchanged(path: Path, config: Config, meta: Mapping[str, Any]) -> None:
    """Raise InputError if the configuration is not the one stored with the weights."""
    then, now = meta.get("config"), settled(config)
    then = then if isinstance(then, dict) else {}
    other = [key for key in {**now, **then} if now.get(key) != then.get(key)]
    if other:
        raise InputError(
            f"{path}: changed since training ({other[0]}: now {str(now.get(other[0]))[:40]!r}, "
            f"then {str(then.get(other[0]))[:40]!r}); change it back, or train a new run with "
            f"--config {path}"
        )


def origin(config: Config, codec: str) -> dict[str, Any]:
    """Return the origin stored with weights: the configuration, and the digest of the codec."""
    return {"config": settled(config), "codec": codec}


def settled(config: Config) -> dict[str, Any]:
    """Return the part of a configuration that determines a run's numbers, ready for JSON."""
    decides = {k: v for k, v in vars(config).items() if k not in ("device", "threads")}
    return {k: list(v) if isinstance(v, tuple) else v for k, v in decides.items()}
