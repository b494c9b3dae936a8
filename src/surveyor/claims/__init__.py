"""The gallery: claims of the theory, one file each, run with what a user can import, and judged."""

from __future__ import annotations

import multiprocessing
import signal
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.catalog import folder
from surveyor.errors import InputError, did_you_mean

__all__ = ["Claim", "Evidence", "Outcome", "Verdict", "claims", "find", "judge", "runs"]

Verdict = Literal["holds", "holds under conditions", "does not hold"]


@dataclass(frozen=True)
class Evidence:
    """What one run of a claim found: ``figures`` it is judged by, ``curves`` its picture shows."""

    figures: Mapping[str, float]
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


class Claim(ABC):
    """One claim of the theory.

    ``statement`` in words, ``equation`` in signs, ``source`` who said it. ``condition`` says under
    which conditions it holds, where it does not as stated. ``seeds`` runs are judged, and the index
    shows the figure that ``tells`` most, the first if not said.
    """

    title: ClassVar[str]
    statement: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    condition: ClassVar[str] = ""
    tells: ClassVar[str] = ""
    seeds: ClassVar[int] = 1

    @abstractmethod
    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Return what a run finds; the ``quick`` variant takes seconds and may find less."""

    @abstractmethod
    def holds(self, found: Evidence) -> bool:
        """Return whether the claim holds as stated."""

    def under(self, found: Evidence) -> bool:
        """Return whether it holds under ``condition``."""
        return self.holds(found)

    @abstractmethod
    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw what a run found."""


@dataclass(frozen=True)
class Outcome:
    """A claim's runs, judged."""

    name: str
    verdict: Verdict
    seeds: tuple[int, ...]
    held: tuple[bool, ...]
    figures: tuple[Mapping[str, float], ...]
    seconds: float
    quick: bool

    def row(self, figure: str) -> tuple[float, float, float]:
        """Return the median, least and largest of a figure over the seeds."""
        values = [found[figure] for found in self.figures]
        return statistics.median(values), min(values), max(values)


def claims() -> dict[str, Claim]:
    """Return every claim by the name of its file, in the order of their numbers."""
    return {name: cls() for name, cls in sorted(folder("surveyor.claims", Claim).items())}  # type: ignore[type-abstract]


def find(text: str) -> str:
    """Return the name of the claim that ``text`` means: its name, its number, or its words.

    Raises:
        InputError: no such claim.
    """
    known = list(claims())
    wanted = text.strip().lower().replace("_", "-")
    digits = wanted.removeprefix("c")
    number = f"c{digits:0>2}" if digits.isascii() and digits.isdecimal() else None
    for name in known:
        if wanted in (name, name.partition("-")[2]) or number == name.partition("-")[0]:
            return name
    raise InputError(f"claim {text}: unknown{did_you_mean(wanted, known)}")


def judge(
    name: str, seed: int = 1, quick: bool = False, processes: int = 1
) -> tuple[Outcome, Evidence]:
    """Run a claim on its seeds, from ``seed`` on; return the outcome and the first evidence."""
    claim = claims()[name]
    seeds = tuple(range(seed, seed + (1 if quick else claim.seeds)))
    begun = time.monotonic()
    found = runs(name, seeds, quick, min(processes, len(seeds)))
    held = tuple(claim.holds(f) for f in found)
    outcome = Outcome(
        name,
        verdict_of(claim, found),
        seeds,
        held,
        tuple({k: float(v) for k, v in f.figures.items()} for f in found),
        time.monotonic() - begun,
        quick,
    )
    return outcome, found[0]


def runs(name: str, seeds: Sequence[int], quick: bool, processes: int) -> list[Evidence]:
    """Run a claim on each seed, on one thread; several ``processes`` share the seeds out."""
    each = [(name, seed, quick) for seed in seeds]
    if processes <= 1:
        return [_run(*one) for one in each]
    fresh = multiprocessing.get_context("spawn")
    with fresh.Pool(processes, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as pool:
        return pool.starmap(_run, each, chunksize=1)


def _run(name: str, seed: int, quick: bool) -> Evidence:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return claims()[name].run(seed, quick)
    finally:
        torch.set_num_threads(threads)


def verdict_of(claim: Claim, found: Sequence[Evidence]) -> Verdict:
    """Return the verdict: as stated, or under its condition, on every seed."""
    if all(claim.holds(f) for f in found):
        return "holds"
    if claim.condition and all(claim.under(f) for f in found):
        return "holds under conditions"
    return "does not hold"
