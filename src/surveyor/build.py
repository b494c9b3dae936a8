"""From a configuration to a game: the one place where names become parts."""

from __future__ import annotations

import dataclasses
import os
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.critics import ChainCritic
from surveyor.data import Codec, Options
from surveyor.data.conditions import Columns
from surveyor.errors import InputError
from surveyor.generators import Latent, Likelihood
from surveyor.lipschitz import TermPenalty
from surveyor.objectives import Objective
from surveyor.options import Config, chosen_device, part_of
from surveyor.outline import (
    constraints_of,
    critic_of,
    generator_of,
    outline,
    refuse_nets_beyond_memory,
    space_of,
)
from surveyor.training import Game, Noise, Plan
from surveyor.training.game import Head
from surveyor.training.views.label_noise import LabelNoise

COMPILED = 150_000  # updates from which compiling (12 to 25 s) pays off: it saves .2 ms each
MOST_LABELS = 64  # combinations of labels over which a likelihood sums under label noise
THREADED = 30_000_000  # parameters times rows per step above which a second thread pays off


def options_of(config: Config) -> Options:
    """Return the options with which a configuration reads its data."""
    fields = (f.name for f in dataclasses.fields(Options) if hasattr(config, f.name))
    read = {name: getattr(config, name) for name in fields}
    mechanism = part_of(config, "privacy")
    if mechanism is not None:
        read |= {"epsilon": mechanism.epsilon, "delta": mechanism.delta}
    return Options(**{**read, "task": part_of(config, "task")})


def game_of(
    config: Config,
    codec: Codec,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
) -> Game:
    """Build the game of a configuration, its weights a function of the seed alone.

    A module given here takes the place of the configured one.

    Raises:
        InputError: incompatible parts, or nets that do not fit into memory.
    """
    space, unit = space_of(config, codec)
    refuse_nets_beyond_memory(config, outline(config, codec, generator is None, critic is None))
    latent: Latent = part_of(config, "latent")
    objective: Objective = part_of(config, "objective")
    held = constraints_of(config, space)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if generator is None:
            generator = generator_of(config.generator, space).build(space, latent)
        if critic is None:
            critic = critic_of(config.critic, space).build(space)
        for constraint in held:
            constraint.install(critic)
    terms, views = part_of(config, "term"), part_of(config, "view")
    if config.warm_start > 0 and not isinstance(generator, Likelihood) and not terms:
        raise InputError(
            f"--warm-start {config.warm_start:g}: the generator has no likelihood; "
            "give --generator autoregressive, or --warm-start 0"
        )
    likely = [term.name for term in terms if term.needs_likelihood]
    if likely and not isinstance(generator, Likelihood):
        raise InputError(f"--term {likely[0]}: the generator has no likelihood; leave the term out")
    if unfit := [problem for part in (*held, *views) for problem in part.unfit(space)]:
        raise InputError(*unfit)
    noise = _label_noise(config, codec)
    device = chosen_device(config.device)
    generator, critic = generator.to(device), critic.to(device)
    return Game(
        generator,
        critic,
        objective,
        held,
        latent,
        head_of(codec, generator),
        unit,
        getattr(torch, config.precision),
        label_noise=noise,
        views=views,
        terms=terms,
    )


def _label_noise(config: Config, codec: Codec) -> LabelNoise | None:
    """Return the channel that labels pass through.

    Raises:
        InputError: no labels, or too many for a likelihood.
    """
    if not config.label_noise:
        return None
    columns, what = codec.condition, f"--label-noise {config.label_noise:g}"
    if not isinstance(columns, Columns) or all(c.ordered for c in columns.columns):
        raise InputError(f"{what}: no labels; name the column with --condition")
    noise = LabelNoise(columns, config.label_noise)
    if config.warm_start > 0 and noise.combinations > MOST_LABELS:
        raise InputError(
            f"{what}: a likelihood sums over all combinations of labels, here "
            f"{noise.combinations:,}, and may have at most {MOST_LABELS}; give --warm-start 0 and "
            "--generator mlp"
        )
    if config.warm_start > 0 and config.private:
        raise InputError(f"{what}: not with --privacy and a likelihood; give --warm-start 0")
    return noise


def head_of(codec: Codec, generator: nn.Module) -> Head:
    """Return what turns the generator's output into points."""
    return Embedded(codec) if isinstance(generator, Likelihood) else codec.head


@dataclass(frozen=True)
class Embedded:
    """The head of a generator with a likelihood."""

    codec: Codec

    def __call__(self, drawn: Tensor, draws: Draws) -> Tensor:
        """Return the generator's samples as points."""
        return self.codec.embed(drawn)


def plan_of(config: Config) -> Plan:
    """Return the plan of a configuration."""
    return Plan(
        steps=config.steps,
        batch=config.batch,
        critic_steps=config.critic_steps,
        generator_rate=config.generator_rate,
        critic_rate=config.critic_rate,
        optimizer=part_of(config, "optimizer"),
        schedule=part_of(config, "schedule"),
        ema_decay=config.ema_decay,
        warm=round(config.warm_start * config.steps),
        warm_rate=config.warm_rate,
        noise=part_of(config, "noise") or Noise(),
        seed=config.seed,
        graph=config.compile != "no",
    )


def threads_for(config: Config, game: Game, pixels: int = 1) -> int:
    """Return the number of threads for nets of this size: small nets run faster on one."""
    if config.threads is not None:
        return config.threads
    parameters = sum(p.numel() for net in (game.generator, game.critic) for p in net.parameters())
    convolution = any(isinstance(m, nn.Conv2d) for m in game.critic.modules())
    # A kernel is applied at every pixel; at 8 x 8 one thread is still faster.
    work = parameters * config.batch * (max(1, pixels / 64) if convolution else 1)
    return (os.cpu_count() or 1) if work > THREADED else 1


def worth_compiling(config: Config, game: Game) -> Literal["auto", "yes", "no"]:
    """Return whether a run has enough steps for compiling to pay off; on CUDA graphs suffice."""
    if config.compile != "auto" or game.device.type == "cuda":
        return config.compile
    known = isinstance(game.critic, ChainCritic) and game.critic.chain() is not None
    known = known and not any(isinstance(c, TermPenalty) for c in game.constraints)
    updates = config.steps * (config.critic_steps + 1)
    return "yes" if known and updates >= COMPILED else "no"
