"""Checkpoints: one safetensors file, replaced atomically; nothing in it can execute."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import torch
from msgspec import Meta
from safetensors.torch import save
from torch import Tensor, nn

from surveyor.reading import Form, damaged, form_of, read_header, read_tensors
from surveyor.training.game import Game
from surveyor.training.plan import Plan, State
from surveyor.training.step import match_layout
from surveyor.writing import write_bytes


@dataclass(frozen=True)
class CheckpointHeader:
    """The metadata of a checkpoint.

    The step, the level of an adaptive noise, and how many bytes of ``history.jsonl`` precede it.
    """

    step: Annotated[int, Meta(ge=0)]
    noise: Annotated[float, Meta(ge=0, le=1)]
    history: Annotated[int, Meta(ge=0)]


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], meta: Mapping[str, Any] | None = None
) -> None:
    """Write tensors and ``meta``, which must be JSON-serialisable, atomically."""
    plain = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    write_bytes(path, save(plain, {"surveyor": json.dumps(meta or {})}))


def load_module(module: nn.Module, path: Path) -> dict[str, Any]:
    """Load the weights in a file into a module; return the file's metadata.

    Raises:
        InputError: the file is damaged, or names, shapes or types do not match the module.
    """
    tensors, meta = read_tensors(path, form_of(module.state_dict()))
    module.load_state_dict(tensors)
    return meta


def save_checkpoint(
    path: Path, game: Game, state: State, history: int = 0, origin: Mapping[str, Any] | None = None
) -> None:
    """Write everything that resuming needs; ``origin`` is added to the metadata."""
    header = CheckpointHeader(state.step, state.noise, history)
    tensors: dict[str, Tensor] = {}
    for name, module in _modules(game, state).items():
        tensors |= {f"{name}/{key}": value for key, value in module.state_dict().items()}
    for name, optimizer in _optimizers(state).items():
        tensors |= {f"{name}/{key}": value for key, value in _moments(optimizer).items()}
    write_tensors(path, tensors, {**asdict(header), **(origin or {})})


def checkpoint_header(path: Path, meta: Mapping[str, Any]) -> CheckpointHeader:
    """Return the header of the checkpoint at ``path`` from its metadata.

    Raises:
        InputError: a field is missing or invalid.
    """
    try:
        return msgspec.convert(meta, CheckpointHeader)
    except msgspec.ValidationError as error:
        raise damaged(path, error) from error


def load_checkpoint(path: Path, game: Game, state: State, plan: Plan) -> CheckpointHeader:
    """Restore nets, optimizers and step.

    Every tensor must have the name, shape and type that this game and its optimizers would save at
    that step, since the native code of fused optimizers does not check them.

    Raises:
        InputError: the checkpoint is damaged or belongs to another run; nothing was changed.
    """
    form: dict[str, Any] = {}
    for name, module in _modules(game, state).items():
        form |= {f"{name}/{key}": own for key, own in form_of(module.state_dict()).items()}
    fresh = {
        name: _optimizer_form(plan, optimizer.param_groups[0]["params"])
        for name, optimizer in _optimizers(state).items()
    }
    moved = {f"{name}/{key}": own for name, made in fresh.items() for key, own in made.items()}
    header = checkpoint_header(path, read_header(path).meta)
    if header.step > plan.steps:
        raise damaged(path, f"step {header.step:,} of {plan.steps:,}")
    begun = {"generator_optimizer": header.step > 0, "critic_optimizer": header.step > plan.warm}
    form |= {key: own for key, own in moved.items() if begun[key.partition("/")[0]]}
    tensors, _ = read_tensors(path, form)
    for name, module in _modules(game, state).items():
        module.load_state_dict(_part(tensors, name))
    for name, optimizer in _optimizers(state).items():
        entries: dict[int, dict[str, Tensor]] = {}
        parameters = optimizer.param_groups[0]["params"]
        for key, value in _part(tensors, name).items():
            index, _, field = key.partition("/")
            p = parameters[int(index)]
            own = match_layout(value, p) if value.shape == p.shape else value
            entries.setdefault(int(index), {})[field] = own
        groups = optimizer.state_dict()["param_groups"]
        optimizer.load_state_dict({"state": entries, "param_groups": groups})
    state.step, state.noise = header.step, header.noise
    return header


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    start = f"{name}/"
    return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}


def _optimizer_form(plan: Plan, parameters: list[Tensor]) -> Form:
    """Return the form of an optimizer's state for such parameters, from one step on zeros."""
    zeros = [nn.Parameter(torch.zeros_like(p)) for p in parameters]
    optimizer = plan.optimizer.over(zeros, plan.generator_rate)
    for zero in zeros:
        zero.grad = torch.zeros_like(zero)
    optimizer.step()
    return form_of(_moments(optimizer))


def _moments(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    return {
        f"{index}/{field}": torch.as_tensor(value)
        for index, entries in optimizer.state_dict()["state"].items()
        for field, value in entries.items()
        if value is not None
    }


def _modules(game: Game, state: State) -> dict[str, nn.Module]:
    return {"generator": game.generator, "critic": game.critic, "average": state.average}


def _optimizers(state: State) -> dict[str, torch.optim.Optimizer]:
    return {
        "critic_optimizer": state.critic_optimizer,
        "generator_optimizer": state.generator_optimizer,
    }
