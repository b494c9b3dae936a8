"""The gallery: claims of the theory, one per file, tested by experiments on the public modules."""

from __future__ import annotations

import ast
import hashlib
import importlib
import inspect
import multiprocessing
import signal
import statistics
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import torch
from matplotlib.figure import Figure

from surveyor.catalog import parts_in
from surveyor.errors import InputError, did_you_mean

__all__ = [
    "Claim", "Evidence", "Figures", "Outcome", "Part", "Verdict", "claims", "code_of", "find",
    "hash_of",
    "judge", "runs",
]  # fmt: skip

Verdict = Literal["holds", "holds under conditions", "holds in part", "does not hold"]
Figures = Mapping[str, float]
# Parts of a claim's class that may change without another run: verdicts follow from the figures.
NOT_MEASURED = {
    "title", "statement", "equation", "source", "headline", "parts", "findings", "seeds", "draw",
}  # fmt: skip


@dataclass(frozen=True)
class Evidence:
    """The result of one run of a claim: ``figures`` to judge it by, ``curves`` for its picture."""

    figures: Figures
    curves: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """One statement of a claim: ``test`` must be met in each of ``cases``, on every seed.

    The statement may be narrowed to the cases ``there``, which ``where`` describes in words. They
    are judged by the same test, so a condition can only leave cases out.
    """

    statement: str
    test: Callable[[Figures, str], bool]
    cases: tuple[str, ...] = ("",)
    where: str = ""
    there: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if bool(self.where) != bool(self.there) or not set(self.there) < set(self.cases):
            raise ValueError(
                f"{self.statement}: give where and there together; there must be some of the cases"
            )

    def met(self, figures: Figures) -> bool:
        """Return whether one seed's figures meet the statement in every case."""
        return all(self.test(figures, case) for case in self.cases)

    def verdict(self, found: Sequence[Figures]) -> Verdict:
        """Return the verdict on the statement from the figures of all seeds."""
        if all(map(self.met, found)):
            return "holds"
        if self.there and all(self.test(f, case) for f in found for case in self.there):
            return "holds under conditions"
        return "does not hold"


class Claim(ABC):
    """One claim of the theory.

    ``title`` is the claim in a line, ``statement`` in full, ``equation`` as a formula, ``source``
    the literature. ``parts`` are its statements, judged one by one; ``findings`` are judged too and
    say what holds in addition or instead. ``headline`` names the figure that the index shows; by
    default, the first.
    """

    title: ClassVar[str]
    statement: ClassVar[str]
    equation: ClassVar[str]
    source: ClassVar[str]
    parts: ClassVar[tuple[Part, ...]]
    findings: ClassVar[tuple[Part, ...]] = ()
    headline: ClassVar[str] = ""
    seeds: ClassVar[int] = 5

    @abstractmethod
    def run(self, seed: int, quick: bool = False) -> Evidence:
        """Run the experiment; ``quick`` takes seconds and may be less accurate."""

    @abstractmethod
    def draw(self, found: Evidence, figure: Figure) -> None:
        """Draw the picture of a run."""

    def verdict(self, found: Sequence[Figures]) -> Verdict:
        """Return the verdict on the claim from the verdicts on its parts."""
        parts = {part.verdict(found) for part in self.parts}
        if len(parts) == 1:
            return parts.pop()
        return "holds in part" if "does not hold" in parts else "holds under conditions"


@dataclass(frozen=True)
class Outcome:
    """The figures of a claim's runs, one mapping per seed; ``code`` hashes the code that ran."""

    name: str
    seeds: tuple[int, ...]
    figures: tuple[Figures, ...]
    seconds: float
    quick: bool
    code: str

    def row(self, figure: str) -> tuple[float, float, float]:
        """Return the median, minimum and maximum of a figure over the seeds."""
        values = [found[figure] for found in self.figures]
        return statistics.median(values), min(values), max(values)


def claims() -> dict[str, Claim]:
    """Return every claim by the name of its file, ordered by number."""
    return {name: cls() for name, cls in sorted(parts_in("surveyor.claims", Claim).items())}  # type: ignore[type-abstract]


def find(text: str) -> str:
    """Return the name of the claim with the name ``text``, such as c04-clipping, 4 or clipping.

    Raises:
        InputError: there is no such claim.
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
    name: str, seed: int = 1, quick: bool = False, processes: int = 1, count: int | None = None
) -> tuple[Outcome, Evidence]:
    """Run a claim on ``count`` seeds (by default ``claim.seeds``), starting with ``seed``.

    Returns the outcome and the first seed's evidence.
    """
    claim = claims()[name]
    seeds = tuple(range(seed, seed + (1 if quick else count or claim.seeds)))
    begun = time.monotonic()
    found = runs(name, seeds, quick, min(processes, len(seeds)))
    figures = tuple({k: float(v) for k, v in f.figures.items()} for f in found)
    seconds = time.monotonic() - begun
    return Outcome(name, seeds, figures, seconds, quick, code_of(claim)), found[0]


def runs(name: str, seeds: Sequence[int], quick: bool, processes: int) -> list[Evidence]:
    """Run a claim on each seed, on one thread each, with the seeds divided among ``processes``."""
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


def code_of(claim: Claim) -> str:
    """Return a hash of a claim's experiment: its file without words, parts and picture."""
    module = importlib.import_module(type(claim).__module__)
    return hash_of(inspect.getsource(module), type(claim).__name__)


def hash_of(source: str, claim: str) -> str:
    """Return a hash of ``source`` without imports and the parts of ``claim`` in NOT_MEASURED."""
    lines = source.splitlines()
    for cls in ast.parse(source).body:
        if isinstance(cls, (ast.Import, ast.ImportFrom)):
            last = cls.end_lineno or cls.lineno
            lines[cls.lineno - 1 : last] = [""] * (last - cls.lineno + 1)
        if not isinstance(cls, ast.ClassDef) or cls.name != claim:
            continue
        for node in cls.body:
            targets = node.targets if isinstance(node, ast.Assign) else [node]
            names = {getattr(t, "id", getattr(t, "name", "")) for t in targets}
            if names & NOT_MEASURED or isinstance(node, ast.Expr):
                last = node.end_lineno or node.lineno
                lines[node.lineno - 1 : last] = [""] * (last - node.lineno + 1)
    text = "\n".join(line for line in lines if line)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
