"""From a configuration to a game: the one place where names become parts."""

from __future__ import annotations

import dataclasses
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn

from surveyor.batch import Draws
from surveyor.catalog import parse, text_of
from surveyor.config import Config, resolve
from surveyor.critics import ChainCritic, critics
from surveyor.data import Codec, Options
from surveyor.data.conditions import Columns
from surveyor.errors import InputError, tell
from surveyor.generators import Latent, Likelihood, generators
from surveyor.lipschitz import TermPenalty, constraints
from surveyor.objectives import Objective, objectives
from surveyor.outline import (
    OWN,
    constraints_of,
    critic_of,
    generator_of,
    outline,
    refuse_nets_beyond_memory,
    space_of,
)
from surveyor.training import Game, Noise, Plan
from surveyor.training.game import Head
from surveyor.training.optimizers import Updates, optimizers
from surveyor.training.terms.reconstruction import Reconstruction
from surveyor.training.views.label_noise import LabelNoise
from surveyor.training.views.shift_mirror import ShiftMirror

MEASUREMENTS = 40
COMPILED = 150_000  # updates of a net from which compiling pays: it takes 12 to 25 s, saves .2 ms
THREADED = 30_000_000  # parameters times rows a step above which a second thread pays


def configured(said: Mapping[str, Any], defaults: Mapping[str, Any]) -> Config:
    """Return the resolved configuration, every part spelt out in full.

    ``defaults`` are those of the data.

    Raises:
        InputError: all that is unknown or out of range, at once.
    """
    said = {k: v for k, v in said.items() if v is not None}
    if said.get("epsilon") is not None:
        defaults = {**defaults, **PRIVATE}
    problems: list[str] = []
    try:
        config = resolve(said, defaults)
    except InputError as error:
        problems.extend(error.problems)
        config = Config()
    parts: dict[str, Any] = {
        name: _in_full(text, choices(), name, problems)
        for name, choices in PARTS.items()
        for text in _texts(said.get(name, getattr(config, name)))
    }
    parts["constraint"] = tuple(
        _in_full(text, constraints(), "constraint", problems)
        for text in _texts(said.get("constraint", config.constraint))
        if text != "none"
    )
    problems += device_problems(config.device)
    problems += _no_task(config) if config.task == "generate" else _of_task(config)
    if config.epsilon is not None:
        problems += _not_private(config, parts)
    if config.balance and config.group is None:
        problems.append("--balance: between which groups? name their column with --group")
    if config.group is None and any("groups=true" in text for text in parts["constraint"]):
        problems.append(
            "--constraint gradient-penalty:groups=true: which groups? "
            "name their column with --group"
        )
    if problems:
        raise InputError(*problems)
    every = config.measure_every
    if config.minutes is None:
        every = every or (spacing(config.steps) if config.epsilon is None else config.steps)
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if _multiplies_bfloat16(config.device) else "float32"
    return replace(config, **parts, measure_every=every, precision=precision)


# Of training with differential privacy; docs/defaults.md has the trials.
PRIVATE: Mapping[str, Any] = {
    "objective": "wasserstein",
    "constraint": ("orthogonal",),
    "calibrate": "no",
    "smooth": (),
    "precision": "float32",
    "compile": "no",
    "critic": "mlp:width=64,depth=2",
    "critic_steps": 1,
}


def _not_private(config: Config, parts: Mapping[str, Any]) -> list[str]:
    """Return what would look at training rows beside the clipped and noised sums."""
    problems = []
    if not str(parts["objective"]).startswith("wasserstein"):
        problems.append("--epsilon: the loss must be a sum over rows; give --objective wasserstein")
    held = {text.partition(":")[0] for text in parts["constraint"]}
    if not held or not held <= {"clip", "orthogonal"}:
        problems.append(
            "--epsilon: hold the critic by its weights, --constraint orthogonal or clip"
        )
    none: Mapping[str, Any] = {
        "calibrate": "no", "balance": False, "patience": 0, "smooth": (), "smooth_auc": None,
        "augment": 0.0,
    }  # fmt: skip
    if _judges_together(str(parts["critic"])):
        problems.append("--epsilon: a packed critic mixes rows; give --critic mlp or conv")
    problems += [
        f"--epsilon: leave --{name.replace('_', '-')} out, it would look at rows that are not "
        "accounted for"
        for name in _changed(config, none)
    ]
    if config.measure_every not in (None, config.steps):
        problems.append("--epsilon: leave --measure-every out, a choice by real rows tells of them")
    if config.minutes is not None:
        problems.append("--epsilon: the noise depends on the steps; give --steps, not --minutes")
    return problems


def _judges_together(text: str) -> bool:
    """Return whether a critic looks at several rows at once; nonsense has been told of."""
    try:
        return text != OWN and parse(text, critics(), "critic").together > 1
    except InputError:
        return False


def _multiplies_bfloat16(device: str) -> bool:
    if device.startswith("cuda"):
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    known: Mapping[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return device == "cpu" and bool(known.get("amx_bf16"))


def spacing(steps: int) -> int:
    """Return the steps between measurements where the user does not say."""
    return max(1, steps // MEASUREMENTS)


PARTS: Mapping[str, Callable[[], Mapping[str, type]]] = {
    "objective": objectives,
    "generator": generators,
    "critic": critics,
    "optimizer": optimizers,
}


def _texts(said: Any) -> list[str]:
    """Return the names of parts; what is no text has been told of where the types are checked."""
    several = [said] if isinstance(said, str) or not isinstance(said, Sequence) else said
    return [text for text in several if isinstance(text, str)]


def _in_full(text: str, choices: Mapping[str, type], what: str, problems: list[str]) -> str:
    if text == OWN:
        return text
    try:
        return text_of(parse(text, choices, what))
    except InputError as error:
        problems.extend(error.problems)
        return text


def _no_task(config: Config) -> list[str]:
    """Return what is said of a task where there is none."""
    given: Mapping[str, Any] = {"scale": None, "from_": None, "to": None, "content": 0.0}
    return [
        f"--{name.strip('_')}: for --task {'super-resolution' if name == 'scale' else 'translate'}"
        for name in _changed(config, given)
    ]


def _of_task(config: Config) -> list[str]:
    """Return what does not go with a task."""
    given: Mapping[str, Any] = {
        "epsilon": None,
        "label_noise": 0.0,
        "balance": False,
        "augment": 0.0,
    }
    return [
        f"--{name.replace('_', '-')}: not with --task {config.task}"
        for name in _changed(config, given)
    ]


def _changed(config: Config, usual: Mapping[str, Any]) -> list[str]:
    """Return the options that are not as ``usual``."""
    return [name for name, value in usual.items() if getattr(config, name) != value]


DEVICES = "cpu|cuda(:[0-9]{1,3})?|mps"


def device_problems(name: str) -> list[str]:
    """Return what stands against computing on a device."""
    if not re.fullmatch(DEVICES, name):
        return [f"--device {name}: unknown; known: cpu, cuda, mps"]
    if not _is_here(name):
        kind = name.partition(":")[0].upper()
        return [f"--device {name}: no {kind} device here; use --device cpu"]
    return []


def _is_here(device: str) -> bool:
    kind, _, number = device.partition(":")
    if kind == "cuda":
        return torch.cuda.is_available() and int(number or 0) < torch.cuda.device_count()
    return kind == "cpu" or torch.backends.mps.is_available()


def on_device(config: Config, device: str | None = None) -> Config:
    """Return the configuration of a run on ``device``, or on its own where that is here.

    Raises:
        InputError: a device that is unknown or asked for and not here.
    """
    asked = config.device if device is None else device
    problems = device_problems(asked)
    if device is None and problems and re.fullmatch(DEVICES, asked):
        tell(f"the run was trained on {asked}, which is not here; it is opened on the processor")
        return replace(config, device="cpu")
    if problems:
        raise InputError(*problems)
    return replace(config, device=asked)


def options_of(config: Config) -> Options:
    """Return how a configuration wants its data read."""
    fields = (f.name for f in dataclasses.fields(Options) if hasattr(config, f.name))
    return Options(**{name: getattr(config, name) for name in fields})


def game_of(
    config: Config,
    codec: Codec,
    generator: nn.Module | None = None,
    critic: nn.Module | None = None,
) -> Game:
    """Build the game of a configuration, its weights a function of the seed alone.

    A module given here takes the place of the configured one.

    Raises:
        InputError: parts that do not go together, or nets that the machine has no memory for.
    """
    space, unit = space_of(config, codec)
    refuse_nets_beyond_memory(config, outline(config, codec, generator is None, critic is None))
    latent = Latent(config.latent_normal, config.latent_bits, config.latent_spread)
    objective: Objective = parse(config.objective, objectives(), "objective")
    held = constraints_of(config, unit)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if generator is None:
            generator = generator_of(config.generator, space).build(space, latent)
        if critic is None:
            named = critic_of(config.critic, space)
            if config.batch % named.together:
                raise InputError(
                    f"--critic {config.critic}: packs of {named.together} do not divide --batch "
                    f"{config.batch}; give a multiple"
                )
            critic = named.build(space)
        for constraint in held:
            constraint.install(critic)
    terms = (Reconstruction(config.content, config.content_loss),) if config.content > 0 else ()
    if config.warm_start > 0 and not isinstance(generator, Likelihood) and not terms:
        raise InputError(
            f"--warm-start {config.warm_start:g}: the generator has no likelihood; "
            "give --generator autoregressive, or --warm-start 0"
        )
    if any(isinstance(c, TermPenalty) for c in held) and not codec.condition.columns:
        raise InputError(
            "--constraint condition-penalty: no condition; name its column with --condition"
        )
    if config.augment > 0 and len(space.shape) != 3:
        raise InputError(f"--augment {config.augment:g}: only for pictures")
    noise = _label_noise(config, codec)
    generator, critic = generator.to(config.device), critic.to(config.device)
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
        views=(ShiftMirror(config.augment),) if config.augment > 0 else (),
        terms=terms,
    )


def _label_noise(config: Config, codec: Codec) -> LabelNoise | None:
    """Return the channel that labels pass through.

    Raises:
        InputError: no labels, or a likelihood that would learn the wrong ones.
    """
    if not config.label_noise:
        return None
    columns, what = codec.condition, f"--label-noise {config.label_noise:g}"
    if not isinstance(columns, Columns) or all(c.ordered for c in columns.columns):
        raise InputError(f"{what}: no labels; name the column with --condition")
    if config.warm_start > 0:
        raise InputError(
            f"{what}: a likelihood would learn the wrong labels; give --warm-start 0 and "
            "--generator mlp"
        )
    return LabelNoise(columns, config.label_noise)


def head_of(codec: Codec, generator: nn.Module) -> Head:
    """Return what turns the generator's output into points."""
    return Embedded(codec) if isinstance(generator, Likelihood) else codec.head


@dataclass(frozen=True)
class Embedded:
    """The head of a generator with a likelihood."""

    codec: Codec

    def __call__(self, drawn: Tensor, draws: Draws) -> Tensor:
        """Return what the generator has drawn as points."""
        return self.codec.embed(drawn)


def plan_of(config: Config) -> Plan:
    """Return the plan of a configuration."""
    return Plan(
        steps=config.steps,
        batch=config.batch,
        critic_steps=config.critic_steps,
        generator_rate=config.generator_rate,
        critic_rate=config.critic_rate,
        optimizer=_updates(config.optimizer),
        average=config.average,
        warm=round(config.warm_start * config.steps),
        warm_rate=config.warm_rate,
        hold=config.hold,
        final=config.final,
        critic_final=config.final if config.critic_final is None else config.critic_final,
        shape=config.schedule,
        noise=replace(Noise(*config.smooth), auc=config.smooth_auc),
        seed=config.seed,
    )


def threads_for(config: Config, game: Game, pixels: int = 1) -> int:
    """Return how many threads pay for nets of this size: small ones are faster on one."""
    if config.threads is not None:
        return config.threads
    parameters = sum(p.numel() for net in (game.generator, game.critic) for p in net.parameters())
    convolution = any(isinstance(m, nn.Conv2d) for m in game.critic.modules())
    # A kernel is used at every place of a picture; at 8 x 8 one thread is still the faster.
    work = parameters * config.batch * (max(1, pixels / 64) if convolution else 1)
    return (os.cpu_count() or 1) if work > THREADED else 1


def worth_compiling(config: Config, game: Game) -> Literal["yes", "no"]:
    """Return whether a run's steps are many enough to earn the compilation back."""
    if config.compile != "auto":
        return config.compile
    known = isinstance(game.critic, ChainCritic) and game.critic.chain() is not None
    known = known and not any(isinstance(c, TermPenalty) for c in game.constraints)
    updates = config.steps * (config.critic_steps + 1)
    return "yes" if known and updates >= COMPILED else "no"


def _updates(text: str) -> Updates:
    return parse(text, optimizers(), "optimizer")
