"""A trial of user-defined modules on a few rows, before the first step."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from surveyor.batch import Batch, Draws
from surveyor.data import Source, Space
from surveyor.generators import Likelihood
from surveyor.process_state import preserve_random_state
from surveyor.training import Game

FEW = 5  # a second batch size: a module that assumes the first would fail in the evaluation


def untrainable(own: Mapping[str, nn.Module]) -> list[str]:
    """Return the problems that prevent the parameters of ``own`` modules from being trained."""
    problems = []
    for name, module in own.items():
        every: dict[str, Any] = dict(module.named_parameters())
        lazy = [key for key, p in every.items() if is_lazy(p)]
        odd = {key: p.dtype for key, p in every.items() if p.dtype != torch.float32}
        frozen = [key for key, p in every.items() if not p.requires_grad]
        abroad = [key for key, p in every.items() if p.is_meta]
        if not every:
            problems.append(f"{name}: the module has no parameters; there is nothing to train")
        elif lazy:
            problems.append(
                f"{name}: parameter {lazy[0]!r} has no shape yet; call the module once on an "
                "example"
            )
        elif abroad:
            problems.append(f"{name}: parameter {abroad[0]!r} holds no values (device meta)")
        elif odd:
            key, dtype = next(iter(odd.items()))
            problems.append(
                f"{name}: parameter {key!r} is {_plain(dtype)}; give float32, with module.float()"
            )
        elif frozen:
            problems.append(
                f"{name}: parameter {frozen[0]!r} is frozen; train it with "
                "module.requires_grad_(True), or make it a buffer"
            )
    return problems


def tried(game: Game, source: Source, space: Space, n: int, own: Mapping[str, Any]) -> list[str]:
    """Return problems of ``own`` modules: wrong shapes, values not finite, or a step that fails.

    The trial uses copies and restores the random state.
    """
    with preserve_random_state():
        try:
            game = replace(game, **{name: copy.deepcopy(getattr(game, name)) for name in own})
        except Exception as error:  # a user's class may raise anything
            return [f"{' and '.join(own)}: cannot be copied ({_described(error)})"]
        device = next(game.critic.parameters()).device
        for rows in (n, FEW):
            real = source.draw(rows, Draws(0)).to(device)
            made, problems = _made(game, real, space)
            problems = problems if made is None else _scored(game, Batch(made, real.cond))
            problems = problems or _likely(game.generator, real)
            if problems:
                return problems
        return _stepped(game, source.draw(n, Draws(0)).to(device))


def _made(game: Game, real: Batch, space: Space) -> tuple[Tensor | None, list[str]]:
    z = game.latent.draw(len(real), Draws(1)).to(real.x.device)
    inputs = (z,) if real.cond is None else (z, real.cond)
    try:
        raw = game.generator(*inputs)
    except Exception as error:  # a user's class may raise anything
        return None, [_failed("generator", ("z", "cond"), inputs, error)]
    wanted = (len(real), *space.raw)
    problems = _sound("generator", raw, tuple(getattr(raw, "shape", ())) == wanted, wanted)
    return (
        (None, problems) if problems else (game.head(raw.float(), Draws(2, device=raw.device)), [])
    )


def _scored(game: Game, fake: Batch) -> list[str]:
    inputs = (fake.x.detach(),) if fake.cond is None else (fake.x.detach(), fake.cond)
    try:
        scores = game.critic(*inputs)
    except Exception as error:  # a user's class may raise anything
        return [_failed("critic", ("x", "cond"), inputs, error)]
    n = len(fake)
    shape = tuple(getattr(scores, "shape", ()))
    return _sound("critic", scores, shape in ((n,), (n, 1)) or shape[1:] == (n,), (n,))


def _likely(generator: nn.Module, real: Batch) -> list[str]:
    if not isinstance(generator, Likelihood):
        return []
    name, n = "generator: log_likelihood", len(real)
    try:
        found = generator.log_likelihood(real.x, real.cond)
    except Exception as error:  # a user's class may raise anything
        return [f"{name} fails ({_described(error)})"]
    return _sound(name, found, tuple(getattr(found, "shape", ())) == (n,), (n,))


def _stepped(game: Game, real: Batch) -> list[str]:
    for name, gradients in (
        ("critic", game.critic_gradients),
        ("generator", game.generator_gradients),
    ):
        try:
            gradients(real, Draws(3, device=real.x.device))
        except Exception as error:  # a user's class may raise anything
            return [f"{name}: its training step fails ({_described(error)})"]
    return []


def _sound(name: str, out: Any, fits: bool, wanted: tuple[int, ...]) -> list[str]:
    """Return the problems of a module's output."""
    if not isinstance(out, Tensor):
        return [f"{name}: returns a {type(out).__name__}; it must return one tensor {wanted}"]
    if not fits:
        return [f"{name}: returns a tensor {tuple(out.shape)}; it must be {wanted}"]
    if not out.is_floating_point():
        return [f"{name}: returns {_plain(out.dtype)}; it must return floating-point numbers"]
    if not bool(torch.isfinite(out).all()):
        return [f"{name}: returns NaN or infinity before the first step; check its initial weights"]
    if not out.requires_grad:
        return [f"{name}: its output does not depend on its parameters; is it detached?"]
    return []


def _failed(name: str, names: tuple[str, str], inputs: tuple[Tensor, ...], error: Exception) -> str:
    shapes = ", ".join(f"{word} {tuple(x.shape)}" for word, x in zip(names, inputs, strict=False))
    return f"{name}: fails on {shapes} ({_described(error)})"


def _described(error: Exception) -> str:
    text = " ".join(str(error).split())[:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _plain(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
