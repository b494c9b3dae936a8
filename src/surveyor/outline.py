"""Shapes of a configuration's nets, found before any memory is allocated for them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from surveyor.catalog import parse
from surveyor.critics import Critic, critics
from surveyor.data import Codec, Space
from surveyor.data.bounds import check_memory
from surveyor.errors import InputError
from surveyor.generators import Generator, Latent, generators
from surveyor.lipschitz import Constraint
from surveyor.objectives import Objective
from surveyor.options import OWN, Config, part_of
from surveyor.reading import Form, form_of


def space_of(config: Config, codec: Codec) -> tuple[Space, float]:
    """Return the space that nets are built for, and the target slope of the critic."""
    space = codec.space
    objective: Objective = part_of(config, "objective")
    unit = space.unit if objective.is_distance else 1.0
    space = replace(space, unit=unit)
    return space, unit


def constraints_of(config: Config, space: Space) -> tuple[Constraint, ...]:
    """Return the constraints of a configuration for a space, aimed at a slope of its unit."""
    parts = part_of(config, "constraint")
    return tuple(constraint.with_target(space.unit).within(space) for constraint in parts)


COPIES = 5  # of every weight in training: itself, gradient, two moments and an average
CALLS = 200_000  # calls of PyTorch, enough to build the largest nets


def outline(
    config: Config, codec: Codec, generator: bool = True, critic: bool = True, calls: int = CALLS
) -> dict[str, Form]:
    """Return the names, shapes and types of the weights of a configuration's nets.

    The nets are built on the meta device, without memory, in at most ``calls`` calls of PyTorch.

    Raises:
        InputError: a net cannot be built, or takes more calls.
    """
    space = replace(space_of(config, codec)[0], bias=None, ranks=None, pairs=())
    latent: Latent = part_of(config, "latent")
    made: dict[str, nn.Module] = {}
    try:
        with torch.random.fork_rng(devices=[]), torch.device("meta"), _CallLimit(calls):
            if generator:
                made["generator"] = generator_of(config.generator, space).build(space, latent)
            if critic:
                made["critic"] = critic_of(config.critic, space).build(space)
                for constraint in constraints_of(config, space):
                    constraint.install(made["critic"])
    except (RuntimeError, OverflowError, MemoryError, ZeroDivisionError, TypeError) as error:
        which = "critic" if "generator" in made or not generator else "generator"
        why = str(error).partition("\n")[0]
        raise InputError(
            f"--{which} {getattr(config, which)}: cannot be built ({why}); make it smaller"
        ) from error
    return {name: form_of(module.state_dict()) for name, module in made.items()}


class _CallLimit(TorchFunctionMode):
    """Stops a construction after a number of PyTorch calls, in this thread alone."""

    def __init__(self, calls: int) -> None:
        super().__init__()
        self.left = calls

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        self.left -= 1
        if self.left < 0:
            raise InputError("--generator, --critic: more layers than can be built; give fewer")
        return func(*args, **(kwargs or {}))


def refuse_nets_beyond_memory(config: Config, forms: Mapping[str, Form]) -> None:
    """Refuse nets that cannot be trained in the free memory.

    Raises:
        InputError: weights, gradients, moments and averages do not fit.
    """
    for side, form in forms.items():
        count = sum(math.prod(shape) for shape, _ in form.values())
        what = (
            f"--{side} {getattr(config, side)}: {count:,} parameters, {COPIES} numbers of 4 bytes"
        )
        check_memory(COPIES * 4 * count, f"{what} each, take", "make it smaller")


def generator_of(text: str, space: Space) -> Generator:
    """Return the generator that ``text`` names.

    Raises:
        InputError: unknown, or unsuited to the data.
    """
    return _named(text, "generator", generators(), space)


def critic_of(text: str, space: Space) -> Critic:
    """Return the critic that ``text`` names.

    Raises:
        InputError: unknown, or unsuited to the data.
    """
    return _named(text, "critic", critics(), space)


N = TypeVar("N", Generator, Critic)


def _named(text: str, what: str, choices: Mapping[str, type[N]], space: Space) -> N:
    if text == OWN:
        raise InputError(f"the {what} of this run is your own module; pass it again: {what}=module")
    found = parse(text, choices, what)
    if space.cond_shape and not found.takes_pictures:
        known = ", ".join(name for name, kind in choices.items() if kind().takes_pictures)
        raise InputError(
            f"--{what} {text}: takes no picture as its condition; give one of: {known}"
        )
    return found
