"""From what a person says to a configuration in which every part is spelt out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from surveyor.catalog import Part, parse, text_of
from surveyor.critics import critics
from surveyor.errors import InputError
from surveyor.generators import generators
from surveyor.kinds import tasks
from surveyor.lipschitz import constraints
from surveyor.objectives import objectives
from surveyor.options.config import NONE, OWN, Config
from surveyor.options.devices import device_problems, multiplies_bfloat16
from surveyor.options.values import resolve
from surveyor.privacy import mechanisms
from surveyor.training.noise import noises
from surveyor.training.optimizers import optimizers
from surveyor.training.schedules import schedules
from surveyor.training.terms import terms
from surveyor.training.views import views

MEASUREMENTS = 40

PARTS: Mapping[str, Callable[[], Mapping[str, type]]] = {
    "objective": objectives,
    "constraint": constraints,
    "generator": generators,
    "critic": critics,
    "optimizer": optimizers,
    "schedule": schedules,
    "noise": noises,
    "term": terms,
    "view": views,
    "privacy": mechanisms,
    "task": tasks,
}
"""The options that name parts, and the folders that list these."""

NEEDED = ("objective", "generator", "critic", "optimizer", "schedule")  # none is no part


def part_of(config: Config, option: str) -> Any:
    """Return the part that an option names; None where it names none, text of a user's own.

    Of an option that takes several, a tuple.
    """
    said = getattr(config, option)
    several = tuple(_part(option, text) for text in _texts(said) if text != NONE)
    return several if isinstance(said, tuple) else next(iter(several), None)


def _part(option: str, text: str) -> Any:
    return text if text == OWN else parse(text, PARTS[option](), option)


def configured(said: Mapping[str, Any], defaults: Mapping[str, Any]) -> Config:
    """Return the resolved configuration, every part spelt out in full.

    ``defaults`` are those of the data.

    Raises:
        InputError: all that is unknown, out of range or does not go together, at once.
    """
    said = {k: v for k, v in said.items() if v is not None}
    problems: list[str] = []
    if (mechanism := _mechanism(said)) is not None:
        defaults = {**defaults, **mechanism.defaults}
    try:
        config = resolve(said, defaults)
    except InputError as error:
        problems.extend(error.problems)
        config = Config()
    texts = {name: said.get(name, getattr(config, name)) for name in PARTS}
    chosen = {f.name: getattr(config, f.name) for f in dataclasses.fields(Config)}
    spelt: dict[str, Any] = {}
    for name, text in texts.items():
        several = isinstance(getattr(config, name), tuple)
        parts = list(_parts(name, _texts(text), problems))
        written = tuple(p if p == OWN else text_of(p) for p in parts)
        chosen[name] = tuple(parts) if several else next(iter(parts), None)
        spelt[name] = written if several else next(iter(written), NONE)
    problems += [p for part in _every(chosen) for p in part.problems(chosen)]
    problems += device_problems(config.device)
    if config.balance and config.group is None:
        problems.append("--balance: between which groups? name their column with --group")
    if problems:
        raise InputError(*problems)
    every = config.measure_every
    if config.minutes is None:
        every = every or (config.steps if config.private else spacing(config.steps))
    precision = config.precision
    if precision == "auto":
        precision = "bfloat16" if multiplies_bfloat16(config.device) else "float32"
    return replace(config, **spelt, measure_every=every, precision=precision)


def _mechanism(said: Mapping[str, Any]) -> Any:
    """Return the mechanism of privacy that is asked for; nonsense is told of later."""
    text = said.get("privacy", NONE)
    if not isinstance(text, str) or text == NONE:
        return None
    try:
        return parse(text, mechanisms(), "privacy")
    except InputError:
        return None


def _parts(option: str, texts: Sequence[str], problems: list[str]) -> Iterator[Any]:
    """Yield the parts that ``texts`` name; in place of nonsense what Config has."""
    for text in texts:
        if text == NONE and option not in NEEDED:
            continue
        try:
            yield _part(option, text)
        except InputError as error:
            problems.extend(error.problems)
            if option in NEEDED:
                yield _part(option, getattr(Config(), option))


def _every(chosen: Mapping[str, Any]) -> Iterator[Part]:
    """Yield every part among the options chosen."""
    for name in PARTS:
        parts = chosen[name] if isinstance(chosen[name], tuple) else (chosen[name],)
        yield from (part for part in parts if isinstance(part, Part))


def _texts(said: Any) -> list[str]:
    """Return the names of parts; what is no text has been told of where the types are checked."""
    several = [said] if isinstance(said, str) or not isinstance(said, Sequence) else said
    return [text for text in several if isinstance(text, str)]


def spacing(steps: int) -> int:
    """Return the steps between measurements where the user does not say."""
    return max(1, steps // MEASUREMENTS)
