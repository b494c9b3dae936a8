"""Turns the options that a user gives into a complete configuration."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from surveyor.arguments import MODULES
from surveyor.catalog import Part, parse, text_of
from surveyor.critics import critics
from surveyor.errors import InputError
from surveyor.generators import generators, latents
from surveyor.kinds import tasks
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.options.config import NONE, OWN, Config
from surveyor.options.devices import chosen_device, device_problems, multiplies_bfloat16
from surveyor.options.values import resolve
from surveyor.privacy import mechanisms
from surveyor.training.measuring import TIMES, measurings
from surveyor.training.noise import noises
from surveyor.training.optimizers import optimizers
from surveyor.training.schedules import schedules
from surveyor.training.terms import terms
from surveyor.training.views import views

PARTS: Mapping[str, Callable[[], Mapping[str, type]]] = {
    "objective": objectives,
    "constraint": constraints,
    "generator": generators,
    "critic": critics,
    "latent": latents,
    "optimizer": optimizers,
    "schedule": schedules,
    "measure": measurings,
    "noise": noises,
    "term": terms,
    "view": views,
    "privacy": mechanisms,
    "task": tasks,
}
"""The options that name parts, and the registries of those parts."""

REQUIRED = {"objective", "generator", "critic", "latent", "measure", "optimizer", "schedule"}
"""The options that may not be none."""


def part_of(config: Config, option: str) -> Any:
    """Return the part that an option names, or a tuple if the option takes several.

    None stands for no part, and ``OWN`` for a module of the user's own.
    """
    given = getattr(config, option)
    several = tuple(_part(option, text) for text in _texts(given) if _names_a_part(option, text))
    return several if isinstance(given, tuple) else next(iter(several), None)


def _names_a_part(option: str, text: str) -> bool:
    return text != NONE or option in REQUIRED


def _part(option: str, text: str) -> Any:
    return text if text == OWN and option in MODULES else parse(text, PARTS[option](), option)


def configure(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> Config:
    """Return the complete configuration, in which every part is named with all its fields.

    ``defaults`` are those of the data.

    Raises:
        InputError: options are unknown, out of range or incompatible; all problems at once.
    """
    given = {k: v for k, v in given.items() if v is not None}
    problems: list[str] = []
    parts = {name: _parts(name, given[name], problems) for name in PARTS if name in given}
    for mechanism in parts.get("privacy", []):
        defaults = {**defaults, **mechanism.defaults}
    try:
        config = resolve(given, defaults)
    except InputError as error:
        problems[:0] = error.problems
        config = Config()
    chosen = {f.name: getattr(config, f.name) for f in dataclasses.fields(Config)}
    complete: dict[str, Any] = {}
    for name in PARTS:
        several = isinstance(chosen[name], tuple)
        found = parts[name] if name in parts else _parts(name, chosen[name], problems)
        texts = tuple(p if p == OWN else text_of(p) for p in found)
        chosen[name] = tuple(found) if several else next(iter(found), None)
        complete[name] = texts if several else next(iter(texts), NONE)
    problems += [p for part in _chosen_parts(chosen) for p in part.problems(chosen)]
    config = replace(config, device=chosen_device(config.device))
    problems += device_problems(config.device)
    if config.balance and config.group is None:
        problems.append("--balance: needs a column of groups; name it with --group")
    if (config.node is None) != (config.graph is None):
        problems.append(
            "--node and --graph: give both, the column of nodes and the file of the network's edges"
        )
    if config.length is not None and config.graph is None:
        problems.append("--length: only with --graph; leave it out")
    if problems:
        raise InputError(*problems)
    if config.minutes is None:
        measuring = chosen["measure"].over(config.steps, 1 if config.private else TIMES)
        complete["measure"] = text_of(measuring)
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if multiplies_bfloat16(config.device) else "float32"
    return replace(config, **complete, precision=precision)


def _parts(option: str, given: Any, problems: list[str]) -> list[Any]:
    """Return the parts that ``given`` names; a default replaces an invalid one that is required."""
    parts = []
    for text in _texts(given):
        if not _names_a_part(option, text):
            continue
        try:
            parts.append(_part(option, text))
        except InputError as error:
            problems.extend(error.problems)
    if not parts and option in REQUIRED:
        parts.append(_part(option, getattr(Config(), option)))
    return parts


def _chosen_parts(chosen: Mapping[str, Any]) -> Iterator[Part]:
    """Yield every part among the options chosen."""
    for name in PARTS:
        parts = chosen[name] if isinstance(chosen[name], tuple) else (chosen[name],)
        yield from (part for part in parts if isinstance(part, Part))


def _texts(given: Any) -> list[str]:
    """Return the texts in ``given``; ``resolve`` reports values of other types."""
    several = [given] if isinstance(given, str) or not isinstance(given, Sequence) else given
    return [text for text in several if isinstance(text, str)]
