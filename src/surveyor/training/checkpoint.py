"""Checkpoints: one safetensors file, replaced atomically; nothing in it can execute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from surveyor.errors import InputError
from surveyor.training.game import Game
from surveyor.training.loop import State
from surveyor.training.step import laid_out
from surveyor.writing import write_bytes


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any] | None = None
) -> None:
    """Write tensors and a JSON-ready ``meta`` atomically."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_bytes(path, save(plain, {"surveyor": json.dumps(meta or {}, sort_keys=True)}))


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read what ``write_tensors`` wrote.

    Raises:
        InputError: the file is missing, truncated or not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            meta = json.loads((file.metadata() or {}).get("surveyor", "{}"))
            return {name: file.get_tensor(name) for name in file.keys()}, meta  # noqa: SIM118
    except FileNotFoundError as error:
        raise InputError(f"{path}: missing; the run folder is incomplete") from error
    except (SafetensorError, OSError, ValueError) as error:
        raise InputError(f"{path}: damaged ({error}); restore it or train again") from error


def load_module(module: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Load weights into a module.

    Raises:
        InputError: names or shapes that do not fit.
    """
    own = module.state_dict()
    wrong = sorted(set(own) ^ set(tensors))
    wrong += [n for n in own if n in tensors and own[n].shape != tensors[n].shape]
    if wrong:
        raise InputError(
            f"{path}: weights do not fit the nets of config.toml ({wrong[0]}"
            f"{f' and {len(wrong) - 1} more' if len(wrong) > 1 else ''}); they are of another run"
        )
    module.load_state_dict(dict(tensors))


def save_checkpoint(path: Path, game: Game, state: State, meta: Mapping[str, Any]) -> None:
    """Write everything that resuming needs."""
    tensors: dict[str, Tensor] = {}
    modules = {"generator": game.generator, "critic": game.critic, "average": state.average}
    for name, module in modules.items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    for name, optimizer in _optimizers(state).items():
        for index, entries in optimizer.state_dict()["state"].items():
            tensors |= {
                f"{name}/{index}/{key}": torch.as_tensor(value)
                for key, value in entries.items()
                if value is not None
            }
    write_tensors(path, tensors, {"step": state.step, "noise": state.noise, **meta})


def load_checkpoint(path: Path, game: Game, state: State) -> dict[str, Any]:
    """Bring nets, optimizers and step back; return the meta data.

    Raises:
        InputError: a checkpoint that is damaged or of another run.
    """
    tensors, meta = read_tensors(path)
    if not isinstance(meta.get("step"), int):
        raise InputError(f"{path}: damaged (no step in it); restore it or train again")
    parts: dict[str, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        part, _, name = key.partition("/")
        parts.setdefault(part, {})[name] = value
    for name, module in (
        ("generator", game.generator),
        ("critic", game.critic),
        ("average", state.average),
    ):
        load_module(module, parts.get(name, {}), path)
    for name, optimizer in _optimizers(state).items():
        entries: dict[int, dict[str, Tensor]] = {}
        moved = optimizer.param_groups[0]["params"]
        for key, value in parts.get(name, {}).items():
            index, _, field = key.partition("/")
            p = moved[int(index)]
            own = laid_out(value, p) if value.shape == p.shape else value
            entries.setdefault(int(index), {})[field] = own
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": entries, "param_groups": groups})
    state.step, state.noise = meta["step"], float(meta.get("noise", 1.0))
    return meta


def _optimizers(state: State) -> dict[str, torch.optim.Optimizer]:
    return {
        "critic_optimizer": state.critic_optimizer,
        "generator_optimizer": state.generator_optimizer,
    }
